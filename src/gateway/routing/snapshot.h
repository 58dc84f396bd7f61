// SPDX-License-Identifier: Apache-2.0
// Everything that manifests decide, compiled and immutable. A request takes the snapshot in force when it
// arrives and keeps it until it has been answered; a reload publishes another and disturbs nobody. What a
// request would have to look up is resolved here once: metric series, limits, CORS fields, relay targets.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/concurrency/synchronized.h"
#include "base/concurrency/thread_shard.h"
#include "base/result.h"
#include "config/manifest/manifest.h"
#include "config/settings/settings.h"
#include "gateway/routing/cors.h"
#include "gateway/routing/rate_limiter.h"
#include "gateway/routing/schema.h"
#include "gateway/routing/upstream_request.h"
#include "http/routing/router.h"
#include "identity/identity.h"
#include "metrics/registry.h"

namespace integreat::gateway {

struct RouteSeries {
    std::array<metrics::Counter*, 6> by_class{};  // Broken off, 1xx to 5xx.
    metrics::Histogram* duration = nullptr;
};

struct TenantPlan {
    TenantId tenant;
    CorsPlan cors;
    Rate rate;  // Of all its callers together.
};

struct RoutePlan {
    const http::Route* route = nullptr;
    const TenantPlan* tenant = nullptr;
    Rate rate;  // Of each caller.
    TargetTemplate target;
    bool upstream_idempotent = false;      // May be sent again when nobody knows what became of it.
    std::shared_ptr<const Schema> schema;  // Of the body; null: not checked beyond the route's limits.
    RouteSeries series;
};

struct Snapshot {
    std::uint64_t generation = 0;
    http::Router router;
    std::vector<TenantPlan> tenants;  // The platform first, then by name.
    std::vector<RoutePlan> plans;     // Of router.routes(), in the same order.
    RouteSeries unrouted;             // Requests that no route took.
    identity::Projects projects;
    std::vector<config::Manifest> manifests;
    bool behind_proxy = false;

    const RoutePlan& plan_of(const http::Route& route) const {
        return plans[static_cast<std::size_t>(&route - router.routes().data())];
    }
    // The app whose path this is, "/v1/apps/<app>/...", also where no route answers.
    const TenantPlan& tenant_of_path(std::string_view path) const;
};

struct SnapshotParts {
    const config::Settings& settings;
    std::vector<config::Manifest> manifests;
    std::vector<http::Route> platform_routes;  // Those of the apps follow from their manifests.
    std::uint64_t generation = 1;
};

// Fault::invalid naming the route and what is wrong with it. Routes called "<app>.me" get their handler here.
Result<std::shared_ptr<const Snapshot>> compile_snapshot(SnapshotParts parts, metrics::Registry& registry);

// The snapshot in force. Each thread slot has a reference of its own, so that threads do not count on the
// same line of cache.
class Published {
public:
    void publish(const std::shared_ptr<const Snapshot>& snapshot);
    std::shared_ptr<const Snapshot> current();

private:
    struct alignas(64) Slot {
        Guarded<std::shared_ptr<const Snapshot>> snapshot;
    };
    std::array<Slot, thread_slots> slots_;
};

}  // namespace integreat::gateway
