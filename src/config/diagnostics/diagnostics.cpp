// SPDX-License-Identifier: Apache-2.0
#include "config/diagnostics/diagnostics.h"

#include <algorithm>
#include <tuple>

namespace integreat::config {

std::string to_string(const Diagnostic& diagnostic) {
    if (diagnostic.line == 0) return diagnostic.file + ": " + diagnostic.message;
    return diagnostic.file + ":" + std::to_string(diagnostic.line) + ":" + std::to_string(diagnostic.column) +
           " " + diagnostic.message;
}

void report(Document& document, std::string_view pointer, std::string message) {
    json::SourceLocation location = json::find_location(document.tree, pointer);
    bool reported =
        std::any_of(document.errors.begin(), document.errors.end(), [&](const Diagnostic& earlier) {
            return earlier.line == location.line && earlier.column == location.column;
        });
    if (!reported)
        document.errors.push_back({document.file, location.line, location.column, std::move(message)});
}

void sort_by_location(std::vector<Diagnostic>& diagnostics) {
    std::stable_sort(diagnostics.begin(), diagnostics.end(),
                     [](const Diagnostic& left, const Diagnostic& right) {
                         return std::tie(left.file, left.line, left.column) <
                                std::tie(right.file, right.line, right.column);
                     });
}

}  // namespace integreat::config
