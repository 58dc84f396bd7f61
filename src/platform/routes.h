// SPDX-License-Identifier: Apache-2.0
// The routes of the platform itself, in the order of the manual.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "gateway/admin/admin_routes.h"
#include "gateway/admin/health_routes.h"
#include "http/routing/route.h"

namespace integreat::platform {

// Both outlive the routes.
std::vector<http::Route> own_routes(const gateway::PlatformRoutes& open, const gateway::AdminRoutes& admin);

// docs/api.md: those, the ones that every app has, and those of `integreat dev`. Asks no database.
std::string routes_manual(const Clock& clock, Random& random);

}  // namespace integreat::platform
