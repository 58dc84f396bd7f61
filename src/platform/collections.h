// SPDX-License-Identifier: Apache-2.0
// The routes of the collections of all apps: each manifest's model is connected to the pool of its database,
// for one snapshot. Change feeds and running imports outlive snapshots, as their clients do.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/concurrency/synchronized.h"
#include "base/concurrency/tenant_semaphore.h"
#include "base/random.h"
#include "base/secret.h"
#include "config/manifest/manifest.h"
#include "config/settings/settings.h"
#include "http/routing/route.h"
#include "postgres/databases/registry.h"
#include "services/collections/changes/change_feed.h"
#include "services/files/file_store.h"

namespace integreat::platform {

class ChangeFeedRegistry {
public:
    ChangeFeedRegistry(postgres::DatabaseRegistry& databases, const Clock& clock, Random& random)
        : databases_(databases), clock_(clock), random_(random) {}

    // Returns the feed of an app, created on first use.
    std::shared_ptr<collections::ChangeFeed> find_or_create(const TenantId& app);
    // Sets the fingerprints of the current models. Streams of other models end, so that clients reconnect.
    void set_fingerprints(const std::map<TenantId, std::string>& fingerprints);

private:
    postgres::DatabaseRegistry& databases_;
    const Clock& clock_;
    Random& random_;
    Synchronized<std::map<TenantId, std::shared_ptr<collections::ChangeFeed>>> feeds_;
};

struct CollectionRoutes {
    std::vector<http::Route> routes;
    std::map<TenantId, std::string> fingerprints;  // Fingerprint of each model, by app.
};

// Makes the routes of all apps. `databases`, `feeds`, `import_semaphore` and `file_store` are shared by all
// snapshots; `file_store` may be null.
CollectionRoutes make_collection_routes(std::span<const config::Manifest> manifests,
                                        const config::ImportSettings& imports,
                                        postgres::DatabaseRegistry& databases, const Secret& cursor_key,
                                        ChangeFeedRegistry& feeds,
                                        const std::shared_ptr<TenantSemaphore>& import_semaphore,
                                        const std::shared_ptr<files::FileStore>& file_store);

// Makes the routes of one app to list them; they must not be called.
std::vector<http::Route> list_collection_routes(const config::Manifest& manifest,
                                                const config::Settings& settings);

}  // namespace integreat::platform
