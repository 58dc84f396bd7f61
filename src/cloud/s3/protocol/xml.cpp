// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/protocol/xml.h"

#include "cloud/s3/store/limits.h"

namespace integreat::s3 {

namespace {

// Enough for 10,000 parts with all their elements.
constexpr formats::XmlLimits limits{.depth_max = xml_depth_max, .elements_max = 100'000};

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

AwsResult<Element> parse_xml(std::string_view body, std::string_view root) {
    auto element = formats::parse_xml(body, limits);
    if (element && element->name == root) return *std::move(element);
    auto error = malformed_xml();
    error.cause = element ? "the root element is not " + std::string(root) : element.error().message;
    return error;
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
