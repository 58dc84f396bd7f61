// SPDX-License-Identifier: Apache-2.0
#include "policy/document/condition.h"

#include <algorithm>
#include <functional>

#include "base/text/ascii.h"
#include "base/text/closest_match.h"

namespace integreat::policy {

namespace {

struct OperatorName {
    std::string_view name;
    Family family;
    Relation relation = Relation::equal;
    bool negated = false;
};

constexpr std::array operators{
    OperatorName{"StringEquals", Family::text},
    OperatorName{"StringNotEquals", Family::text, Relation::equal, true},
    OperatorName{"StringEqualsIgnoreCase", Family::text_ignoring_case},
    OperatorName{"StringNotEqualsIgnoreCase", Family::text_ignoring_case, Relation::equal, true},
    OperatorName{"StringLike", Family::text_like},
    OperatorName{"StringNotLike", Family::text_like, Relation::equal, true},
    OperatorName{"NumericEquals", Family::number},
    OperatorName{"NumericNotEquals", Family::number, Relation::equal, true},
    OperatorName{"NumericLessThan", Family::number, Relation::less},
    OperatorName{"NumericLessThanEquals", Family::number, Relation::less_or_equal},
    OperatorName{"NumericGreaterThan", Family::number, Relation::greater},
    OperatorName{"NumericGreaterThanEquals", Family::number, Relation::greater_or_equal},
    OperatorName{"DateEquals", Family::date},
    OperatorName{"DateNotEquals", Family::date, Relation::equal, true},
    OperatorName{"DateLessThan", Family::date, Relation::less},
    OperatorName{"DateLessThanEquals", Family::date, Relation::less_or_equal},
    OperatorName{"DateGreaterThan", Family::date, Relation::greater},
    OperatorName{"DateGreaterThanEquals", Family::date, Relation::greater_or_equal},
    OperatorName{"Bool", Family::boolean},
    OperatorName{"BinaryEquals", Family::binary},
    OperatorName{"IpAddress", Family::address},
    OperatorName{"NotIpAddress", Family::address, Relation::equal, true},
    OperatorName{"ArnEquals", Family::arn},
    OperatorName{"ArnLike", Family::arn},
    OperatorName{"ArnNotEquals", Family::arn, Relation::equal, true},
    OperatorName{"ArnNotLike", Family::arn, Relation::equal, true},
    OperatorName{"Null", Family::null},
};

constexpr std::string_view all_values = "ForAllValues:";
constexpr std::string_view any_value = "ForAnyValue:";
constexpr std::string_view if_exists = "IfExists";

Error invalid_value(std::string_view text, std::string_view expected) {
    return {Fault::invalid, "\"" + std::string(text) + "\" must be " + std::string(expected), ""};
}

template <class Value>
Result<Operand> make_operand(std::optional<Value> value, std::string_view text, std::string_view expected) {
    if (!value) return invalid_value(text, expected);
    return Operand(std::move(*value));
}

// Splits an ARN; the sixth part includes all further colons. Colons in a variable do not separate.
std::optional<std::array<std::string_view, 6>> split_arn_pattern(std::string_view text, bool variables) {
    std::array<std::string_view, 6> parts;
    std::size_t start = 0, at = 0;
    for (std::size_t part = 0; part < 5; ++part) {
        for (; at < text.size() && text[at] != ':'; ++at) {
            if (!variables || text.substr(at, 2) != "${") continue;
            auto end = text.find('}', at);
            if (end == std::string_view::npos) return std::nullopt;
            at = end;
        }
        if (at == text.size()) return std::nullopt;
        parts[part] = text.substr(start, at - start);
        start = ++at;
    }
    parts[5] = text.substr(start);
    return parts;
}

Result<Operand> parse_arn_pattern(std::string_view text, bool variables) {
    auto parts = split_arn_pattern(text == "*" ? "*:*:*:*:*:*" : text, variables);
    if (!parts) {
        return invalid_value(text, "an ARN of six parts, arn:partition:service:region:account:resource");
    }
    ArnPattern pattern;
    for (std::size_t i = 0; i < parts->size(); ++i)
        pattern.parts[i] = TRY(compile((*parts)[i], {.variables = variables}));
    return Operand(std::move(pattern));
}

template <class Value>
bool compare(const Value& left, Relation relation, const Value& right) {
    switch (relation) {
        case Relation::equal: return left == right;
        case Relation::less: return left < right;
        case Relation::less_or_equal: return left <= right;
        case Relation::greater: return left > right;
        case Relation::greater_or_equal: return left >= right;
    }
    return false;
}

bool arn_matches(const ArnPattern& pattern, std::string_view value, const Context& context) {
    auto parts = split_arn_pattern(value, false);
    if (!parts) return false;
    for (std::size_t i = 0; i < parts->size(); ++i)
        if (!matches(pattern.parts[i], (*parts)[i], context)) return false;
    return true;
}

bool boolean_matches(const Operand& operand, std::string_view value, const Context& context) {
    auto actual = parse_boolean(value);
    if (const auto* expected = std::get_if<bool>(&operand)) return actual == *expected;
    auto expanded = expand(std::get<Pattern>(operand), context);
    return actual && expanded && parse_boolean(*expanded) == actual;
}

// Returns whether the value satisfies the operator for this alternative, ignoring negation.
bool matches_operand(const Operator& op, const Operand& operand, const std::string& value,
                     const Context& context) {
    switch (op.family) {
        case Family::text: {
            auto expected = expand(std::get<Pattern>(operand), context);
            return expected && *expected == value;
        }
        case Family::text_ignoring_case: {
            auto expected = expand(std::get<Pattern>(operand), context);
            return expected && iequals(*expected, value);
        }
        case Family::text_like: return matches(std::get<Pattern>(operand), value, context);
        case Family::number: {
            auto number = parse_number(value);
            return number && compare(*number, op.relation, std::get<double>(operand));
        }
        case Family::date: {
            auto date = parse_date(value);
            return date && compare(*date, op.relation, std::get<Time>(operand));
        }
        case Family::boolean: return boolean_matches(operand, value, context);
        case Family::binary: return value == std::get<std::string>(operand);
        case Family::address: {
            auto address = parse_network(value);
            return address && contains(std::get<Network>(operand), *address);
        }
        case Family::arn: return arn_matches(std::get<ArnPattern>(operand), value, context);
        case Family::null: break;
    }
    return false;
}

}  // namespace

Result<Operator> parse_operator(std::string_view name) {
    Operator op;
    auto rest = name;
    if (rest.substr(0, all_values.size()) == all_values) {
        op.quantifier = Quantifier::all_values;
        rest.remove_prefix(all_values.size());
    } else if (rest.substr(0, any_value.size()) == any_value) {
        op.quantifier = Quantifier::any_value;
        rest.remove_prefix(any_value.size());
    }
    if (rest.size() > if_exists.size() && rest.substr(rest.size() - if_exists.size()) == if_exists) {
        op.if_exists = true;
        rest.remove_suffix(if_exists.size());
    }
    auto found = std::find_if(operators.begin(), operators.end(),
                              [&](const OperatorName& candidate) { return candidate.name == rest; });
    if (found == operators.end()) {
        std::vector<std::string> names;
        for (const auto& candidate : operators)
            names.emplace_back(candidate.name);
        return Error{Fault::invalid, "there is no such condition operator" + did_you_mean(rest, names), ""};
    }
    if (found->family == Family::null && (op.if_exists || op.quantifier != Quantifier::one)) {
        return Error{Fault::invalid, "Null takes neither IfExists nor ForAllValues nor ForAnyValue", ""};
    }
    op.family = found->family;
    op.relation = found->relation;
    op.negated = found->negated;
    return op;
}

Result<Operand> parse_operand(const Operator& op, std::string_view text, bool variables) {
    switch (op.family) {
        case Family::text:
        case Family::text_ignoring_case:
        case Family::text_like: {
            bool like = op.family == Family::text_like;
            return Operand(TRY(compile(text, {.wildcards = like, .variables = variables})));
        }
        case Family::number: return make_operand(parse_number(text), text, "a number");
        case Family::date:
            return make_operand(parse_date(text), text,
                                "a date such as 2026-11-22T08:15:00Z or epoch seconds");
        case Family::boolean:
            if (variables && text.find("${") != std::string_view::npos)
                return Operand(TRY(compile(text, {.wildcards = false})));
            return make_operand(parse_boolean(text), text, "true or false");
        case Family::binary: return make_operand(parse_base64(text), text, "base64");
        case Family::address:
            return make_operand(parse_network(text), text, "an IP address or a block such as 203.0.113.0/24");
        case Family::arn: return parse_arn_pattern(text, variables);
        case Family::null: break;
    }
    return make_operand(parse_boolean(text), text, "true (the key is absent) or false");
}

bool holds(const Condition& condition, const Context& context) {
    const auto& op = condition.op;
    const auto* values = find(context, condition.key);
    const auto& operands = condition.operands;
    if (op.family == Family::null) {
        return std::any_of(operands.begin(), operands.end(),
                           [&](const Operand& operand) { return std::get<bool>(operand) == !values; });
    }
    auto satisfies = [&](const std::string& value) {
        return op.negated != std::any_of(operands.begin(), operands.end(), [&](const Operand& operand) {
                   return matches_operand(op, operand, value, context);
               });
    };
    if (op.quantifier == Quantifier::one) {
        if (!values) return op.negated || op.if_exists;
        if (values->size() > 1 && !op.negated) return false;
        return std::all_of(values->begin(), values->end(), satisfies);
    }
    // For the set operators, "a null data set, such as an empty string" equals an absent key.
    bool empty = !values || std::all_of(values->begin(), values->end(),
                                        [](const std::string& value) { return value.empty(); });
    if (op.quantifier == Quantifier::all_values) {
        return empty || std::all_of(values->begin(), values->end(), satisfies);
    }
    return !empty && std::any_of(values->begin(), values->end(), satisfies);
}

}  // namespace integreat::policy
