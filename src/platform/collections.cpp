// SPDX-License-Identifier: Apache-2.0
#include "platform/collections.h"

#include <iterator>

#include "crypto/ids.h"
#include "services/collections/api/routes.h"
#include "services/collections/schema/table_definitions.h"

namespace integreat::platform {

namespace {

constexpr const char* no_model = "none";  // Differs from all fingerprints.

std::vector<http::Route> make_routes(const config::Manifest& manifest,
                                     collections::CollectionsContext context) {
    const auto& limit = manifest.limit;
    return collections::make_routes(
        std::make_shared<const collections::CollectionsContext>(std::move(context)),
        {limit.requests, limit.window, limit.burst});
}

}  // namespace

std::shared_ptr<collections::ChangeFeed> ChangeFeedRegistry::find_or_create(const TenantId& app) {
    auto feeds = feeds_.lock();
    auto& feed = (*feeds)[app];
    if (!feed) {
        collections::ChangeFeedSettings settings{
            .app = app,
            .process = crypto::make_uuid(random_),
            .pool = [this, app] { return databases_.tenant(app); },
            .listen_url = [this, app] { return databases_.listen_url(app); },
            .limits = {}};
        feed = std::make_shared<collections::ChangeFeed>(std::move(settings), clock_);
    }
    return feed;
}

void ChangeFeedRegistry::set_fingerprints(const std::map<TenantId, std::string>& fingerprints) {
    auto feeds = feeds_.lock();
    for (const auto& [app, feed] : *feeds) {
        auto found = fingerprints.find(app);
        feed->set_fingerprint(found == fingerprints.end() ? no_model : found->second);
    }
}

CollectionRoutes make_collection_routes(std::span<const config::Manifest> manifests,
                                        const config::ImportSettings& imports,
                                        postgres::DatabaseRegistry& databases, const Secret& cursor_key,
                                        ChangeFeedRegistry& feeds,
                                        const std::shared_ptr<TenantSemaphore>& import_semaphore,
                                        const std::shared_ptr<files::FileStore>& file_store) {
    CollectionRoutes all;
    for (const auto& manifest : manifests) {
        if (manifest.collections.empty()) continue;
        auto plan = collections::compile_plan(manifest.model);
        auto fingerprint = collections::schema_fingerprint(*plan->model);
        all.fingerprints.emplace(manifest.app, fingerprint);
        auto routes =
            make_routes(manifest, {.plan = std::move(plan),
                                   .pool = [&databases, app = manifest.app] { return databases.tenant(app); },
                                   .cursor_key = cursor_key,
                                   .feed = feeds.find_or_create(manifest.app),
                                   .fingerprint = std::move(fingerprint),
                                   .imports = imports,
                                   .import_semaphore = import_semaphore,
                                   .files = {.store = file_store,
                                             .project = manifest.firebase_project,
                                             .opened = config::to_opened_prefixes(manifest.files)}});
        all.routes.insert(all.routes.end(), std::move_iterator(routes.begin()),
                          std::move_iterator(routes.end()));
    }
    return all;
}

std::vector<http::Route> list_collection_routes(const config::Manifest& manifest,
                                                const config::Settings& settings) {
    if (manifest.collections.empty()) return {};
    return make_routes(manifest, {.plan = collections::compile_plan(manifest.model),
                                  .pool = [] { return nullptr; },
                                  .cursor_key = {},
                                  .feed = nullptr,
                                  .fingerprint = {},
                                  .imports = settings.imports});
}

}  // namespace integreat::platform
