// SPDX-License-Identifier: Apache-2.0
// XML bodies of S3: parsed into a tree of elements (formats/xml.h), written element by element in order.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cloud/s3/protocol/errors.h"
#include "formats/xml.h"

namespace integreat::s3 {

using Element = formats::XmlElement;

// Parses a document; MalformedXML unless it is well-formed, valid UTF-8 and has this root element.
AwsResult<Element> parse_xml(std::string_view body, std::string_view root);

class XmlWriter {
public:
    // Opens the root element, by default in the namespace of S3.
    explicit XmlWriter(std::string_view root, bool with_namespace = true);

    void open(std::string_view name);
    void close();
    void value(std::string_view name, std::string_view text);
    void value(std::string_view name, std::uint64_t number);
    void flag(std::string_view name, bool value);
    void raw(std::string_view xml) { text_ += xml; }

    std::string finish() &&;  // Closes all open elements.

private:
    std::string text_;
    std::vector<std::string> open_;
};

// Writes a parsed document in the namespace of S3.
std::string to_xml(const Element& root);

std::string escape_xml(std::string_view text);

}  // namespace integreat::s3
