// SPDX-License-Identifier: Apache-2.0
// Values that a manifest writes down itself: defaults, bounds and examples, each as its field's type wants.
#pragma once

#include <string_view>

#include "config/collections/collection_settings.h"
#include "config/validators/validators.h"

namespace integreat::config {

// What stands behind the type's name when the manifest leaves it out.
inline constexpr std::int64_t text_length_default = 200;
inline constexpr std::int64_t list_items_default = 50;
inline constexpr std::int64_t json_bytes_default = 16 * 1024;
inline constexpr std::int64_t decimal_digits_default = 18;
inline constexpr std::int64_t decimal_scale_default = 2;
inline constexpr std::string_view currency_default = "PHP";

// -1, 0 or 1: the order of two decimals as written, "-12.50" and "3". Both are sound.
int compare_decimals(std::string_view left, std::string_view right);

// "2026-11-23" of a day that exists (RFC 3339 section 5.6).
bool is_date(std::string_view text);

// A complaint that completes "default must be …", for a literal of this field.
Complaint check_literal(const FieldSettings& field, std::string_view text);

// The same without the field's own bounds, for the bounds themselves.
Complaint check_bound(const FieldSettings& field, std::string_view text);

// RE2's opinion of a pattern: completes "pattern …".
Complaint check_pattern(std::string_view pattern);

}  // namespace integreat::config
