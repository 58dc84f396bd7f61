// SPDX-License-Identifier: Apache-2.0
// What operators do over HTTP, and the command line for them: look up why a request was refused, see how the
// platform is, make and revoke API keys.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "gateway/admin/health_routes.h"
#include "gateway/logging/denial_log.h"
#include "gateway/logging/transaction_log.h"
#include "http/routing/route.h"
#include "postgres/driver/pool.h"

namespace integreat::gateway {

struct AdminRoutes {
    postgres::Pool& platform;
    const Clock& clock;
    Random& random;
    Decisions& decisions;
    std::function<std::vector<ReadyCheck>()> ready_checks;
    const gateway::TransactionLog* transaction_log = nullptr;
};

// /v1/admin/..., for operators only. `parts` outlives the routes.
std::vector<http::Route> admin_routes(const AdminRoutes& parts);

}  // namespace integreat::gateway
