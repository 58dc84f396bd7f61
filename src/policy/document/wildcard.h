// SPDX-License-Identifier: Apache-2.0
// The two wildcards of the policy language: any run of characters ("*") and any one character ("?").
// Patterns encode them as bytes that never occur in UTF-8, so a "*" from a variable's value, or written as
// ${*}, is an ordinary character. There is no backtracking: the time is bounded by the length of the text
// times that of the pattern over the width of a machine word, even for hostile input.
#pragma once

#include <string_view>

namespace integreat::policy {

inline constexpr char any_run = '\xff';
inline constexpr char any_one = '\xfe';

// Returns whether the whole text matches. A character is a UTF-8 code point; each invalid byte is one
// character.
bool matches(std::string_view pattern, std::string_view text);

}  // namespace integreat::policy
