// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/protocol/xml.h"

#include <pugixml.hpp>

#include "base/text/utf8.h"
#include "cloud/s3/store/limits.h"

namespace integreat::s3 {

namespace {

constexpr std::size_t elements_max = 100'000;  // Enough for 10,000 parts with all their elements.

std::string_view local_name(std::string_view name) {
    auto colon = name.rfind(':');
    return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

// Rejects "<a:/>" and "<a:1/>", which the parser accepts: S3's names begin with letters.
bool is_valid_name(std::string_view local) {
    auto first = local.empty() ? '\0' : local.front();
    return first == '_' || (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z');
}

struct ParseState {
    std::size_t elements = 0;
    bool valid = true;
};

Element convert_element(pugi::xml_node node, std::size_t depth, ParseState& state) {
    Element element{.name = std::string(local_name(node.name())), .text = {}, .children = {}};
    if (depth > xml_depth_max || ++state.elements > elements_max) {
        state.valid = false;
        return element;
    }
    for (auto inside : node.children()) {
        if (inside.type() == pugi::node_pcdata || inside.type() == pugi::node_cdata)
            element.text += inside.value();
        if (inside.type() == pugi::node_element && state.valid)
            element.children.push_back(convert_element(inside, depth + 1, state));
    }
    if (!is_valid_name(element.name)) state.valid = false;
    // A character reference may be invalid: &#xD800;
    if (find_invalid_utf8(element.text) || find_invalid_utf8(element.name)) state.valid = false;
    return element;
}

void write_element(XmlWriter& xml, const Element& element) {
    if (element.children.empty()) {
        xml.value(element.name, element.text);
        return;
    }
    xml.open(element.name);
    for (const auto& inside : element.children)
        write_element(xml, inside);
    xml.close();
}

}  // namespace

std::string to_xml(const Element& root) {
    XmlWriter xml(root.name);
    for (const auto& inside : root.children)
        write_element(xml, inside);
    return std::move(xml).finish();
}

const Element* Element::child(std::string_view child_name) const {
    for (const auto& one : children) {
        if (one.name == child_name) return &one;
    }
    return nullptr;
}

std::string_view Element::value(std::string_view child_name) const {
    const auto* element = child(child_name);
    return element ? std::string_view(element->text) : std::string_view();
}

AwsResult<Element> parse_xml(std::string_view body, std::string_view root) {
    if (find_invalid_utf8(body)) return malformed_xml();
    pugi::xml_document document;
    // White space between elements is ignored, but a key may consist of spaces.
    auto options = pugi::parse_cdata | pugi::parse_escapes | pugi::parse_eol | pugi::parse_ws_pcdata_single;
    auto parsed = document.load_buffer(body.data(), body.size(), options, pugi::encoding_utf8);
    if (!parsed) return malformed_xml();
    pugi::xml_node top;
    for (auto node : document.children()) {
        if (node.type() != pugi::node_element) continue;
        if (top) return malformed_xml();
        top = node;
    }
    if (!top || local_name(top.name()) != root) return malformed_xml();
    ParseState state;
    auto element = convert_element(top, 1, state);
    if (!state.valid) return malformed_xml();
    return element;
}

std::string escape_xml(std::string_view text) {
    std::string escaped;
    escaped.reserve(text.size());
    for (char character : text) {
        switch (character) {
            case '&': escaped += "&amp;"; break;
            case '<': escaped += "&lt;"; break;
            case '>': escaped += "&gt;"; break;
            case '"': escaped += "&quot;"; break;
            default:
                // XML 1.0 allows only three characters below the space; S3 writes the others like this too.
                if (static_cast<unsigned char>(character) < 0x20 && character != '\n' && character != '\t') {
                    escaped += "&#" + std::to_string(static_cast<int>(character)) + ";";
                } else {
                    escaped += character;
                }
        }
    }
    return escaped;
}

XmlWriter::XmlWriter(std::string_view root, bool with_namespace)
    : text_("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<") {
    text_ += root;
    if (with_namespace) text_ += " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";
    text_ += '>';
    open_.emplace_back(root);
}

void XmlWriter::open(std::string_view name) {
    ((text_ += '<') += name) += '>';
    open_.emplace_back(name);
}

void XmlWriter::close() {
    ((text_ += "</") += open_.back()) += '>';
    open_.pop_back();
}

void XmlWriter::value(std::string_view name, std::string_view text) {
    if (text.empty()) {
        ((text_ += '<') += name) += "/>";
        return;
    }
    ((text_ += '<') += name) += '>';
    text_ += escape_xml(text);
    ((text_ += "</") += name) += '>';
}

void XmlWriter::value(std::string_view name, std::uint64_t number) {
    value(name, std::to_string(number));
}

void XmlWriter::flag(std::string_view name, bool set) {
    value(name, set ? "true" : "false");
}

std::string XmlWriter::finish() && {
    while (!open_.empty())
        close();
    return std::move(text_);
}

}  // namespace integreat::s3
