// SPDX-License-Identifier: Apache-2.0
// The routes for operators, and for their command line: explain a denied request, show the status of the
// platform, create and revoke API keys.
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
    DenialLog& denial_log;
    std::function<std::vector<ReadinessCheck>()> readiness_checks;
    const TransactionLog* transaction_log = nullptr;
};

// Makes /v1/admin/..., for operators only. `parts` outlives the routes.
std::vector<http::Route> admin_routes(const AdminRoutes& parts);

}  // namespace integreat::gateway
