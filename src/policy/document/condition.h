// SPDX-License-Identifier: Apache-2.0
// One condition of a statement: an operator, a context key and the values it is compared with ("Condition
// operators" and "Conditions with multiple context keys or values" of the IAM user guide). Values are parsed
// once, with the document. The rules that surprise: several values of the policy are alternatives, of a
// negated operator all must differ; a key that is absent fails, but satisfies a negated operator, IfExists
// and ForAllValues; ForAnyValue needs the key even with IfExists; without ForAllValues or ForAnyValue a key
// with several values satisfies no operator that is not negated.
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

// "ForAnyValue:StringLikeIfExists"; Fault::invalid with what was probably meant.
Result<Operator> parse_operator(std::string_view name);

// The six parts of an ARN, each matched by itself so that a wildcard or a variable cannot cross a colon.
struct ArnPattern {
    std::array<Pattern, 6> parts;
};

// Null, and Bool without a variable, hold a bool; Bool with one a Pattern.
using Operand = std::variant<Pattern, ArnPattern, double, Time, Network, std::string, bool>;

Result<Operand> parse_operand(const Operator& op, std::string_view text, bool variables);

struct Condition {
    std::string operator_name;  // As the document has it.
    std::string key_name;
    Operator op;
    std::string key;  // In lower case.
    std::vector<Operand> operands;
    std::vector<std::string> operand_texts;  // As the document has them, for sentences.
};

bool holds(const Condition& condition, const Context& context);

}  // namespace integreat::policy
