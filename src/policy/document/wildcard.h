// SPDX-License-Identifier: Apache-2.0
// The two wildcards of the policy language: any run of characters ("*") and any one character ("?").
// Patterns hold them as bytes that no UTF-8 text contains, so a "*" that came out of a variable's value, or
// was written as ${*}, stays an ordinary character. There is no backtracking: the time is bounded by the
// length of the text times that of the pattern over the width of a machine word, however hostile both are.
#pragma once

#include <string>
#include <string_view>

namespace integreat::policy {

inline constexpr char any_run = '\xff';
inline constexpr char any_one = '\xfe';

// Does the whole text match? A character is a code point of UTF-8; bytes that are none count one each.
bool matches(std::string_view pattern, std::string_view text);

// ASCII only: that is all that actions, key names and the operators that ignore case need.
std::string lower_case(std::string_view text);

}  // namespace integreat::policy
