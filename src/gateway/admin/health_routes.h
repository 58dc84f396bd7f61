// SPDX-License-Identifier: Apache-2.0
// The public routes of the platform itself: health, metrics, API documentation, problem types. The routes for
// operators are in admin_routes.h.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "http/routing/route.h"
#include "metrics/registry.h"

namespace integreat::gateway {

// The state of a dependency that requests need: a database, a set of signing keys.
struct ReadinessCheck {
    std::string name;
    bool ready = false;
    std::string state;                        // "connected", "key set of 2026-11-22T08:15:00Z"
    std::optional<std::chrono::seconds> age;  // Age of the state.
};

struct PlatformRoutes {
    metrics::Registry& metrics;
    // Returns the last known state; must not block.
    std::function<std::vector<ReadinessCheck>()> readiness_checks;
    // Checks again if the last known state is old. Returns false, without a check, if that would block and
    // `may_block` is false. Null: the state is always current.
    std::function<bool(bool may_block)> refresh_readiness = nullptr;
};

// Makes /healthz /readyz /metrics /openapi.json /docs /problems /problems/{type}. `parts` outlives the
// routes.
std::vector<http::Route> platform_routes(const PlatformRoutes& parts);

}  // namespace integreat::gateway
