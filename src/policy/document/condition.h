// SPDX-License-Identifier: Apache-2.0
// A condition of a statement: an operator, a context key and the values to compare with ("Condition
// operators" and "Conditions with multiple context keys or values" of the IAM user guide). Values are parsed
// once, with the document. Notable rules: several values of the policy are alternatives; for a negated
// operator all must differ; an absent key fails, but satisfies a negated operator, IfExists and ForAllValues;
// ForAnyValue requires the key even with IfExists; without ForAllValues or ForAnyValue, a key with several
// values satisfies negated operators only.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "policy/document/context.h"
#include "policy/document/operand.h"
#include "policy/document/pattern.h"

namespace integreat::policy {

enum class Family { text, text_ignoring_case, text_like, number, date, boolean, binary, address, arn, null };
enum class Relation { equal, less, less_or_equal, greater, greater_or_equal };
enum class Quantifier { one, all_values, any_value };

struct Operator {
    Family family = Family::text;
    Relation relation = Relation::equal;
    bool negated = false;
    Quantifier quantifier = Quantifier::one;
    bool if_exists = false;
};

// Parses "ForAnyValue:StringLikeIfExists". Fault::invalid with a suggestion.
Result<Operator> parse_operator(std::string_view name);

// The six parts of an ARN, matched separately so that a wildcard or a variable cannot cross a colon.
struct ArnPattern {
    std::array<Pattern, 6> parts;
};

// bool for Null and for Bool without a variable; Pattern for Bool with one.
using Operand = std::variant<Pattern, ArnPattern, double, Time, Network, std::string, bool>;

Result<Operand> parse_operand(const Operator& op, std::string_view text, bool variables);

struct Condition {
    std::string operator_name;  // As in the document.
    std::string key_name;
    Operator op;
    std::string key;  // In lower case.
    std::vector<Operand> operands;
    std::vector<std::string> operand_texts;  // As in the document, for messages.
};

// Returns whether the request context satisfies the condition.
bool holds(const Condition& condition, const Context& context);

}  // namespace integreat::policy
