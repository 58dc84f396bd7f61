// SPDX-License-Identifier: Apache-2.0
// The binary format of COPY for the table transaction_log: its columns, header and trailer. encode_row makes
// the rows.
#pragma once

#include <array>
#include <string_view>

namespace integreat::gateway {

inline constexpr std::array<std::string_view, 29> log_columns{
    "created_at",     "request_id",    "trace_id",        "tenant",       "principal_kind",
    "principal",      "role",          "destination",     "api_version",  "method",
    "route",          "url",           "request_headers", "request_body", "status",
    "response_bytes", "response_body", "duration_us",     "upstream_us",  "error_type",
    "cause",          "decision",      "client_ip",       "country",      "region",
    "city",           "zip",           "latitude",        "longitude"};

// Signature, flags, length of the header extension.
inline constexpr std::string_view copy_header{"PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19};
inline constexpr std::string_view copy_trailer{"\377\377", 2};

}  // namespace integreat::gateway
