// SPDX-License-Identifier: Apache-2.0
// The routes that follow from an app's manifest, with the handlers of those that the platform itself serves
// for every app: GET /v1/apps/{app}/me (the caller's identity) and GET /v1/apps/{app}/openapi.json.
#pragma once

#include <string>
#include <vector>

#include "base/principal.h"
#include "config/manifest/manifest.h"
#include "config/settings/settings.h"
#include "http/routing/route.h"

namespace integreat::gateway {

// `manifest` and `settings` have passed every check.
std::vector<http::Route> app_routes(const config::Manifest& manifest, const config::Settings& settings);

// Renders the response of /me.
std::string whoami_json(const Principal& principal);

}  // namespace integreat::gateway
