// SPDX-License-Identifier: Apache-2.0
// One value of a field on its way in: checked against everything the manifest says of the field, and turned
// into the text that Postgres reads as that very value. Decimals and money never pass through a double.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>
#include <re2/re2.h>

#include "base/result.h"
#include "config/model/model.h"
#include "http/message/problem.h"

namespace integreat::collections {

// All that is wrong with a body, each with its JSON pointer. What is beyond the limit is not collected.
struct Mistakes {
    static constexpr std::size_t most = 50;
    std::vector<http::FieldError> all;

    void add(std::string pointer, std::string detail);
    bool none() const { return all.empty(); }
    bool full() const { return all.size() >= most; }
};

// A field and what is compiled of it once.
struct FieldForm {
    const Field* field = nullptr;
    std::shared_ptr<const re2::RE2> pattern;  // Null: any text.
};

FieldForm form_of(const Field& field);

// The value as Postgres reads it; nothing if there are mistakes, which are added. `value` is not null.
std::optional<std::string> check_value(const FieldForm& form, const boost::json::value& value,
                                       const std::string& pointer, Mistakes& mistakes);

// A value as it stands in a query string, to compare the field with. Money is compared by its minor units, a
// list by one element. The sentence says what it must be: `must be a whole number`.
Result<std::string> check_operand(const Field& field, std::string_view text);

// The type that a parameter of the field is cast to: "numeric", "timestamptz".
std::string_view sql_type(FieldType type);

// ---- Single forms, each with a sentence for its mistakes.

// "0917 123 4567", "(02) 8123-4567", "+1 212 555 0100" → E.164. Without a country: the Philippines.
Result<std::string> normal_phone(std::string_view text);
// With its domain in lower case (RFC 5321 sections 2.3.11 and 4.5.3.1, without quoted local parts).
Result<std::string> normal_email(std::string_view text);
// "2026-11-23", a day that the calendar has, from year 1 on.
Result<std::string> normal_date(std::string_view text);
// RFC 3339 in, the same moment in UTC out.
Result<std::string> normal_timestamp(std::string_view text);
// Canonical form, lower case.
Result<std::string> normal_uuid(std::string_view text);
// Plain digits with a point, without needless zeros: "-12.5".
Result<std::string> normal_decimal(std::string_view text);

// Of two normal decimals: less than, equal to, or greater than 0.
int compare_decimals(std::string_view left, std::string_view right);

// An array in the form of Postgres: `{"a","b c",NULL}`.
std::string array_literal(const std::vector<std::string>& elements);
std::string array_literal(const std::vector<std::optional<std::string>>& elements);

}  // namespace integreat::collections
