// SPDX-License-Identifier: Apache-2.0
// Redacts requests for logs. A value is replaced by "[redacted]" if its name indicates a secret or personal
// data (password, token, cookie, e-mail, phone, ...), or if its form does, whatever its name is: a JWT, an
// e-mail address, a phone or card number, a private key, an API key of a known provider.
#pragma once

#include <string>
#include <string_view>

#include "http/message/headers.h"

namespace integreat::gateway {

inline constexpr std::string_view redacted = "[redacted]";

bool is_sensitive_name(std::string_view name);
bool is_sensitive_value(std::string_view value);

// Appends path and query; each segment of the path and each value of the query is redacted on its own.
void append_redacted_target(std::string& out, std::string_view target);

// Appends a JSON object of all headers; repeated names are repeated members.
void append_redacted_headers(std::string& out, const http::Headers& headers);

// Returns a JSON body with sensitive members redacted, truncated to `max_bytes`; only the size of any other
// body.
std::string redact_body(std::string_view body, std::size_t max_bytes);

}  // namespace integreat::gateway
