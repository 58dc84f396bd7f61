// SPDX-License-Identifier: Apache-2.0
// Reads the text of a configuration file into a struct and collects the errors in it.
#pragma once

#include <string>
#include <string_view>

#include "config/diagnostics/diagnostics.h"
#include "config/diagnostics/renamed_keys.h"
#include "json/binding/reader.h"
#include "json/document/yaml.h"

namespace integreat::config {

// Handling of a file that contains nothing but comments: all defaults, or an error.
enum class EmptyFile { allowed, refused };

// Parses the text into document.tree. Returns true if the tree can be read.
bool parse_document(Document& document, std::string_view text, EmptyFile empty);

void add_errors(Document& document, std::vector<json::ValidationError> errors);

// Fills `value` from document.tree.
template <class T>
void read_document(Document& document, T& value, const json::Environment& environment) {
    add_errors(document, json::read(document.tree, value, environment, renamed_keys()));
}

}  // namespace integreat::config
