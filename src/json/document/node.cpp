// SPDX-License-Identifier: Apache-2.0
#include "json/document/node.h"

#include <charconv>

#include <boost/json/value.hpp>
#include <fmt/format.h>

namespace integreat::json {

namespace {

constexpr std::size_t quoted_characters_max = 60;

std::string unescape(std::string_view token) {
    std::string key;
    for (std::size_t i = 0; i < token.size(); ++i) {
        bool escaped = token[i] == '~' && i + 1 < token.size();
        key += !escaped ? token[i] : token[++i] == '1' ? '/' : '~';
    }
    return key;
}

const Node* find_child(const Node& node, std::string_view token) {
    if (node.kind == Node::Kind::map) return find_member(node, unescape(token));
    std::size_t index = 0;
    auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), index);
    bool number = error == std::errc() && end == token.data() + token.size();
    return number && index < node.items.size() ? &node.items[index] : nullptr;
}

// Follows the pointer as far as nodes exist; returns whether it reached the end.
bool follow(const Node*& node, std::string_view pointer) {
    while (!pointer.empty()) {
        std::size_t end = pointer.find('/', 1);
        const Node* next = find_child(*node, pointer.substr(1, end == pointer.npos ? end : end - 1));
        if (!next) return false;
        node = next;
        pointer = end == pointer.npos ? std::string_view() : pointer.substr(end);
    }
    return true;
}

void set_number(Node& node, std::string text) {
    node.kind = Node::Kind::number;
    node.text = std::move(text);
}

Node convert(const boost::json::value& value, int depth) {
    Node node;
    if (depth > depth_max) return node;
    switch (value.kind()) {
        case boost::json::kind::null: break;
        case boost::json::kind::bool_:
            node.kind = Node::Kind::boolean;
            node.text = value.get_bool() ? "true" : "false";
            break;
        case boost::json::kind::int64: set_number(node, fmt::to_string(value.get_int64())); break;
        case boost::json::kind::uint64: set_number(node, fmt::to_string(value.get_uint64())); break;
        case boost::json::kind::double_: set_number(node, fmt::to_string(value.get_double())); break;
        case boost::json::kind::string:
            node.kind = Node::Kind::text;
            node.text = std::string_view(value.get_string());
            break;
        case boost::json::kind::array:
            node.kind = Node::Kind::list;
            for (const auto& item : value.get_array())
                node.items.push_back(convert(item, depth + 1));
            break;
        case boost::json::kind::object:
            node.kind = Node::Kind::map;
            for (const auto& [key, member] : value.get_object()) {
                node.members.push_back({std::string(key), {}, convert(member, depth + 1)});
            }
            break;
    }
    return node;
}

}  // namespace

const Node* find_member(const Node& map, std::string_view key) {
    for (const auto& member : map.members) {
        if (member.key == key) return &member.value;
    }
    return nullptr;
}

const Node* find(const Node& root, std::string_view pointer) {
    const Node* node = &root;
    return follow(node, pointer) ? node : nullptr;
}

SourceLocation find_location(const Node& root, std::string_view pointer) {
    const Node* node = &root;
    follow(node, pointer);
    return node->location;
}

std::string append_pointer(std::string_view pointer, std::string_view key) {
    std::string extended(pointer);
    extended += '/';
    for (char character : key) {
        if (character == '~') {
            extended += "~0";
        } else if (character == '/') {
            extended += "~1";
        } else {
            extended += character;
        }
    }
    return extended;
}

std::string append_pointer(std::string_view pointer, std::size_t index) {
    return std::string(pointer) + "/" + std::to_string(index);
}

Node to_node(const boost::json::value& value) {
    return convert(value, 1);
}

std::string_view kind_name(Node::Kind kind) {
    switch (kind) {
        case Node::Kind::null: return "nothing";
        case Node::Kind::boolean: return "a boolean";
        case Node::Kind::number: return "a number";
        case Node::Kind::text: return "a text";
        case Node::Kind::list: return "a list";
        case Node::Kind::map: return "a map";
    }
    return "";
}

std::string quoted(std::string_view text) {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string result = "\"";
    std::size_t characters = 0;
    for (char character : text) {
        auto byte = static_cast<unsigned char>(character);
        if ((byte & 0xC0) != 0x80 && ++characters > quoted_characters_max) {
            result += "…";
            break;
        }
        if (byte < 0x20 || byte == 0x7f) {
            result += "\\x";
            result += digits[byte >> 4];
            result += digits[byte & 15];
        } else {
            result += character;
        }
    }
    return result + "\"";
}

}  // namespace integreat::json
