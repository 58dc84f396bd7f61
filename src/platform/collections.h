// SPDX-License-Identifier: Apache-2.0
// The collections of all apps as routes: each manifest's model, compiled for one snapshot, before the pool of
// its database. The feeds of changes outlive snapshots, as those do who listen, and so do imports.
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

namespace integreat::platform {

class Feeds {
public:
    Feeds(postgres::Databases& databases, const Clock& clock, Random& random)
        : databases_(databases), clock_(clock), random_(random) {}

    std::shared_ptr<collections::Feed> of(const TenantId& app);
    // The models in force by their fingerprints. Who follows what is no more must come back.
    void serve(const std::map<TenantId, std::string>& fingerprints);

private:
    postgres::Databases& databases_;
    const Clock& clock_;
    Random& random_;
    Guarded<std::map<TenantId, std::shared_ptr<collections::Feed>>> feeds_;
};

struct CollectionRoutes {
    std::vector<http::Route> routes;
    std::map<TenantId, std::string> fingerprints;
};

CollectionRoutes collection_routes(std::span<const config::Manifest> manifests,
                                   const config::ImportSettings& imports, postgres::Databases& databases,
                                   const Secret& cursor_key, Feeds& feeds,
                                   const std::shared_ptr<Turns>& importing);

// Those of one app, to be listed and not to be called.
std::vector<http::Route> routes_of_collections(const config::Manifest& manifest,
                                               const config::Settings& settings);

}  // namespace integreat::platform
