// SPDX-License-Identifier: Apache-2.0
// The route table as OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.0). Generated from the values that the
// router and the pipeline use, so that the document matches the behaviour.
#pragma once

#include <string>
#include <vector>

#include "http/routing/route.h"

namespace integreat::gateway {

// Builds the document of all routes, or of those of one app.
std::string openapi_json(const std::vector<http::Route>& routes, const TenantId* app = nullptr);

// "/v1/apps/campus/portal/{rest...}" → "/v1/apps/campus/portal/{rest}"
std::string openapi_path(const std::string& pattern);

}  // namespace integreat::gateway
