// SPDX-License-Identifier: Apache-2.0
// What a manifest means on the wire: the routes of an app as the gateway serves them.
#pragma once

#include <string>
#include <vector>

#include "config/manifest/manifest.h"
#include "config/settings/settings.h"
#include "http/routing/route.h"

namespace integreat::config {

// One per method of each route, and `<app>.me` and `<app>.openapi`, whose handlers are left to the gateway.
// `manifest` and `settings` have passed every check.
std::vector<http::Route> routes_of(const Manifest& manifest, const Settings& settings);

// "campus.portal-rest" for GET, "campus.portal-rest.post": stays the same when other methods are added.
std::string operation_of(const Manifest& manifest, const RouteSettings& route, std::string_view method);

}  // namespace integreat::config
