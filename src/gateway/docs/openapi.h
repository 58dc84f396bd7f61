// SPDX-License-Identifier: Apache-2.0
// The route table as OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.0). Made from the same values that the
// router and the stages use, so it cannot say anything else than what happens.
#pragma once

#include <string>
#include <vector>

#include "http/routing/route.h"

namespace integreat::gateway {

// Of all routes, or of those of one app.
std::string openapi_json(const std::vector<http::Route>& routes, const TenantId* app = nullptr);

// Gives the route "<app>.openapi" of an app's manifest its handler.
void complete_openapi(http::Route& route);

// "/v1/apps/campus/portal/{rest...}" → "/v1/apps/campus/portal/{rest}"
std::string openapi_path(const std::string& pattern);

}  // namespace integreat::gateway
