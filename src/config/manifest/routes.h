// SPDX-License-Identifier: Apache-2.0
// Builds the routes of an app from its manifest.
#pragma once

#include <string>
#include <vector>

#include "config/manifest/manifest.h"
#include "config/settings/settings.h"
#include "http/routing/route.h"

namespace integreat::config {

// Returns one route per method of each route in the manifest, and `<app>.me` and `<app>.openapi`, whose
// handlers the gateway adds. `manifest` and `settings` must be valid.
std::vector<http::Route> make_routes(const Manifest& manifest, const Settings& settings);

// Returns "campus.portal-rest" for GET and "campus.portal-rest.post" for POST: the name of an operation does
// not change when other methods are added.
std::string operation_name(const Manifest& manifest, const RouteSettings& route, std::string_view method);

}  // namespace integreat::config
