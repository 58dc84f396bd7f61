// SPDX-License-Identifier: Apache-2.0
#include "platform/collections.h"

#include <iterator>

#include "services/data/routes.h"

namespace integreat::platform {

namespace {

std::vector<http::Route> routes_of(const config::Manifest& manifest, std::function<postgres::Pool*()> pool,
                                   const Secret& cursor_key) {
    if (manifest.collections.empty()) return {};
    auto plan = data::compile_plan(data::compile_model(manifest));
    auto desk = std::make_shared<const data::Desk>(
        data::Desk{.plan = std::move(plan), .pool = std::move(pool), .cursor_key = cursor_key});
    const auto& limit = manifest.limit;
    return data::routes_of(std::move(desk), {limit.requests, limit.window, limit.burst});
}

}  // namespace

std::vector<http::Route> collection_routes(std::span<const config::Manifest> manifests,
                                           postgres::Databases& databases, const Secret& cursor_key) {
    std::vector<http::Route> routes;
    for (const auto& manifest : manifests) {
        auto more = routes_of(
            manifest, [&databases, app = manifest.app] { return databases.tenant(app); }, cursor_key);
        routes.insert(routes.end(), std::move_iterator(more.begin()), std::move_iterator(more.end()));
    }
    return routes;
}

std::vector<http::Route> routes_of_collections(const config::Manifest& manifest) {
    return routes_of(manifest, [] { return nullptr; }, {});
}

}  // namespace integreat::platform
