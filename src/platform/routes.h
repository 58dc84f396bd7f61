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

// Makes the public routes and the admin routes of the platform. Both arguments must outlive the routes.
std::vector<http::Route> make_platform_routes(const gateway::PlatformRoutes& open,
                                              const gateway::AdminRoutes& admin);

// Returns docs/reference/api.md: these routes, those that every app has, and those of `integreat dev`. Needs
// no database.
std::string routes_manual(const Clock& clock, Random& random);

}  // namespace integreat::platform
