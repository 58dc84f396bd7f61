// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/protocol/xml.h"

#include <pugixml.hpp>

#include "base/text/utf8.h"
#include "cloud/s3/store/limits.h"

namespace integreat::s3 {

namespace {

constexpr std::size_t elements_max = 100'000;  // 10,000 parts with all they may say.

std::string_view local_name(std::string_view name) {
    auto colon = name.rfind(':');
    return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

// The parser takes "<a:/>" and "<a:1/>", which are no names without their prefix. S3's begin with letters.
bool is_name(std::string_view local) {
    auto first = local.empty() ? '\0' : local.front();
    return first == '_' || (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z');
}

struct Reading {
    std::size_t elements = 0;
    bool good = true;
};

Element read_element(pugi::xml_node node, std::size_t depth, Reading& reading) {
    Element element{.name = std::string(local_name(node.name())), .text = {}, .children = {}};
    if (depth > xml_depth_max || ++reading.elements > elements_max) {
        reading.good = false;
        return element;
    }
    for (auto inside : node.children()) {
        if (inside.type() == pugi::node_pcdata || inside.type() == pugi::node_cdata)
            element.text += inside.value();
        if (inside.type() == pugi::node_element && reading.good)
            element.children.push_back(read_element(inside, depth + 1, reading));
    }
    if (!is_name(element.name)) reading.good = false;
    // A reference to a character may name none: &#xD800;
    if (invalid_utf8_at(element.text) || invalid_utf8_at(element.name)) reading.good = false;
    return element;
}

void write_element(XmlText& xml, const Element& element) {
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
    XmlText xml(root.name);
    for (const auto& inside : root.children)
        write_element(xml, inside);
    return std::move(xml).finish();
}

const Element* Element::child(std::string_view wanted) const {
    for (const auto& one : children) {
        if (one.name == wanted) return &one;
    }
    return nullptr;
}

std::string_view Element::value(std::string_view wanted) const {
    const auto* found = child(wanted);
    return found ? std::string_view(found->text) : std::string_view();
}

Tried<Element> parse_xml(std::string_view body, std::string_view root) {
    if (invalid_utf8_at(body)) return malformed_xml();
    pugi::xml_document document;
    // White space alone between elements is none of ours, but a key may consist of spaces.
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
    Reading reading;
    auto element = read_element(top, 1, reading);
    if (!reading.good) return malformed_xml();
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
                // Below a space XML 1.0 knows only three; S3 writes the others this way, too.
                if (static_cast<unsigned char>(character) < 0x20 && character != '\n' && character != '\t') {
                    escaped += "&#" + std::to_string(static_cast<int>(character)) + ";";
                } else {
                    escaped += character;
                }
        }
    }
    return escaped;
}

XmlText::XmlText(std::string_view root, bool with_namespace)
    : text_("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<") {
    text_ += root;
    if (with_namespace) text_ += " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";
    text_ += '>';
    open_.emplace_back(root);
}

void XmlText::open(std::string_view name) {
    ((text_ += '<') += name) += '>';
    open_.emplace_back(name);
}

void XmlText::close() {
    ((text_ += "</") += open_.back()) += '>';
    open_.pop_back();
}

void XmlText::value(std::string_view name, std::string_view text) {
    if (text.empty()) {
        ((text_ += '<') += name) += "/>";
        return;
    }
    ((text_ += '<') += name) += '>';
    text_ += escape_xml(text);
    ((text_ += "</") += name) += '>';
}

void XmlText::value(std::string_view name, std::uint64_t number) {
    value(name, std::to_string(number));
}

void XmlText::flag(std::string_view name, bool value_of) {
    value(name, value_of ? "true" : "false");
}

std::string XmlText::finish() && {
    while (!open_.empty())
        close();
    return std::move(text_);
}

}  // namespace integreat::s3
