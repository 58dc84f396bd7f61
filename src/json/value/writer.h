// SPDX-License-Identifier: Apache-2.0
// Appends JSON to a string, for log lines and responses of each request, where building a tree first would
// cost more than the rest of the pipeline.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"

namespace integreat::json {

// Appends `text` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD: client input must
// not make a log line unparsable.
void append_json(std::string& to, std::string_view text);

void append_number(std::string& to, std::int64_t number);

// Appends RFC 3339 in UTC with six fractional digits, without quotes: "2026-11-22T08:15:00.123456Z".
void append_time(std::string& to, Time time);

}  // namespace integreat::json
