// SPDX-License-Identifier: Apache-2.0
#include "gateway/routing/snapshot.h"

#include <algorithm>

#include "config/manifest/routes.h"
#include "gateway/admin/whoami.h"
#include "gateway/docs/openapi.h"

namespace integreat::gateway {

namespace {

constexpr std::string_view apps_prefix = "/v1/apps/";

bool same_limit(const http::RateLimit& left, const config::LimitSettings& right) {
    return left.requests == right.requests && left.window == right.window && left.burst == right.burst;
}

http::RateLimit limit_from(const config::LimitSettings& settings) {
    return {.requests = settings.requests, .window = settings.window, .burst = settings.burst};
}

RouteSeries series_of(metrics::Registry& registry, const std::string& tenant, const std::string& route) {
    static constexpr std::array classes{"broken", "1xx", "2xx", "3xx", "4xx", "5xx"};
    RouteSeries series;
    for (std::size_t i = 0; i < classes.size(); ++i) {
        series.by_class[i] =
            &registry.counter("integreat_requests_total", "Requests by route and class of status.",
                              {{"tenant", tenant}, {"route", route}, {"status", classes[i]}});
    }
    series.duration = &registry.histogram("integreat_request_duration_seconds",
                                          "From the last byte of the head to the last byte of the answer.",
                                          {{"tenant", tenant}, {"route", route}});
    return series;
}

const config::Manifest* manifest_of(const Snapshot& snapshot, const TenantId& tenant) {
    auto found = std::find_if(snapshot.manifests.begin(), snapshot.manifests.end(),
                              [&](const auto& manifest) { return manifest.app == tenant; });
    return found == snapshot.manifests.end() ? nullptr : &*found;
}

void add_tenants(Snapshot& snapshot, const std::string& operators_project) {
    std::sort(snapshot.manifests.begin(), snapshot.manifests.end(),
              [](const auto& left, const auto& right) { return left.app < right.app; });
    snapshot.tenants.push_back({.tenant = platform_tenant});
    snapshot.projects.all.push_back({platform_tenant, operators_project});
    for (const auto& manifest : snapshot.manifests) {
        TenantPlan plan{.tenant = manifest.app, .cors = compile_cors(manifest.cors)};
        plan.rate = compile_rate(limit_from(manifest.tenant_limit), "tenant " + manifest.app.text);
        snapshot.tenants.push_back(std::move(plan));
        snapshot.projects.all.push_back({manifest.app, manifest.firebase_project});
    }
    snapshot.projects.generation = snapshot.generation;
}

const TenantPlan* find_tenant(const Snapshot& snapshot, std::string_view tenant) {
    auto first = snapshot.tenants.begin() + 1;
    auto found =
        std::lower_bound(first, snapshot.tenants.end(), tenant,
                         [](const auto& plan, std::string_view name) { return plan.tenant.text < name; });
    return found != snapshot.tenants.end() && found->tenant.text == tenant ? &*found : nullptr;
}

// Routes without a limit of their own share the app's bucket.
Rate rate_of(const http::Route& route, const config::Manifest* manifest) {
    bool shared = manifest && same_limit(route.limit, manifest->limit);
    return compile_rate(route.limit, shared ? manifest->app.text : route.name);
}

bool honours_keys(const http::Route& route, const config::Manifest* manifest) {
    if (!route.upstream || !manifest) return false;
    return std::any_of(manifest->upstreams.begin(), manifest->upstreams.end(), [&](const auto& upstream) {
        return upstream.idempotent && upstream.name == route.upstream->name;
    });
}

Result<RoutePlan> compile_plan(const Snapshot& snapshot, const http::Route& route,
                               metrics::Registry& registry) {
    bool platform = route.tenant == platform_tenant;
    const auto* tenant = platform ? &snapshot.tenants.front() : find_tenant(snapshot, route.tenant.text);
    if (!tenant) {
        return Error{Fault::invalid, "route " + route.name + ": there is no app " + route.tenant.text, ""};
    }
    if (!route.handler == !route.upstream) {
        return Error{Fault::invalid, "route " + route.name + ": needs a handler or an upstream, and not both",
                     ""};
    }
    const auto* manifest = manifest_of(snapshot, route.tenant);
    RoutePlan plan{.route = &route, .tenant = tenant, .rate = rate_of(route, manifest)};
    if (route.upstream) plan.target = TRY(compile_target(route));
    plan.upstream_idempotent = honours_keys(route, manifest);
    if (!route.request_schema.empty() && !route.checks_body) {
        auto schema = compile_schema(route.request_schema);
        if (!schema) return Error{Fault::invalid, "route " + route.name + ": " + schema.error().message, ""};
        plan.schema = std::make_shared<const Schema>(*std::move(schema));
    }
    plan.series = series_of(registry, route.tenant.text, route.name);
    return plan;
}

}  // namespace

const TenantPlan& Snapshot::tenant_of_path(std::string_view path) const {
    if (!path.starts_with(apps_prefix)) return tenants.front();
    path.remove_prefix(apps_prefix.size());
    const auto* tenant = find_tenant(*this, path.substr(0, path.find('/')));
    return tenant ? *tenant : tenants.front();
}

Result<std::shared_ptr<const Snapshot>> compile_snapshot(SnapshotParts parts, metrics::Registry& registry) {
    auto routes = std::move(parts.platform_routes);
    for (const auto& manifest : parts.manifests) {
        for (auto& route : config::routes_of(manifest, parts.settings)) {
            if (!route.handler && !route.upstream && route.name == manifest.app.text + ".me")
                complete_me(route);
            if (!route.handler && !route.upstream && route.name == manifest.app.text + ".openapi")
                complete_openapi(route);
            routes.push_back(std::move(route));
        }
    }
    auto router = TRY(http::Router::build(std::move(routes)));
    auto snapshot = std::make_shared<Snapshot>(Snapshot{.generation = parts.generation,
                                                        .router = std::move(router),
                                                        .manifests = std::move(parts.manifests)});
    snapshot->behind_proxy = !parts.settings.listen.trusted_proxies.empty();
    add_tenants(*snapshot, parts.settings.identity.operators_project);
    snapshot->plans.reserve(snapshot->router.routes().size());
    for (const auto& route : snapshot->router.routes()) {
        snapshot->plans.push_back(TRY(compile_plan(*snapshot, route, registry)));
    }
    snapshot->unrouted = series_of(registry, platform_tenant.text, "none");
    return std::shared_ptr<const Snapshot>(std::move(snapshot));
}

void Published::publish(const std::shared_ptr<const Snapshot>& snapshot) {
    for (auto& slot : slots_) {
        // A count of its own per slot, that keeps the common one alive.
        std::shared_ptr<const Snapshot> own(snapshot.get(), [snapshot](const Snapshot*) {});
        slot.snapshot.lock()->swap(own);
    }
}

std::shared_ptr<const Snapshot> Published::current() {
    auto snapshot = *slots_[thread_slot()].snapshot.lock();
    ASSERT(snapshot);
    return snapshot;
}

}  // namespace integreat::gateway
