// SPDX-License-Identifier: Apache-2.0
#include "platform/collections.h"

#include <iterator>

#include "crypto/ids.h"
#include "services/collections/api/routes.h"
#include "services/collections/schema/table_definitions.h"

namespace integreat::platform {

namespace {

constexpr const char* no_model = "none";  // No fingerprint looks like this.

collections::ImportLimits limits_of(const config::ImportSettings& imports) {
    return {.bytes_max = imports.bytes_max,
            .records_max = imports.records_max,
            .timeout = imports.timeout,
            .at_once = imports.at_once};
}

std::vector<http::Route> routes_of(const config::Manifest& manifest, collections::Desk desk) {
    const auto& limit = manifest.limit;
    return collections::routes_of(std::make_shared<const collections::Desk>(std::move(desk)),
                                  {limit.requests, limit.window, limit.burst});
}

}  // namespace

std::shared_ptr<collections::Feed> Feeds::of(const TenantId& app) {
    auto feeds = feeds_.lock();
    auto& feed = (*feeds)[app];
    if (!feed) {
        collections::FeedSettings settings{
            .app = app,
            .process = crypto::make_uuid(random_),
            .pool = [this, app] { return databases_.tenant(app); },
            .listening_url = [this, app] { return databases_.listening_url(app); },
            .limits = {}};
        feed = std::make_shared<collections::Feed>(std::move(settings), clock_);
    }
    return feed;
}

void Feeds::serve(const std::map<TenantId, std::string>& fingerprints) {
    auto feeds = feeds_.lock();
    for (const auto& [app, feed] : *feeds) {
        auto found = fingerprints.find(app);
        feed->serve(found == fingerprints.end() ? no_model : found->second);
    }
}

CollectionRoutes collection_routes(std::span<const config::Manifest> manifests,
                                   const config::ImportSettings& imports, postgres::Databases& databases,
                                   const Secret& cursor_key, Feeds& feeds,
                                   const std::shared_ptr<Turns>& importing) {
    CollectionRoutes all;
    for (const auto& manifest : manifests) {
        if (manifest.collections.empty()) continue;
        auto plan = collections::compile_plan(collections::compile_model(manifest));
        auto fingerprint = collections::fingerprint_of(*plan->model);
        all.fingerprints.emplace(manifest.app, fingerprint);
        auto more =
            routes_of(manifest, {.plan = std::move(plan),
                                 .pool = [&databases, app = manifest.app] { return databases.tenant(app); },
                                 .cursor_key = cursor_key,
                                 .feed = feeds.of(manifest.app),
                                 .fingerprint = std::move(fingerprint),
                                 .imports = limits_of(imports),
                                 .importing = importing});
        all.routes.insert(all.routes.end(), std::move_iterator(more.begin()), std::move_iterator(more.end()));
    }
    return all;
}

std::vector<http::Route> routes_of_collections(const config::Manifest& manifest,
                                               const config::Settings& settings) {
    if (manifest.collections.empty()) return {};
    return routes_of(manifest, {.plan = collections::compile_plan(collections::compile_model(manifest)),
                                .pool = [] { return nullptr; },
                                .cursor_key = {},
                                .feed = nullptr,
                                .fingerprint = {},
                                .imports = limits_of(settings.imports)});
}

}  // namespace integreat::platform
