// SPDX-License-Identifier: Apache-2.0
// Problem details (RFC 9457): every error we answer over HTTP is one of these.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/message/message.h"

namespace integreat::http {

// One mistake in the body: where, as a JSON pointer fragment (RFC 6901 section 6), and what.
struct FieldError {
    std::string pointer;  // "#/recipient/0"
    std::string detail;   // "must be an e-mail address"
};

struct Problem {
    int status = 500;
    std::string type;    // A stable slug: "token-expired". Rendered as "/problems/token-expired".
    std::string title;   // The same for each occurrence: "The token has expired".
    std::string detail;  // What to change, for this occurrence.
    std::vector<FieldError> errors;
    std::optional<std::chrono::seconds> retry_after;
    Headers headers;  // Of the response: Allow, WWW-Authenticate, RateLimit.
};

// What a Fault becomes when a handler returns it without a more exact type.
Problem problem_from(const Error& error);

// application/problem+json with `type`, `title`, `status`, `detail`, `request_id` and `errors`.
Reply to_reply(const Problem& problem, const std::string& request_id);

}  // namespace integreat::http
