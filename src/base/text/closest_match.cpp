// SPDX-License-Identifier: Apache-2.0
#include "base/text/closest_match.h"

#include <algorithm>
#include <vector>

namespace integreat {

namespace {

constexpr std::size_t word_length_max = 64;  // Longer words are no misspelt names.

std::size_t edit_distance(std::string_view left, std::string_view right) {
    std::vector<std::size_t> before(right.size() + 1), above(right.size() + 1), row(right.size() + 1);
    for (std::size_t j = 0; j <= right.size(); ++j)
        above[j] = j;
    for (std::size_t i = 1; i <= left.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= right.size(); ++j) {
            std::size_t replaced = above[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1);
            row[j] = std::min({replaced, above[j] + 1, row[j - 1] + 1});
            bool swapped = i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
            if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
        }
        before.swap(above);
        above.swap(row);
    }
    return above[right.size()];
}

}  // namespace

std::optional<std::string> closest_match(std::string_view text, std::span<const std::string> candidates) {
    if (text.size() > word_length_max) return std::nullopt;
    std::size_t edits_max = std::max<std::size_t>(text.size() >= 4 ? 2 : 1, text.size() / 3);
    std::optional<std::string> best;
    std::size_t best_edits = edits_max + 1;
    for (const auto& candidate : candidates) {
        if (candidate.size() > word_length_max) continue;
        std::size_t edits = edit_distance(text, candidate);
        if (edits < best_edits && edits < candidate.size()) {
            best_edits = edits;
            best = candidate;
        }
    }
    return best;
}

std::string did_you_mean(std::string_view text, std::span<const std::string> candidates) {
    auto nearest = closest_match(text, candidates);
    return nearest ? ", did you mean \"" + *nearest + "\"?" : std::string();
}

}  // namespace integreat
