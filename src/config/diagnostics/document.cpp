// SPDX-License-Identifier: Apache-2.0
#include "config/diagnostics/document.h"

#include <set>
#include <utility>

namespace integreat::config {

bool parse_document(Document& document, std::string_view text, EmptyFile empty) {
    auto yaml = json::parse_yaml(text);
    document.tree = std::move(yaml.root);
    add_errors(document, std::move(yaml.errors));
    // The errors of an incomplete tree would hide the syntax error that caused them.
    if (!yaml.complete) {
        document.tree = {};
        return false;
    }
    if (document.tree.kind != json::Node::Kind::null) return true;
    if (empty == EmptyFile::refused) {
        document.errors.push_back({document.file, 1, 1, "the file is empty"});
    }
    return false;
}

void add_errors(Document& document, std::vector<json::ValidationError> errors) {
    std::set<std::pair<int, int>> locations;
    for (const auto& error : document.errors)
        locations.emplace(error.line, error.column);
    for (auto& error : errors) {
        if (locations.contains({error.location.line, error.location.column})) continue;
        document.errors.push_back(
            {document.file, error.location.line, error.location.column, std::move(error.message)});
    }
}

}  // namespace integreat::config
