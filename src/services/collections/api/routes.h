// SPDX-License-Identifier: Apache-2.0
// Which URL does what with the collections of an app. Who may call a route at all is computed from the rules,
// so that the gateway refuses before the database is asked; what a caller may do to which record, the
// database decides.
#pragma once

#include <memory>
#include <vector>

#include "http/routing/route.h"
#include "services/collections/api/operation.h"

namespace integreat::collections {

// `limit` is the app's own, of each caller.
std::vector<http::Route> routes_of(std::shared_ptr<const Desk> desk, const http::RateLimit& limit);

}  // namespace integreat::collections
