// SPDX-License-Identifier: Apache-2.0
// A configuration file's text becomes a struct and the mistakes found on the way.
#pragma once

#include <string>
#include <string_view>

#include "config/diagnostics/diagnostics.h"
#include "json/binding/reader.h"
#include "json/document/yaml.h"

namespace integreat::config {

enum class Empty { allowed, refused };  // A file with nothing but comments: all defaults, or a mistake.

// Parses; true if the tree is worth reading.
bool parse_document(Document& document, std::string_view text, Empty empty);

void add_mistakes(Document& document, std::vector<json::Mistake> mistakes);

template <class T>
Document read_document(std::string_view text, const std::string& file, T& value,
                       const json::Environment& environment, Empty empty) {
    Document document{.file = file};
    if (parse_document(document, text, empty))
        add_mistakes(document, json::read(document.tree, value, environment));
    return document;
}

}  // namespace integreat::config
