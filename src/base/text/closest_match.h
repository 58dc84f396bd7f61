// SPDX-License-Identifier: Apache-2.0
// Suggestions for misspelt names, by edit distance.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace integreat {

// Returns the candidate with the smallest edit distance (insert, delete, replace, transpose), or nullopt if
// none is within the limit: a third of the length of `text`, but at least two for texts of four characters
// and more, and one for shorter ones.
std::optional<std::string> closest_match(std::string_view text, std::span<const std::string> candidates);

// Returns `, did you mean "pastor"?` or an empty string, to be appended to a sentence.
std::string did_you_mean(std::string_view text, std::span<const std::string> candidates);

}  // namespace integreat
