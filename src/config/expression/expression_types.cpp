// SPDX-License-Identifier: Apache-2.0
#include "config/expression/expression_types.h"

#include <algorithm>
#include <array>

#include "base/text/closest_match.h"
#include "json/document/node.h"

namespace integreat::config {

namespace {

using Kind = Term::Kind;

constexpr std::string_view digits = "0123456789";
constexpr std::string_view name_bytes = "abcdefghijklmnopqrstuvwxyz_0123456789";

std::size_t length_of(std::string_view rest, std::string_view bytes) {
    return std::min(rest.find_first_not_of(bytes), rest.size());
}

// A literal beside money counts as money of the same currency.
void make_alike(Term& left, Term& right) {
    if (left.kind == Kind::money && right.kind == Kind::number && right.literal) {
        right.kind = Kind::money;
        right.currency = left.currency;
    } else if (right.kind == Kind::money && left.kind == Kind::number && left.literal) {
        left.kind = Kind::money;
        left.currency = right.currency;
    }
}

Complaint check_countable(const Term& left, const Term& right) {
    if (left.countable() && right.countable()) return std::nullopt;
    return "needs a number, not " + name_of(left.countable() ? right.kind : left.kind);
}

Complaint check_currencies(const Term& left, const Term& right) {
    bool same = left.currency == right.currency;
    return same ? Complaint() : "mixes " + left.currency + " and " + right.currency;
}

// An enum is never what it has no value for.
Complaint check_choice(const Term& field, const Term& literal) {
    if (!field.choice || !literal.sql.starts_with('\'')) return std::nullopt;
    auto text = literal.sql.substr(1, literal.sql.size() - 2);
    const auto& values = field.choice->values;
    if (std::find(values.begin(), values.end(), text) != values.end()) return std::nullopt;
    return "compares " + field.choice->name + " with " + json::quoted(text) + ", which it cannot be" +
           did_you_mean(text, values);
}

std::string infix(const Term& left, std::string_view sign, const Term& right) {
    return "(" + left.sql + " " + std::string(sign) + " " + right.sql + ")";
}

}  // namespace

Token next_token(std::string_view expression, std::size_t from) {
    while (from < expression.size() && expression[from] == ' ')
        ++from;
    auto rest = expression.substr(from);
    auto cut = [&](Token::Type type, std::size_t length) {
        return Token{type, rest.substr(0, length), from};
    };
    if (rest.empty()) return cut(Token::Type::end, 0);
    if (digits.find(rest[0]) != digits.npos) return cut(Token::Type::number, length_of(rest, "0123456789."));
    if (name_bytes.find(rest[0]) != name_bytes.npos)
        return cut(Token::Type::name, length_of(rest, name_bytes));
    auto quote = rest[0] == '\'' ? rest.find('\'', 1) : rest.npos;
    if (quote != rest.npos) return cut(Token::Type::text, quote + 1);
    for (std::string_view sign : {"<=", ">=", "!=", "<", ">", "=", "+", "-", "*", "/", "(", ")", ","})
        if (rest.starts_with(sign)) return cut(Token::Type::sign, sign.size());
    return cut(Token::Type::unknown, std::min<std::size_t>(rest.size(), 12));
}

std::string name_of(Kind kind) {
    constexpr std::array<std::string_view, 6> names{"a number", "money",       "a text",
                                                    "a date",   "a timestamp", "true or false"};
    return std::string(names[static_cast<std::size_t>(kind)]);
}

Joined added(Term left, Term right, std::string_view sign) {
    if (auto complaint = check_countable(left, right)) return {{}, complaint};
    make_alike(left, right);
    if (left.kind != right.kind) return {{}, "cannot add money and a number"};
    return {{.kind = left.kind,
             .whole = left.whole && right.whole,
             .literal = left.literal && right.literal,
             .currency = left.currency,
             .sql = infix(left, sign, right)},
            check_currencies(left, right)};
}

Joined multiplied(const Term& left, const Term& right) {
    if (auto complaint = check_countable(left, right)) return {{}, complaint};
    bool left_money = left.kind == Kind::money;
    bool right_money = right.kind == Kind::money;
    if (left_money && right_money) return {{}, "cannot multiply money by money"};
    return {{.kind = left_money || right_money ? Kind::money : Kind::number,
             .whole = left.whole && right.whole,
             .literal = left.literal && right.literal,
             .currency = left.currency + right.currency,
             .sql = infix(left, "*", right)},
            std::nullopt};
}

Joined divided(const Term& left, const Term& right) {
    if (auto complaint = check_countable(left, right)) return {{}, complaint};
    bool ratio = left.kind == Kind::money && right.kind == Kind::money;
    if (right.kind == Kind::money && !ratio) return {{}, "cannot divide a number by money"};
    return {{.kind = ratio ? Kind::number : left.kind,
             .whole = false,
             .literal = left.literal && right.literal,
             .currency = ratio ? "" : left.currency,
             .sql = "(" + left.sql + "::numeric / NULLIF(" + right.sql + ", 0))"},
            ratio ? check_currencies(left, right) : std::nullopt};
}

Joined compared(Term left, Term right, std::string_view sign) {
    make_alike(left, right);
    if (left.kind != right.kind)
        return {{}, "cannot compare " + name_of(left.kind) + " with " + name_of(right.kind)};
    if (auto complaint = check_currencies(left, right)) return {{}, complaint};
    if (auto complaint = check_choice(left, right)) return {{}, complaint};
    if (auto complaint = check_choice(right, left)) return {{}, complaint};
    bool ordered = left.kind != Kind::boolean && left.kind != Kind::text;
    if (!ordered && sign != "=" && sign != "!=")
        return {{}, "can say of " + name_of(left.kind) + " only whether it is equal: = or !="};
    return {{.kind = Kind::boolean, .sql = infix(left, sign == "!=" ? "<>" : sign, right)}, std::nullopt};
}

Joined either(const Term& left, const Term& right) {
    Term second = right;
    if (left.kind == Kind::money && right.literal && right.kind == Kind::number) {
        second.kind = Kind::money;
        second.currency = left.currency;
    }
    if (!left.countable()) return {{}, "needs a number, not " + name_of(left.kind)};
    if (second.kind != left.kind)
        return {{}, "needs " + name_of(left.kind) + ", not " + name_of(second.kind)};
    return {{.kind = left.kind,
             .whole = left.whole && second.whole,
             .literal = left.literal && second.literal,
             .currency = left.currency,
             .sql = "coalesce(" + left.sql + ", " + second.sql + ")"},
            check_currencies(left, second)};
}

}  // namespace integreat::config
