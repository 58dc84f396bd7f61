// SPDX-License-Identifier: Apache-2.0
#include "platform/routes.h"

#include <iterator>

#include "gateway/admin/app_routes.h"
#include "gateway/admin/storage_playground.h"
#include "gateway/docs/api_manual.h"

namespace integreat::platform {

namespace {

void append(std::vector<http::Route>& routes, std::vector<http::Route> added) {
    routes.insert(routes.end(), std::move_iterator(added.begin()), std::move_iterator(added.end()));
}

// Makes the routes that every app has.
std::vector<http::Route> make_common_app_routes() {
    config::Manifest manifest;
    manifest.app = {"{app}"};
    return gateway::app_routes(manifest, config::Settings());
}

}  // namespace

std::vector<http::Route> make_platform_routes(const gateway::PlatformRoutes& open,
                                              const gateway::AdminRoutes& admin) {
    auto routes = gateway::platform_routes(open);
    append(routes, gateway::admin_routes(admin));
    return routes;
}

std::string routes_manual(const Clock& clock, Random& random) {
    // The routes are only described: none of these is used.
    metrics::Registry registry;
    postgres::Pool pool({.tenant = platform_tenant}, clock);
    gateway::DenialLog denial_log(1);
    gateway::PlatformRoutes open{.metrics = registry, .readiness_checks = {}};
    gateway::AdminRoutes admin{
        .platform = pool, .clock = clock, .random = random, .denial_log = denial_log, .readiness_checks = {}};
    auto routes = make_common_app_routes();
    append(routes, make_platform_routes(open, admin));
    append(routes, gateway::storage_playground_routes({}));
    return gateway::api_manual(routes);
}

}  // namespace integreat::platform
