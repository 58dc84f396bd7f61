// SPDX-License-Identifier: Apache-2.0
// A text of a policy that is compared with a text of the request: wildcards, and policy variables that are
// replaced from the request context ("IAM policy elements: Variables and tags"). The value of a variable is
// plain text, never a wildcard. A pattern with a variable that has neither a value nor a default matches
// nothing; so does one whose key has several values.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "policy/document/context.h"

namespace integreat::policy {

struct Variable {
    std::string key;                           // In lower case.
    std::optional<std::string> default_value;  // ${key, 'default_value'}
};

// Literal text and wildcards, followed by an optional variable.
struct Segment {
    std::string text;
    std::optional<Variable> variable;
};

struct Pattern {
    std::string source;             // As in the document, for messages.
    std::string text;               // The whole pattern if there are no variables.
    std::vector<Segment> segments;  // Empty if there are no variables.
};

struct PatternSyntax {
    bool wildcards = true;
    bool variables = true;     // Version 2012-10-17 only; in 2008-10-17 "${" is plain text.
    bool ignore_case = false;  // Converts the pattern to lower case.
};

// Compiles a pattern. Fault::invalid if a variable is malformed.
Result<Pattern> compile(std::string_view source, const PatternSyntax& syntax);

// Limit of an expanded pattern: the ARN of an S3 object has at most about 1,100 bytes.
inline constexpr std::size_t expanded_bytes_max = 16'384;

// Replaces the variables. Returns nullopt if a variable has no value or the text is too long.
std::optional<std::string> expand(const Pattern& pattern, const Context& context);

bool matches(const Pattern& pattern, std::string_view text, const Context& context);

}  // namespace integreat::policy
