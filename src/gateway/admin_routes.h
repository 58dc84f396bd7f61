// SPDX-License-Identifier: Apache-2.0
// What operators do over HTTP, and the command line for them: look up why a request was refused, see how the
// platform is, make and revoke API keys.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "gateway/decisions.h"
#include "gateway/platform_routes.h"
#include "http/route.h"
#include "postgres/pool.h"
#include "postgres/transaction_log.h"

namespace integreat::gateway {

struct AdminRoutes {
    postgres::Pool& platform;
    const Clock& clock;
    Random& random;
    Decisions& decisions;
    std::function<std::vector<ReadyCheck>()> ready_checks;
    const postgres::TransactionLog* transaction_log = nullptr;
};

// /v1/admin/..., for operators only. `parts` outlives the routes.
std::vector<http::Route> admin_routes(const AdminRoutes& parts);

}  // namespace integreat::gateway
