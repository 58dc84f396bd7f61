// SPDX-License-Identifier: Apache-2.0
// Who is asking. Turns the Authorization header into a Principal, or into a Denial that says exactly why not.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/principal.h"

namespace integreat::identity {

// A refusal: what the caller is told, and what `integreat why` tells the operator.
struct Denial {
    int status = 401;
    std::string type;    // The problem's slug, stable: "token-expired".
    std::string title;   // "The token has expired"
    std::string detail;  // For the caller; leaks nothing of other tenants.
    std::string rule;    // For the operator: "exp must be later than now minus clock_skew (30 s)".
    std::vector<std::pair<std::string, std::string>> facts;  // "exp" = "2026-11-22T08:15:00Z".
};

// The answer needs a wait (keys to be fetched, an API key to be looked up): ask again with may_wait.
struct MustWait {};

using Verdict = std::variant<std::shared_ptr<const Principal>, Denial, MustWait>;

// The Firebase projects we accept tokens of, by tenant. Immutable; a new one comes with each reload.
struct Project {
    TenantId tenant;
    std::string project_id;
};
struct Projects {
    std::vector<Project> all;
    std::uint64_t generation = 0;  // Differs between any two that were ever in force.
};

}  // namespace integreat::identity
