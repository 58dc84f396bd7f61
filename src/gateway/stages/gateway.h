// SPDX-License-Identifier: Apache-2.0
// The dependencies of the request pipeline.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/concurrency/tenant_semaphore.h"
#include "gateway/logging/access_log.h"
#include "gateway/logging/denial_log.h"
#include "gateway/logging/transaction_log.h"
#include "gateway/routing/rate_limiter.h"
#include "gateway/routing/request_ids.h"
#include "gateway/routing/snapshot.h"
#include "http/transport/client.h"
#include "identity/identity.h"
#include "metrics/registry.h"
#include "postgres/driver/pool.h"

namespace integreat::gateway {

using Identify = std::function<identity::AuthResult(std::string_view authorization, const identity::Projects&,
                                                    bool may_block, Monotonic deadline)>;

// Limits for request bodies spooled to disk.
struct Spooling {
    std::string folder;                 // Directory of the spool files.
    int max_pending = 8;                // Per app, at the same time; bounds the app's disk space.
    int max_pending_per_principal = 2;  // A part of these, so that others remain.
    TenantSemaphore semaphore = {};
    TenantSemaphore principals = {};  // Keys "app/kind:subject".
};

// The dependencies of the stages; all of them outlive the application.
struct Gateway {
    const Clock& clock;
    SnapshotHolder& snapshots;
    RequestIdGenerator& request_ids;
    RateLimiter& rate_limiter;
    DenialLog& denial_log;
    Identify identify;
    metrics::Registry& metrics;
    // The platform's database, for Idempotency-Key; null: a request with a key gets 503.
    postgres::Pool* database = nullptr;
    // Finds the database of an app, for its transactional routes; returns null if there is none.
    std::function<postgres::Pool*(const TenantId&)> database_of;
    Spooling spooling = {};
    // Client for proxied requests with an Idempotency-Key; null: such a request gets 503.
    http::HttpClient* http_client = nullptr;
    TransactionLog* transaction_log = nullptr;  // Null: no transaction log.
    AccessLog* access_log = nullptr;            // Null: no access log.
};

}  // namespace integreat::gateway
