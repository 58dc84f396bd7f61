// SPDX-License-Identifier: Apache-2.0
#include "config/expression/expression_types.h"

#include <algorithm>
#include <array>

#include "base/text/closest_match.h"
#include "json/document/node.h"

namespace integreat::config {

namespace {

using Kind = TypedExpression::Kind;

constexpr std::string_view digits = "0123456789";
constexpr std::string_view name_bytes = "abcdefghijklmnopqrstuvwxyz_0123456789";

std::size_t span_length(std::string_view rest, std::string_view bytes) {
    return std::min(rest.find_first_not_of(bytes), rest.size());
}

// Converts a literal to money if the other operand is money.
void convert_literals(TypedExpression& left, TypedExpression& right) {
    if (left.kind == Kind::money && right.kind == Kind::number && right.is_literal) {
        right.kind = Kind::money;
        right.currency = left.currency;
    } else if (right.kind == Kind::money && left.kind == Kind::number && left.is_literal) {
        left.kind = Kind::money;
        left.currency = right.currency;
    }
}

CheckResult check_numeric(const TypedExpression& left, const TypedExpression& right) {
    if (left.is_numeric() && right.is_numeric()) return std::nullopt;
    return "needs a number, not " + kind_name(left.is_numeric() ? right.kind : left.kind);
}

CheckResult check_currencies(const TypedExpression& left, const TypedExpression& right) {
    bool same = left.currency == right.currency;
    return same ? CheckResult() : "mixes " + left.currency + " and " + right.currency;
}

// Checks that an enum is compared with one of its values.
CheckResult check_choice(const TypedExpression& field, const TypedExpression& literal) {
    if (!field.choice || !literal.sql.starts_with('\'')) return std::nullopt;
    auto text = literal.sql.substr(1, literal.sql.size() - 2);
    const auto& values = field.choice->values;
    if (std::find(values.begin(), values.end(), text) != values.end()) return std::nullopt;
    return "compares " + field.choice->name + " with " + json::quoted(text) +
           ", which is not one of its values" + did_you_mean(text, values);
}

std::string infix(const TypedExpression& left, std::string_view symbol, const TypedExpression& right) {
    return "(" + left.sql + " " + std::string(symbol) + " " + right.sql + ")";
}

}  // namespace

Token next_token(std::string_view expression, std::size_t from) {
    while (from < expression.size() && expression[from] == ' ')
        ++from;
    auto rest = expression.substr(from);
    auto make_token = [&](Token::Type type, std::size_t length) {
        return Token{type, rest.substr(0, length), from};
    };
    if (rest.empty()) return make_token(Token::Type::end, 0);
    if (digits.find(rest[0]) != digits.npos)
        return make_token(Token::Type::number, span_length(rest, "0123456789."));
    if (name_bytes.find(rest[0]) != name_bytes.npos)
        return make_token(Token::Type::name, span_length(rest, name_bytes));
    auto quote = rest[0] == '\'' ? rest.find('\'', 1) : rest.npos;
    if (quote != rest.npos) return make_token(Token::Type::text, quote + 1);
    for (std::string_view symbol : {"<=", ">=", "!=", "<", ">", "=", "+", "-", "*", "/", "(", ")", ","})
        if (rest.starts_with(symbol)) return make_token(Token::Type::symbol, symbol.size());
    return make_token(Token::Type::unknown, std::min<std::size_t>(rest.size(), 12));
}

std::string kind_name(Kind kind) {
    constexpr std::array<std::string_view, 6> names{"a number", "money",       "a text",
                                                    "a date",   "a timestamp", "true or false"};
    return std::string(names[static_cast<std::size_t>(kind)]);
}

TypeCheckResult add(TypedExpression left, TypedExpression right, std::string_view symbol) {
    if (auto error = check_numeric(left, right)) return {{}, error};
    convert_literals(left, right);
    if (left.kind != right.kind) return {{}, "cannot add money and a number"};
    return {{.kind = left.kind,
             .is_whole = left.is_whole && right.is_whole,
             .is_literal = left.is_literal && right.is_literal,
             .currency = left.currency,
             .sql = infix(left, symbol, right)},
            check_currencies(left, right)};
}

TypeCheckResult multiply(const TypedExpression& left, const TypedExpression& right) {
    if (auto error = check_numeric(left, right)) return {{}, error};
    bool left_money = left.kind == Kind::money;
    bool right_money = right.kind == Kind::money;
    if (left_money && right_money) return {{}, "cannot multiply money by money"};
    return {{.kind = left_money || right_money ? Kind::money : Kind::number,
             .is_whole = left.is_whole && right.is_whole,
             .is_literal = left.is_literal && right.is_literal,
             .currency = left.currency + right.currency,
             .sql = infix(left, "*", right)},
            std::nullopt};
}

TypeCheckResult divide(const TypedExpression& left, const TypedExpression& right) {
    if (auto error = check_numeric(left, right)) return {{}, error};
    bool ratio = left.kind == Kind::money && right.kind == Kind::money;
    if (right.kind == Kind::money && !ratio) return {{}, "cannot divide a number by money"};
    return {{.kind = ratio ? Kind::number : left.kind,
             .is_whole = false,
             .is_literal = left.is_literal && right.is_literal,
             .currency = ratio ? "" : left.currency,
             .sql = "(" + left.sql + "::numeric / NULLIF(" + right.sql + ", 0))"},
            ratio ? check_currencies(left, right) : std::nullopt};
}

TypeCheckResult compare(TypedExpression left, TypedExpression right, std::string_view symbol) {
    convert_literals(left, right);
    if (left.kind != right.kind)
        return {{}, "cannot compare " + kind_name(left.kind) + " with " + kind_name(right.kind)};
    if (auto error = check_currencies(left, right)) return {{}, error};
    if (auto error = check_choice(left, right)) return {{}, error};
    if (auto error = check_choice(right, left)) return {{}, error};
    bool ordered = left.kind != Kind::boolean && left.kind != Kind::text;
    if (!ordered && symbol != "=" && symbol != "!=")
        return {{}, "can compare " + kind_name(left.kind) + " only with = or !="};
    return {{.kind = Kind::boolean, .sql = infix(left, symbol == "!=" ? "<>" : symbol, right)}, std::nullopt};
}

TypeCheckResult coalesce(const TypedExpression& left, const TypedExpression& right) {
    TypedExpression second = right;
    if (left.kind == Kind::money && right.is_literal && right.kind == Kind::number) {
        second.kind = Kind::money;
        second.currency = left.currency;
    }
    if (!left.is_numeric()) return {{}, "needs a number, not " + kind_name(left.kind)};
    if (second.kind != left.kind)
        return {{}, "needs " + kind_name(left.kind) + ", not " + kind_name(second.kind)};
    return {{.kind = left.kind,
             .is_whole = left.is_whole && second.is_whole,
             .is_literal = left.is_literal && second.is_literal,
             .currency = left.currency,
             .sql = "coalesce(" + left.sql + ", " + second.sql + ")"},
            check_currencies(left, second)};
}

}  // namespace integreat::config
