// SPDX-License-Identifier: Apache-2.0
#include "platform/collections.h"

#include <iterator>

#include "services/data/routes.h"

namespace integreat::platform {

std::vector<http::Route> collection_routes(std::span<const config::Manifest> manifests,
                                           postgres::Databases& databases, const Secret& cursor_key) {
    std::vector<http::Route> routes;
    for (const auto& manifest : manifests) {
        if (manifest.collections.empty()) continue;
        auto desk = std::make_shared<const data::Desk>(
            data::Desk{.plan = data::compile_plan(data::compile_model(manifest)),
                       .pool = [&databases, app = manifest.app] { return databases.tenant(app); },
                       .cursor_key = cursor_key});
        http::RateLimit limit{manifest.limit.requests, manifest.limit.window, manifest.limit.burst};
        auto more = data::routes_of(std::move(desk), limit);
        routes.insert(routes.end(), std::move_iterator(more.begin()), std::move_iterator(more.end()));
    }
    return routes;
}

}  // namespace integreat::platform
