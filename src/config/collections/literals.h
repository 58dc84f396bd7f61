// SPDX-License-Identifier: Apache-2.0
// Literals in a manifest: defaults, bounds and examples, which must match the type of their field.
#pragma once

#include <string>
#include <string_view>

#include "config/collections/collection_settings.h"
#include "config/validators/validators.h"

namespace integreat::config {

// Default parameters of the types.
inline constexpr std::int64_t default_text_length = 200;
inline constexpr std::int64_t default_list_items = 50;
inline constexpr std::int64_t default_json_bytes = 16 * 1024;
inline constexpr std::int64_t default_decimal_precision = 18;
inline constexpr std::int64_t default_decimal_scale = 2;
inline constexpr std::string_view default_currency = "PHP";

// Parameters of a field, or their defaults. The precision includes at least the digits after the point.
std::int64_t decimal_scale(const FieldSettings& field);
std::int64_t decimal_precision(const FieldSettings& field);
std::string money_currency(const FieldSettings& field);

// Compares two valid decimals as written, "-12.50" and "3". Returns -1, 0 or 1.
int compare_decimals(std::string_view left, std::string_view right);

// Recognizes an existing date: "2026-11-23" (RFC 3339 section 5.6).
bool is_date(std::string_view text);

// Checks a literal of this field. The error completes "default …".
CheckResult check_literal(const FieldSettings& field, std::string_view text);

// Checks a bound of this field, which is not compared with the other bound.
CheckResult check_bound(const FieldSettings& field, std::string_view text);

// Compiles an RE2 pattern. The error completes "pattern …".
CheckResult check_pattern(std::string_view pattern);

}  // namespace integreat::config
