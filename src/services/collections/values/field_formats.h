// SPDX-License-Identifier: Apache-2.0
// Formats of field values: normalization of single values, and Postgres types and array literals. Each
// normalize function fails with a sentence that states the requirement.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "services/collections/model.h"

namespace integreat::collections {

inline Error invalid(std::string message) {
    return {Fault::invalid, std::move(message), ""};
}

// Converts "0917 123 4567", "(02) 8123-4567" or "+1 212 555 0100" to E.164. A number without a country code
// is Philippine.
Result<std::string> normalize_phone(std::string_view text);

// Lowercases the domain (RFC 5321 sections 2.3.11 and 4.5.3.1, without quoted local parts).
Result<std::string> normalize_email(std::string_view text);

// Accepts "2026-11-23": an existing calendar day from year 1 on.
Result<std::string> normalize_date(std::string_view text);

// Converts an RFC 3339 timestamp to UTC.
Result<std::string> normalize_timestamp(std::string_view text);

// Returns the canonical form in lower case.
Result<std::string> normalize_uuid(std::string_view text);

// Returns plain digits with a point, without leading or trailing zeros: "-12.5".
Result<std::string> normalize_decimal(std::string_view text);

// Returns a Postgres array literal: `{"a","b c",NULL}`.
std::string to_array_literal(const std::vector<std::string>& elements);
std::string to_array_literal(const std::vector<std::optional<std::string>>& elements);

// Returns the type that a query parameter of the field is cast to: "numeric", "timestamptz".
std::string_view sql_type(FieldType type);

}  // namespace integreat::collections
