// SPDX-License-Identifier: Apache-2.0
// S3's bodies. In: a document becomes a tree of elements, names without their prefixes, within limits on
// bytes, depth and number; entities of its own and other declarations stand for nothing. Out: text, written
// in order.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cloud/s3/protocol/errors.h"

namespace integreat::s3 {

struct Element {
    std::string name;
    std::string text;  // Directly inside, without the white space around it if there are children.
    std::vector<Element> children;

    const Element* child(std::string_view name) const;  // The first of that name.
    // Text of the child of that name; empty if there is none.
    std::string_view value(std::string_view name) const;
};

// MalformedXML unless it is well-formed, valid UTF-8 and its root has that name.
Tried<Element> parse_xml(std::string_view body, std::string_view root);

class XmlText {
public:
    // With the namespace of S3 unless told otherwise.
    explicit XmlText(std::string_view root, bool with_namespace = true);

    void open(std::string_view name);
    void close();
    void value(std::string_view name, std::string_view text);
    void value(std::string_view name, std::uint64_t number);
    void flag(std::string_view name, bool value);
    void raw(std::string_view xml) { text_ += xml; }

    std::string finish() &&;  // Closes what is open.

private:
    std::string text_;
    std::vector<std::string> open_;
};

// As it was read, in S3's namespace.
std::string to_xml(const Element& root);

std::string escape_xml(std::string_view text);

}  // namespace integreat::s3
