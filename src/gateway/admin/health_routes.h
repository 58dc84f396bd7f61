// SPDX-License-Identifier: Apache-2.0
// The routes that the platform answers for itself: is it well, what can it do, what do its refusals mean.
// Routes for its operators are in admin_routes.h.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "http/routing/route.h"
#include "metrics/registry.h"

namespace integreat::gateway {

// One thing that must work for requests to succeed: a database, a set of signing keys.
struct ReadyCheck {
    std::string name;
    bool ready = false;
    std::string state;                        // "connected", "key set of 2026-11-22T08:15:00Z"
    std::optional<std::chrono::seconds> age;  // Of what is known.
};

struct PlatformRoutes {
    metrics::Registry& metrics;
    // What is known at this moment; must not wait.
    std::function<std::vector<ReadyCheck>()> ready_checks;
};

// /healthz /readyz /metrics /openapi.json /docs /problems /problems/{type}. `parts` outlives the routes.
std::vector<http::Route> platform_routes(const PlatformRoutes& parts);

}  // namespace integreat::gateway
