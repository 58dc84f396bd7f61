// SPDX-License-Identifier: Apache-2.0
#include "json/binding/yaml_writer.h"

#include "base/text/ascii.h"

namespace integreat::json {

namespace {

using Type = Field::Type;

bool is_scalar(Type type) {
    return type != Type::group && type != Type::list && type != Type::map;
}

std::string format_scalar(const Field& field) {
    return field.type == Type::text || field.type == Type::secret ? to_yaml_scalar(field.value) : field.value;
}

void append(std::string& text, const Field& field, int depth);

void append_members(std::string& text, const std::vector<Field>& members, int depth) {
    for (const auto& member : members)
        append(text, member, depth);
}

std::string flow_list(const std::vector<Field>& items) {
    std::string text;
    for (const auto& item : items)
        text += (text.empty() ? "" : ", ") + format_scalar(item);
    return "[" + text + "]";
}

void append_items(std::string& text, const Field& field, int depth) {
    for (const auto& item : field.items) {
        std::string inner;
        append_members(inner, item.members, depth + 2);
        // The first key follows the dash.
        if (!inner.empty()) inner[static_cast<std::size_t>(depth + 1) * 2] = '-';
        text += inner;
    }
}

void append(std::string& text, const Field& field, int depth) {
    std::string indentation(static_cast<std::size_t>(depth) * 2, ' ');
    if (!field.has_value || (is_scalar(field.type) && field.value.empty())) return;
    if (is_scalar(field.type)) {
        text += indentation + field.name + ": " + format_scalar(field) + "\n";
        return;
    }
    bool many = field.type != Type::group;
    if (many && field.items.empty()) {
        if (field.rules.may_be_empty) text += indentation + field.name + ": []\n";
        return;
    }
    if (field.type == Type::list && is_scalar(field.element.front().type)) {
        text += indentation + field.name + ": " + flow_list(field.items) + "\n";
        return;
    }
    text += indentation + field.name + ":\n";
    if (field.type == Type::list) {
        append_items(text, field, depth);
    } else {
        append_members(text, many ? field.items : field.members, depth + 1);
    }
}

}  // namespace

std::string to_yaml_scalar(std::string_view text) {
    auto plain = [](char c) {
        return is_alnum(c) || std::string_view("_./@+-").find(c) != std::string_view::npos;
    };
    bool unquoted = !text.empty() && plain(text[0]) && std::string_view("-+.@").find(text[0]) == text.npos &&
                    text != "null" && text != "Null" && text != "NULL";
    for (std::size_t i = 1; unquoted && i < text.size(); ++i) {
        bool inner_colon = text[i] == ':' && i + 1 < text.size();
        unquoted = plain(text[i]) || inner_colon;
    }
    if (unquoted) return std::string(text);
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string result = "\"";
    for (char c : text) {
        auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            result += '\\';
            result += c;
        } else if (byte < 0x20 || byte == 0x7f) {
            result.append("\\x").append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
        } else {
            result += c;
        }
    }
    return result + "\"";
}

std::string to_yaml(const Field& root) {
    std::string text;
    append_members(text, root.members, 0);
    return text;
}

}  // namespace integreat::json
