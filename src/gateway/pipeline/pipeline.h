// SPDX-License-Identifier: Apache-2.0
// The way of each request through the platform: one list of stages, read from top to bottom, in pipeline.cpp.
// Nothing here waits for anything unless the transport said that it may.
#pragma once

#include <functional>
#include <string_view>

#include "base/clock.h"
#include "base/concurrency/tenant_semaphore.h"
#include "gateway/logging/access_log.h"
#include "gateway/logging/denial_log.h"
#include "gateway/logging/transaction_log.h"
#include "gateway/routing/rate_limiter.h"
#include "gateway/routing/request_ids.h"
#include "gateway/routing/snapshot.h"
#include "http/transport/application.h"
#include "http/transport/client.h"
#include "identity/identity.h"
#include "metrics/registry.h"
#include "postgres/driver/pool.h"

namespace integreat::gateway {

using Identify = std::function<identity::Verdict(std::string_view authorization, const identity::Projects&,
                                                 bool may_wait, Monotonic deadline)>;

// Of bodies that are too large to be held.
struct Spooling {
    std::string folder;  // Where they lie.
    int at_once = 8;     // Of one app: with the most that one may have, what it can take of the disk.
    Turns turns = {};
};

// What the stages need. Everything outlives the application that is made of it.
struct Gateway {
    const Clock& clock;
    Published& snapshots;
    Numbering& numbering;
    Buckets& buckets;
    Decisions& decisions;
    Identify identify;
    metrics::Registry& metrics;
    postgres::Pool* database =
        nullptr;  // The platform's, for Idempotency-Key; without it, such requests get 503.
    // Of an app, for its transactional routes; null if there is none.
    std::function<postgres::Pool*(const TenantId&)> database_of;
    Spooling spooling = {};
    http::Outbound* outbound = nullptr;  // For relays that carry an Idempotency-Key; the same.
    gateway::TransactionLog* transaction_log = nullptr;  // Null: none is written.
    AccessLog* access_log = nullptr;                     // Null: none is written.
};

http::Application make_application(Gateway& gateway);

}  // namespace integreat::gateway
