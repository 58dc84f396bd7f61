// SPDX-License-Identifier: Apache-2.0
// "did you mean": the candidate that a slip of the fingers would turn into what was written.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace integreat {

// The nearest candidate by edits (insert, delete, replace, swap of neighbours), if it is near enough to be
// a slip: at most a third of the written letters, two at least for words of four letters and more.
std::optional<std::string> suggest(std::string_view written, std::span<const std::string> candidates);

// `, did you mean "pastor"?` or nothing, ready to be appended to a sentence.
std::string did_you_mean(std::string_view written, std::span<const std::string> candidates);

}  // namespace integreat
