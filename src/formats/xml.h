// SPDX-License-Identifier: Apache-2.0
// XML of others, parsed into a tree of elements within limits on depth and number. Names lose their prefixes;
// attributes, comments and declarations are ignored, and no entity but the five predefined ones is expanded.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace integreat::formats {

struct XmlLimits {
    std::size_t depth_max = 32;
    std::size_t elements_max = 100'000;
};

struct XmlElement {
    std::string name;
    std::string text =
        {};  // Text directly in the element, without surrounding white space if it has children.
    std::vector<XmlElement> children = {};

    // Returns the first descendant at a path of names, or null: child("Role/Arn") is the first Arn of the
    // first Role.
    const XmlElement* child(std::string_view path) const;
    // Returns the text of child(path); empty if there is none.
    std::string_view value(std::string_view path) const;
};

// Parses a document and returns its root; Fault::invalid unless it is well-formed UTF-8 with one root and
// within the limits.
Result<XmlElement> parse_xml(std::string_view document, const XmlLimits& limits = {});

}  // namespace integreat::formats
