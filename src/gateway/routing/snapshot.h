// SPDX-License-Identifier: Apache-2.0
// The compiled, immutable form of all manifests. A request takes the current snapshot when it arrives and
// keeps it until it is finished; a reload publishes another one. Everything a request would have to look up
// is resolved here once: metric series, limits, CORS headers, upstream targets.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/concurrency/synchronized.h"
#include "base/concurrency/thread_shard.h"
#include "base/result.h"
#include "config/manifest/manifest.h"
#include "config/settings/settings.h"
#include "gateway/routing/cors.h"
#include "gateway/routing/rate_limiter.h"
#include "gateway/routing/upstream_request.h"
#include "http/routing/request_context.h"
#include "http/routing/router.h"
#include "identity/identity.h"
#include "metrics/registry.h"

namespace integreat::gateway {

struct RouteSeries {
    std::array<metrics::Counter*, 6> by_class{};  // Connection lost, 1xx to 5xx.
    metrics::Histogram* duration = nullptr;
};

struct CompiledTenant {
    TenantId tenant;
    CompiledCors cors;
    CompiledRateLimit rate_limit;  // Shared by all callers of the tenant.
};

struct CompiledRoute {
    const http::Route* route = nullptr;
    const CompiledTenant* tenant = nullptr;
    CompiledRateLimit rate_limit;  // Per caller.
    CompiledRateLimit
        record_limit;  // Per caller, of records in lists and imports; shared by the app's routes.
    TargetTemplate target;
    bool upstream_idempotent = false;  // The upstream honours Idempotency-Key, so a request may be repeated.
    RouteSeries series;
};

struct Snapshot {
    std::uint64_t generation = 0;
    http::Router router;
    std::vector<CompiledTenant> tenants;         // The platform first, then by name.
    std::vector<CompiledRoute> compiled_routes;  // One per route of router.routes(), in the same order.
    RouteSeries unrouted;                        // For requests without a matching route.
    CompiledRateLimit unrouted_limit;            // Per address, of those and of requests without credentials.
    identity::Projects projects;
    std::vector<config::Manifest> manifests;
    std::string problem_base_url;
    bool behind_proxy = false;

    const CompiledRoute& compiled(const http::Route& route) const {
        return compiled_routes[static_cast<std::size_t>(&route - router.routes().data())];
    }
    // Finds the app of a path "/v1/apps/<app>/...", also without a matching route; else the platform.
    const CompiledTenant& find_tenant(std::string_view path) const;
};

// Returns the snapshot that the request keeps; to be called on admitted requests only.
inline const Snapshot& current_snapshot(const http::RequestContext& context) {
    const auto* snapshot = context.attachments.find<const Snapshot>();
    ASSERT(snapshot);
    return *snapshot;
}

struct SnapshotParts {
    const config::Settings& settings;
    std::vector<config::Manifest> manifests;
    std::vector<http::Route> routes;  // Complete: each has a handler or an upstream.
    std::uint64_t generation = 1;
};

// Fault::invalid names the invalid route and the reason.
Result<std::shared_ptr<const Snapshot>> compile_snapshot(SnapshotParts parts, metrics::Registry& registry);

// The current snapshot. Each thread shard has a reference of its own, so that threads do not contend for one
// reference count.
class SnapshotHolder {
public:
    void publish(const std::shared_ptr<const Snapshot>& snapshot);
    std::shared_ptr<const Snapshot> current();

private:
    struct alignas(64) Shard {
        Synchronized<std::shared_ptr<const Snapshot>> snapshot;
    };
    std::array<Shard, thread_shards> shards_;
};

}  // namespace integreat::gateway
