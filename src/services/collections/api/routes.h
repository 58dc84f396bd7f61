// SPDX-License-Identifier: Apache-2.0
// The HTTP routes of an app's collections. The access of a route is computed from the rules, so that the
// gateway can reject a role no rule allows without a query; access to individual records is decided by the
// database.
#pragma once

#include <memory>
#include <vector>

#include "http/routing/route.h"
#include "services/collections/api/operation.h"

namespace integreat::collections {

// `limit` is the app's rate limit per caller.
std::vector<http::Route> make_routes(std::shared_ptr<const CollectionsContext> context,
                                     const http::RateLimit& limit);

}  // namespace integreat::collections
