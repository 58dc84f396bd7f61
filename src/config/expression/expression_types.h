// SPDX-License-Identifier: Apache-2.0
// The words and values of expressions (expression.h): how a text falls into tokens, and what two values of
// some kinds make together.
#pragma once

#include <string>
#include <string_view>

#include "config/collections/collection_settings.h"
#include "config/validators/validators.h"

namespace integreat::config {

struct Token {
    enum class Type { end, name, number, text, sign, unknown };
    Type type = Type::end;
    std::string_view text;
    std::size_t at = 0;  // In the expression.
};

// The token at or after `from`.
Token next_token(std::string_view expression, std::size_t from);

struct Term {
    enum class Kind { number, money, text, date, timestamp, boolean };

    Kind kind = Kind::number;
    bool whole = true;     // Of a number or money: certainly without fractions.
    bool literal = false;  // Built of literals only, so that it may count as money too.
    std::string currency;  // Of money.
    std::string sql;
    const FieldSettings* choice = nullptr;  // The enum that this text is one of.

    bool countable() const { return kind == Kind::number || kind == Kind::money; }
};

std::string name_of(Term::Kind kind);

// What comes out, or why nothing can.
struct Joined {
    Term term;
    Complaint complaint;
};
Joined added(Term left, Term right, std::string_view sign);  // "+" or "-"
Joined multiplied(const Term& left, const Term& right);
Joined divided(const Term& left, const Term& right);
Joined compared(Term left, Term right, std::string_view sign);  // "=", "!=", "<", "<=", ">", ">="
Joined either(const Term& left, const Term& right);             // coalesce

}  // namespace integreat::config
