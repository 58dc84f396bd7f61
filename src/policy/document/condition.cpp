// SPDX-License-Identifier: Apache-2.0
#include "policy/document/condition.h"

#include <algorithm>
#include <functional>

#include "base/text/closest_match.h"
#include "policy/document/wildcard.h"

namespace integreat::policy {

namespace {

struct Named {
    std::string_view name;
    Family family;
    Relation relation = Relation::equal;
    bool negated = false;
};

constexpr std::array operators{
    Named{"StringEquals", Family::text},
    Named{"StringNotEquals", Family::text, Relation::equal, true},
    Named{"StringEqualsIgnoreCase", Family::text_ignoring_case},
    Named{"StringNotEqualsIgnoreCase", Family::text_ignoring_case, Relation::equal, true},
    Named{"StringLike", Family::text_like},
    Named{"StringNotLike", Family::text_like, Relation::equal, true},
    Named{"NumericEquals", Family::number},
    Named{"NumericNotEquals", Family::number, Relation::equal, true},
    Named{"NumericLessThan", Family::number, Relation::less},
    Named{"NumericLessThanEquals", Family::number, Relation::less_or_equal},
    Named{"NumericGreaterThan", Family::number, Relation::greater},
    Named{"NumericGreaterThanEquals", Family::number, Relation::greater_or_equal},
    Named{"DateEquals", Family::date},
    Named{"DateNotEquals", Family::date, Relation::equal, true},
    Named{"DateLessThan", Family::date, Relation::less},
    Named{"DateLessThanEquals", Family::date, Relation::less_or_equal},
    Named{"DateGreaterThan", Family::date, Relation::greater},
    Named{"DateGreaterThanEquals", Family::date, Relation::greater_or_equal},
    Named{"Bool", Family::boolean},
    Named{"BinaryEquals", Family::binary},
    Named{"IpAddress", Family::address},
    Named{"NotIpAddress", Family::address, Relation::equal, true},
    Named{"ArnEquals", Family::arn},
    Named{"ArnLike", Family::arn},
    Named{"ArnNotEquals", Family::arn, Relation::equal, true},
    Named{"ArnNotLike", Family::arn, Relation::equal, true},
    Named{"Null", Family::null},
};

constexpr std::string_view all_values = "ForAllValues:";
constexpr std::string_view any_value = "ForAnyValue:";
constexpr std::string_view if_exists = "IfExists";

Error wrong_value(std::string_view text, std::string_view wanted) {
    return {Fault::invalid, "\"" + std::string(text) + "\" must be " + std::string(wanted), ""};
}

template <class Value>
Result<Operand> operand_of(std::optional<Value> value, std::string_view text, std::string_view wanted) {
    if (!value) return wrong_value(text, wanted);
    return Operand(std::move(*value));
}

// The parts of an ARN; the sixth takes the colons that are left. Those in a variable separate nothing.
std::optional<std::array<std::string_view, 6>> split_arn(std::string_view text, bool variables) {
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
    auto parts = split_arn(text == "*" ? "*:*:*:*:*:*" : text, variables);
    if (!parts) {
        return wrong_value(text, "an ARN of six parts, arn:partition:service:region:account:resource");
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
    auto parts = split_arn(value, false);
    if (!parts) return false;
    for (std::size_t i = 0; i < parts->size(); ++i)
        if (!matches(pattern.parts[i], (*parts)[i], context)) return false;
    return true;
}

bool boolean_matches(const Operand& operand, std::string_view value, const Context& context) {
    auto actual = parse_boolean(value);
    if (const auto* wanted = std::get_if<bool>(&operand)) return actual == *wanted;
    auto expanded = expand(std::get<Pattern>(operand), context);
    return actual && expanded && parse_boolean(*expanded) == actual;
}

// Does the value satisfy the operator, negation aside, for this alternative?
bool matches_operand(const Operator& op, const Operand& operand, const std::string& value,
                     const Context& context) {
    switch (op.family) {
        case Family::text: {
            auto wanted = expand(std::get<Pattern>(operand), context);
            return wanted && *wanted == value;
        }
        case Family::text_ignoring_case: {
            auto wanted = expand(std::get<Pattern>(operand), context);
            return wanted && lower_case(*wanted) == lower_case(value);
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
    auto known = std::find_if(operators.begin(), operators.end(),
                              [&](const Named& candidate) { return candidate.name == rest; });
    if (known == operators.end()) {
        std::vector<std::string> names;
        for (const auto& candidate : operators)
            names.emplace_back(candidate.name);
        return Error{Fault::invalid, "there is no such condition operator" + did_you_mean(rest, names), ""};
    }
    if (known->family == Family::null && (op.if_exists || op.quantifier != Quantifier::one)) {
        return Error{Fault::invalid, "Null takes neither IfExists nor ForAllValues nor ForAnyValue", ""};
    }
    op.family = known->family;
    op.relation = known->relation;
    op.negated = known->negated;
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
        case Family::number: return operand_of(parse_number(text), text, "a number");
        case Family::date:
            return operand_of(parse_date(text), text, "a date such as 2026-11-22T08:15:00Z or epoch seconds");
        case Family::boolean:
            if (variables && text.find("${") != std::string_view::npos)
                return Operand(TRY(compile(text, {.wildcards = false})));
            return operand_of(parse_boolean(text), text, "true or false");
        case Family::binary: return operand_of(parse_base64(text), text, "base64");
        case Family::address:
            return operand_of(parse_network(text), text, "an IP address or a block such as 203.0.113.0/24");
        case Family::arn: return parse_arn_pattern(text, variables);
        case Family::null: break;
    }
    return operand_of(parse_boolean(text), text, "true (the key is absent) or false");
}

bool holds(const Condition& condition, const Context& context) {
    const auto& op = condition.op;
    const auto* values = find(context, condition.key);
    const auto& operands = condition.operands;
    if (op.family == Family::null) {
        return std::any_of(operands.begin(), operands.end(),
                           [&](const Operand& operand) { return std::get<bool>(operand) == !values; });
    }
    auto fits = [&](const std::string& value) {
        return op.negated != std::any_of(operands.begin(), operands.end(), [&](const Operand& operand) {
                   return matches_operand(op, operand, value, context);
               });
    };
    if (op.quantifier == Quantifier::one) {
        if (!values) return op.negated || op.if_exists;
        if (values->size() > 1 && !op.negated) return false;
        return std::all_of(values->begin(), values->end(), fits);
    }
    // For the set operators, "a null data set, such as an empty string" is as good as an absent key.
    bool empty = !values || std::all_of(values->begin(), values->end(),
                                        [](const std::string& value) { return value.empty(); });
    if (op.quantifier == Quantifier::all_values) {
        return empty || std::all_of(values->begin(), values->end(), fits);
    }
    return !empty && std::any_of(values->begin(), values->end(), fits);
}

}  // namespace integreat::policy
