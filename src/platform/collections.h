// SPDX-License-Identifier: Apache-2.0
// The collections of all apps as routes: each manifest's model, compiled for one snapshot, before the pool of
// its database.
#pragma once

#include <span>
#include <vector>

#include "base/secret.h"
#include "config/manifest.h"
#include "http/route.h"
#include "postgres/tenants.h"

namespace integreat::platform {

std::vector<http::Route> collection_routes(std::span<const config::Manifest> manifests,
                                           postgres::Databases& databases, const Secret& cursor_key);

// Those of one app, to be listed and not to be called.
std::vector<http::Route> routes_of_collections(const config::Manifest& manifest);

}  // namespace integreat::platform
