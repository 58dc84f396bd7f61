// SPDX-License-Identifier: Apache-2.0
#include "formats/xml.h"

#include <algorithm>

#include <pugixml.hpp>

#include "base/text/ascii.h"
#include "base/text/utf8.h"

namespace integreat::formats {

namespace {

Error invalid_xml(const std::string& reason) {
    return {Fault::invalid, "invalid XML: " + reason, ""};
}

std::string_view local_name(std::string_view name) {
    auto colon = name.rfind(':');
    return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

// Rejects "<a:/>" and "<a:1/>", which the parser accepts.
bool is_valid_name(std::string_view local) {
    return !local.empty() && (local.front() == '_' || is_alpha(local.front()));
}

struct TreeBuilder {
    const XmlLimits& limits;
    std::size_t elements = 0;

    Result<XmlElement> convert(pugi::xml_node node, std::size_t depth) {
        XmlElement element{.name = std::string(local_name(node.name()))};
        if (depth > limits.depth_max)
            return invalid_xml("more than " + std::to_string(limits.depth_max) + " levels");
        if (++elements > limits.elements_max)
            return invalid_xml("more than " + std::to_string(limits.elements_max) + " elements");
        for (auto inside : node.children()) {
            if (inside.type() == pugi::node_pcdata || inside.type() == pugi::node_cdata)
                element.text += inside.value();
            if (inside.type() != pugi::node_element) continue;
            auto child = TRY(convert(inside, depth + 1));
            element.children.push_back(std::move(child));
        }
        if (!is_valid_name(element.name) || find_invalid_utf8(element.name))
            return invalid_xml("an element with an invalid name");
        // A character reference may be invalid: &#xD800;
        if (find_invalid_utf8(element.text)) return invalid_xml("an invalid character reference");
        return element;
    }
};

}  // namespace

const XmlElement* XmlElement::child(std::string_view path) const {
    auto slash = path.find('/');
    auto found = std::ranges::find(children, path.substr(0, slash), &XmlElement::name);
    if (found == children.end()) return nullptr;
    return slash == std::string_view::npos ? &*found : found->child(path.substr(slash + 1));
}

std::string_view XmlElement::value(std::string_view path) const {
    const auto* element = child(path);
    return element ? std::string_view(element->text) : std::string_view();
}

Result<XmlElement> parse_xml(std::string_view document, const XmlLimits& limits) {
    if (find_invalid_utf8(document)) return invalid_xml("not UTF-8");
    pugi::xml_document parsed;
    // White space between elements is ignored, but a value may consist of spaces.
    auto options = pugi::parse_cdata | pugi::parse_escapes | pugi::parse_eol | pugi::parse_ws_pcdata_single;
    auto status = parsed.load_buffer(document.data(), document.size(), options, pugi::encoding_utf8);
    if (!status) {
        return invalid_xml(std::string(status.description()) + " (byte " + std::to_string(status.offset) +
                           ")");
    }
    pugi::xml_node root;
    for (auto node : parsed.children()) {
        if (node.type() != pugi::node_element) continue;
        if (root) return invalid_xml("more than one root element");
        root = node;
    }
    if (!root) return invalid_xml("no root element");
    return TreeBuilder{.limits = limits}.convert(root, 1);
}

}  // namespace integreat::formats
