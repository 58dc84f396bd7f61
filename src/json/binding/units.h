// SPDX-License-Identifier: Apache-2.0
// Parses and formats durations and sizes: "250ms", "30s", "5m", "12h", "7d"; "512B", "64KiB", "10MiB", "1MB".
// A duration must have a unit: a missing unit is the most common error in configuration.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace integreat::json {

// Parses a duration into milliseconds.
std::optional<std::int64_t> parse_duration(std::string_view text);
std::string format_duration(std::int64_t length_ms);

// Parses a size into bytes; a number without a unit counts bytes.
std::optional<std::int64_t> parse_bytes(std::string_view text);
std::string format_bytes(std::int64_t bytes);

// Parses decimal digits with an optional minus sign. Leading zeros are rejected: other parsers read them as
// octal.
std::optional<std::int64_t> parse_integer(std::string_view text);

}  // namespace integreat::json
