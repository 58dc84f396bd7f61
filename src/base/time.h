// SPDX-License-Identifier: Apache-2.0
// Wall-clock time (UTC, microseconds) and monotonic time. Both come from a Clock.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"

namespace integreat {

using Time = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;
using Monotonic = std::chrono::steady_clock::time_point;

// Returns seconds since 1970-01-01T00:00:00Z, as in JWTs (RFC 7519 NumericDate) and HTTP APIs.
constexpr std::int64_t unix_seconds(Time time) {
    return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}
constexpr Time from_unix_seconds(std::int64_t seconds) {
    return Time(std::chrono::seconds(seconds));
}

// Formats RFC 3339 in UTC: "2026-11-22T08:15:00.123456Z". Trailing zeros of the fraction are omitted.
std::string format_rfc3339(Time time);
Result<Time> parse_rfc3339(std::string_view text);

// Formats an HTTP date, RFC 9110 section 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT".
std::string format_http_date(Time time);

}  // namespace integreat
