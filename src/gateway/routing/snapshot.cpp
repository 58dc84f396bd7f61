// SPDX-License-Identifier: Apache-2.0
#include "gateway/routing/snapshot.h"

#include <algorithm>

namespace integreat::gateway {

namespace {

constexpr std::string_view apps_prefix = "/v1/apps/";

bool same_limit(const http::RateLimit& left, const config::LimitSettings& right) {
    return left.requests == right.requests && left.window == right.window && left.burst == right.burst;
}

http::RateLimit to_rate_limit(const config::LimitSettings& settings) {
    return {.requests = settings.requests, .window = settings.window, .burst = settings.burst};
}

RouteSeries make_series(metrics::Registry& registry, const std::string& tenant, const std::string& route) {
    static constexpr std::array classes{"broken", "1xx", "2xx", "3xx", "4xx", "5xx"};
    RouteSeries series;
    for (std::size_t i = 0; i < classes.size(); ++i) {
        series.by_class[i] =
            &registry.counter("integreat_requests_total", "Requests by route and status class.",
                              {{"tenant", tenant}, {"route", route}, {"status", classes[i]}});
    }
    series.duration =
        &registry.histogram("integreat_request_duration_seconds",
                            "Time from the last byte of the request head to the last byte of the response.",
                            {{"tenant", tenant}, {"route", route}});
    return series;
}

const config::Manifest* find_manifest(const Snapshot& snapshot, const TenantId& tenant) {
    auto found = std::find_if(snapshot.manifests.begin(), snapshot.manifests.end(),
                              [&](const auto& manifest) { return manifest.app == tenant; });
    return found == snapshot.manifests.end() ? nullptr : &*found;
}

void add_tenants(Snapshot& snapshot, const std::string& operators_project) {
    std::sort(snapshot.manifests.begin(), snapshot.manifests.end(),
              [](const auto& left, const auto& right) { return left.app < right.app; });
    snapshot.tenants.push_back({.tenant = platform_tenant});
    if (!operators_project.empty()) snapshot.projects.all.push_back({platform_tenant, operators_project});
    for (const auto& manifest : snapshot.manifests) {
        CompiledTenant tenant{.tenant = manifest.app, .cors = compile_cors(manifest.cors)};
        tenant.rate_limit =
            compile_rate_limit(to_rate_limit(manifest.tenant_limit), "tenant " + manifest.app.text);
        snapshot.tenants.push_back(std::move(tenant));
        snapshot.projects.all.push_back({manifest.app, manifest.firebase_project});
    }
    snapshot.projects.generation = snapshot.generation;
}

const CompiledTenant* find_app(const Snapshot& snapshot, std::string_view app) {
    auto first = snapshot.tenants.begin() + 1;
    auto found =
        std::lower_bound(first, snapshot.tenants.end(), app,
                         [](const auto& tenant, std::string_view name) { return tenant.tenant.text < name; });
    return found != snapshot.tenants.end() && found->tenant.text == app ? &*found : nullptr;
}

// Routes without a limit of their own share the app's bucket.
CompiledRateLimit make_rate_limit(const http::Route& route, const config::Manifest* manifest) {
    bool shared = manifest && same_limit(route.limit, manifest->limit);
    return compile_rate_limit(route.limit, shared ? manifest->app.text : route.name);
}

CompiledRateLimit make_record_limit(const http::Route& route, const config::Manifest* manifest) {
    constexpr std::uint32_t records_per_request = 100;
    if (!route.counts_records || !manifest) return {};
    const auto& limit = manifest->limit;
    auto records = manifest->max_records_per_window.value_or(limit.requests * records_per_request);
    return compile_rate_limit({.requests = records, .window = limit.window, .burst = records},
                              manifest->app.text + " records");
}

bool is_upstream_idempotent(const http::Route& route, const config::Manifest* manifest) {
    if (!route.upstream || !manifest) return false;
    return std::any_of(manifest->upstreams.begin(), manifest->upstreams.end(), [&](const auto& upstream) {
        return upstream.idempotent && upstream.name == route.upstream->name;
    });
}

Result<CompiledRoute> compile_route(const Snapshot& snapshot, const http::Route& route,
                                    metrics::Registry& registry) {
    bool platform = route.tenant == platform_tenant;
    const auto* tenant = platform ? &snapshot.tenants.front() : find_app(snapshot, route.tenant.text);
    if (!tenant) {
        return Error{Fault::invalid, "route " + route.name + ": there is no app " + route.tenant.text, ""};
    }
    if (!route.handler == !route.upstream) {
        return Error{Fault::invalid, "route " + route.name + ": needs either a handler or an upstream", ""};
    }
    const auto* manifest = find_manifest(snapshot, route.tenant);
    CompiledRoute compiled{.route = &route, .tenant = tenant, .rate_limit = make_rate_limit(route, manifest)};
    if (route.upstream) compiled.target = TRY(compile_target(route));
    compiled.record_limit = make_record_limit(route, manifest);
    compiled.upstream_idempotent = is_upstream_idempotent(route, manifest);
    compiled.series = make_series(registry, route.tenant.text, route.name);
    return compiled;
}

}  // namespace

const CompiledTenant& Snapshot::find_tenant(std::string_view path) const {
    if (!path.starts_with(apps_prefix)) return tenants.front();
    path.remove_prefix(apps_prefix.size());
    const auto* app = find_app(*this, path.substr(0, path.find('/')));
    return app ? *app : tenants.front();
}

Result<std::shared_ptr<const Snapshot>> compile_snapshot(SnapshotParts parts, metrics::Registry& registry) {
    auto router = TRY(http::Router::build(std::move(parts.routes)));
    auto snapshot =
        std::make_shared<Snapshot>(Snapshot{.generation = parts.generation,
                                            .router = std::move(router),
                                            .manifests = std::move(parts.manifests),
                                            .problem_base_url = parts.settings.http.problem_base_url,
                                            .behind_proxy = !parts.settings.listen.trusted_proxies.empty()});
    add_tenants(*snapshot, parts.settings.identity.operators_project);
    snapshot->compiled_routes.reserve(snapshot->router.routes().size());
    for (const auto& route : snapshot->router.routes()) {
        snapshot->compiled_routes.push_back(TRY(compile_route(*snapshot, route, registry)));
    }
    auto unrouted = parts.settings.http.unrouted_requests;
    snapshot->unrouted_limit =
        compile_rate_limit({.requests = unrouted, .burst = std::max(unrouted / 4, 1u)}, "unrouted");
    snapshot->unrouted = make_series(registry, platform_tenant.text, "none");
    return std::shared_ptr<const Snapshot>(std::move(snapshot));
}

void SnapshotHolder::publish(const std::shared_ptr<const Snapshot>& snapshot) {
    for (auto& shard : shards_) {
        // A reference count of its own per shard, which keeps the common one alive.
        std::shared_ptr<const Snapshot> own(snapshot.get(), [snapshot](const Snapshot*) {});
        shard.snapshot.lock()->swap(own);
    }
}

std::shared_ptr<const Snapshot> SnapshotHolder::current() {
    auto snapshot = *shards_[thread_shard()].snapshot.lock();
    ASSERT(snapshot);
    return snapshot;
}

}  // namespace integreat::gateway
