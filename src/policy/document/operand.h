// SPDX-License-Identifier: Apache-2.0
// The typed values of condition operators: numbers, times, network addresses, bytes in base64, booleans.
// Policies and request contexts both represent them as text.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace integreat::policy {

// Parses "10", "-1.5", "1e3".
std::optional<double> parse_number(std::string_view text);

// Parses the formats of the W3C note on ISO 8601 ("2026", "2026-11", "2026-11-22", "2026-11-22T08:15Z",
// "2026-11-22T08:15:00.5+01:00") or Unix seconds; four digits are a year.
std::optional<Time> parse_date(std::string_view text);

// Parses "true" and "false", in any case.
std::optional<bool> parse_boolean(std::string_view text);

// Decodes RFC 4648 section 4, with padding.
std::optional<std::string> parse_base64(std::string_view text);

// A CIDR block; a single address is a block of full prefix length. IPv4-mapped IPv6 addresses become IPv4.
struct Network {
    std::array<std::uint8_t, 16> address{};
    int bits = 32;  // 128 for IPv6.
    int prefix = 32;
};

// Parses "203.0.113.0/24", "2001:db8::/32", "203.0.113.7".
std::optional<Network> parse_network(std::string_view text);

bool contains(const Network& network, const Network& address);

}  // namespace integreat::policy
