// SPDX-License-Identifier: Apache-2.0
// What may be kept of a request. A value is replaced by "[redacted]" if its name says that it is a secret or
// personal (password, token, cookie, e-mail, phone, ...) or if it looks like one whatever its name is: a JWT,
// an e-mail address, a phone or card number, a private key, an API key of a known provider.
#pragma once

#include <string>
#include <string_view>

#include "http/message/headers.h"

namespace integreat::gateway {

inline constexpr std::string_view redacted = "[redacted]";

bool sensitive_name(std::string_view name);
bool sensitive_value(std::string_view value);

// Path and query, each value of the query and each segment of the path by itself.
void append_redacted_target(std::string& to, std::string_view target);

// A JSON object of all fields; several of one name are several members.
void append_redacted_headers(std::string& to, const http::Headers& headers);

// A JSON body with its strings and names judged, at most `bytes_max` of it; of anything else its size only.
std::string redact_body(std::string_view body, std::size_t bytes_max);

}  // namespace integreat::gateway
