// SPDX-License-Identifier: Apache-2.0
#include "config/diagnostics/diagnostics.h"

#include <algorithm>
#include <tuple>

namespace integreat::config {

std::string to_string(const Mistake& mistake) {
    if (mistake.line == 0) return mistake.file + ": " + mistake.message;
    return mistake.file + ":" + std::to_string(mistake.line) + ":" + std::to_string(mistake.column) + " " +
           mistake.message;
}

void complain(Document& document, std::string_view pointer, std::string message) {
    json::Place place = json::place_of(document.tree, pointer);
    bool told = std::any_of(document.mistakes.begin(), document.mistakes.end(), [&](const Mistake& earlier) {
        return earlier.line == place.line && earlier.column == place.column;
    });
    if (!told) document.mistakes.push_back({document.file, place.line, place.column, std::move(message)});
}

void sort_by_place(std::vector<Mistake>& mistakes) {
    std::stable_sort(mistakes.begin(), mistakes.end(), [](const Mistake& left, const Mistake& right) {
        return std::tie(left.file, left.line, left.column) < std::tie(right.file, right.line, right.column);
    });
}

}  // namespace integreat::config
