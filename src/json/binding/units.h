// SPDX-License-Identifier: Apache-2.0
// Durations and sizes as people write them: "250ms", "30s", "5m", "12h", "7d"; "512B", "64KiB", "10MiB",
// "1MB". A duration needs its unit, because thirty of what is the commonest mistake in configuration.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace integreat::json {

// In milliseconds.
std::optional<std::int64_t> parse_duration(std::string_view text);
std::string format_duration(std::int64_t length_ms);

// In bytes; a number without a unit counts bytes.
std::optional<std::int64_t> parse_bytes(std::string_view text);
std::string format_bytes(std::int64_t bytes);

// Decimal digits, with a minus sign at most; no leading zeros, which other readers take for octal.
std::optional<std::int64_t> parse_integer(std::string_view text);

}  // namespace integreat::json
