// SPDX-License-Identifier: Apache-2.0
// Tokens and type rules of expressions (expression.h).
#pragma once

#include <string>
#include <string_view>

#include "config/collections/collection_settings.h"
#include "config/validators/validators.h"

namespace integreat::config {

struct Token {
    enum class Type { end, name, number, text, symbol, unknown };
    Type type = Type::end;
    std::string_view text;
    std::size_t position = 0;  // Offset in the expression.
};

// Returns the token at or after `from`.
Token next_token(std::string_view expression, std::size_t from);

struct TypedExpression {
    enum class Kind { number, money, text, date, timestamp, boolean };

    Kind kind = Kind::number;
    bool is_whole = true;     // A number or money without fractions.
    bool is_literal = false;  // Contains literals only, so that it can be converted to money.
    std::string currency;     // Currency of money.
    std::string sql;
    const FieldSettings* choice = nullptr;  // The enum field, if the text is its value.

    bool is_numeric() const { return kind == Kind::number || kind == Kind::money; }
};

// Returns "a number", "money", …
std::string kind_name(TypedExpression::Kind kind);

// The resulting expression, or a type error.
struct TypeCheckResult {
    TypedExpression expression;
    CheckResult error;
};
TypeCheckResult add(TypedExpression left, TypedExpression right, std::string_view symbol);  // "+" or "-"
TypeCheckResult multiply(const TypedExpression& left, const TypedExpression& right);
TypeCheckResult divide(const TypedExpression& left, const TypedExpression& right);
TypeCheckResult compare(TypedExpression left, TypedExpression right,
                        std::string_view symbol);  // "=", "!=", "<", "<=", ">", ">="
TypeCheckResult coalesce(const TypedExpression& left, const TypedExpression& right);

}  // namespace integreat::config
