// SPDX-License-Identifier: Apache-2.0
#include "platform/routes.h"

#include <iterator>

#include "config/manifest/routes.h"
#include "gateway/admin/storage_playground.h"
#include "gateway/admin/whoami.h"
#include "gateway/docs/api_manual.h"
#include "gateway/docs/openapi.h"

namespace integreat::platform {

namespace {

void append(std::vector<http::Route>& to, std::vector<http::Route> more) {
    to.insert(to.end(), std::move_iterator(more.begin()), std::move_iterator(more.end()));
}

// What an app has by being one.
std::vector<http::Route> routes_of_any_app() {
    config::Manifest manifest;
    manifest.app = {"{app}"};
    auto routes = config::routes_of(manifest, config::Settings());
    for (auto& route : routes) {
        if (route.name == manifest.app.text + ".me") gateway::complete_me(route);
        if (route.name == manifest.app.text + ".openapi") gateway::complete_openapi(route);
    }
    return routes;
}

}  // namespace

std::vector<http::Route> own_routes(const gateway::PlatformRoutes& open, const gateway::AdminRoutes& admin) {
    auto routes = gateway::platform_routes(open);
    append(routes, gateway::admin_routes(admin));
    return routes;
}

std::string routes_manual(const Clock& clock, Random& random) {
    // The routes are only described, so nothing of this is ever asked.
    metrics::Registry registry;
    postgres::Pool pool({.tenant = platform_tenant}, clock);
    gateway::Decisions decisions(1);
    gateway::PlatformRoutes open{.metrics = registry, .ready_checks = {}};
    gateway::AdminRoutes admin{
        .platform = pool, .clock = clock, .random = random, .decisions = decisions, .ready_checks = {}};
    auto routes = routes_of_any_app();
    append(routes, own_routes(open, admin));
    append(routes, gateway::try_routes({}));
    return gateway::api_manual(routes);
}

}  // namespace integreat::platform
