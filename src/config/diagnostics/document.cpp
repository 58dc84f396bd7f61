// SPDX-License-Identifier: Apache-2.0
#include "config/diagnostics/document.h"

#include <set>
#include <utility>

namespace integreat::config {

bool parse_document(Document& document, std::string_view text, Empty empty) {
    auto yaml = json::parse_yaml(text);
    document.tree = std::move(yaml.root);
    add_mistakes(document, std::move(yaml.mistakes));
    // What follows from half a file would only hide the one mistake that matters.
    if (!yaml.complete) {
        document.tree = {};
        return false;
    }
    if (document.tree.kind != json::Node::Kind::null) return true;
    if (empty == Empty::refused) {
        document.mistakes.push_back({document.file, 1, 1, "the file is empty"});
    }
    return false;
}

void add_mistakes(Document& document, std::vector<json::Mistake> mistakes) {
    std::set<std::pair<int, int>> told;
    for (const auto& mistake : document.mistakes)
        told.emplace(mistake.line, mistake.column);
    for (auto& mistake : mistakes) {
        if (told.contains({mistake.place.line, mistake.place.column})) continue;
        document.mistakes.push_back(
            {document.file, mistake.place.line, mistake.place.column, std::move(mistake.message)});
    }
}

}  // namespace integreat::config
