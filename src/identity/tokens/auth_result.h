// SPDX-License-Identifier: Apache-2.0
// The result of authentication: a principal, or a failure with a detail for the caller and a rule for the
// operator.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/principal.h"
#include "http/message/problem_catalogue.h"

namespace integreat::identity {

struct AuthFailure {
    http::ProblemType type = http::ProblemType::token_malformed;
    std::string detail;  // Sentence for the caller; reveals nothing about other tenants.
    std::string
        rule;  // Violated rule for the operator: "exp must be later than now minus clock_skew (30 s)".
    std::vector<std::pair<std::string, std::string>> facts;  // "exp" = "2026-11-22T08:15:00Z".

    // Returns the status of the response: 401, or 503 if callers cannot be authenticated.
    int status() const { return http::problem_definition(type).status; }
};

// Authentication must block (fetch signing keys, read API keys): call again with may_block.
struct WouldBlock {};

// A null principal is an anonymous caller: the request has no Authorization header.
using AuthResult = std::variant<std::shared_ptr<const Principal>, AuthFailure, WouldBlock>;

// Shortens untrusted text to 128 bytes and replaces control characters and invalid UTF-8 with '?'.
std::string sanitize_for_log(std::string_view text);

}  // namespace integreat::identity
