// SPDX-License-Identifier: Apache-2.0
// A text of a policy that is compared with a text of the request: wildcards, and policy variables that the
// request's context fills in ("IAM policy elements: Variables and tags"). What a variable inserts is plain
// text, never a wildcard. A variable without a value and without a default makes the pattern match nothing;
// so does one whose key has several values.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "policy/document/context.h"

namespace integreat::policy {

struct Variable {
    std::string key;                      // In lower case.
    std::optional<std::string> fallback;  // ${key, 'fallback'}
};

// Literal text and wildcards, then perhaps a variable.
struct Piece {
    std::string text;
    std::optional<Variable> variable;
};

struct Pattern {
    std::string source;         // As the document has it, for sentences.
    std::string text;           // The whole of it, if there are no variables.
    std::vector<Piece> pieces;  // Empty without variables.
};

struct PatternSyntax {
    bool wildcards = true;
    bool variables = true;    // Of version 2012-10-17; to 2008-10-17 "${" is two letters.
    bool lower_case = false;  // For texts compared without regard to case.
};

// Fault::invalid if a variable is written wrongly.
Result<Pattern> compile(std::string_view source, const PatternSyntax& syntax);

// Longer than anything it could match: the ARN of an S3 object has at most some 1,100 bytes.
inline constexpr std::size_t expanded_bytes_max = 16'384;

// The text to match with, or nothing if a variable has no value or the text would be too long.
std::optional<std::string> expand(const Pattern& pattern, const Context& context);

bool matches(const Pattern& pattern, std::string_view text, const Context& context);

}  // namespace integreat::policy
