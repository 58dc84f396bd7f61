// SPDX-License-Identifier: Apache-2.0
// A refusal by identity/: what the caller is told, and what `integreat why` tells the operator.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace integreat::identity {

struct Denial {
    int status = 401;
    std::string type;    // The problem's slug, stable: "token-expired".
    std::string title;   // "The token has expired"
    std::string detail;  // For the caller; leaks nothing of other tenants.
    std::string rule;    // For the operator: "exp must be later than now minus clock_skew (30 s)".
    std::vector<std::pair<std::string, std::string>> facts;  // "exp" = "2026-11-22T08:15:00Z".
};

// What the caller sent, fit for a fact: at most 128 bytes, control characters and invalid UTF-8 as '?'.
std::string as_fact(std::string_view sent);

}  // namespace integreat::identity
