// SPDX-License-Identifier: Apache-2.0
// What the platform knows of a request while it is on its way: who asks, which route, until when, and what
// was decided. One Call belongs to one request and to one thread at a time; net/ reuses its memory.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/id.h"
#include "base/principal.h"
#include "base/time.h"
#include "http/message/headers.h"

namespace integreat::gateway {
struct Snapshot;  // What is configured at one moment; a call keeps the one it began with alive.
}

namespace integreat::postgres {
class Lane;
class Transaction;
}  // namespace integreat::postgres

namespace integreat::http {

struct Route;
class Spool;

// W3C Trace Context, level 1: https://www.w3.org/TR/trace-context/
struct TraceContext {
    std::string trace_id;   // 32 hex digits: the caller's, or a new one.
    std::string parent_id;  // 16 hex digits: this hop.
    bool sampled = false;
};

// The step that refused the request and the particulars, kept for `integreat why`. Never sent to the caller.
struct Decision {
    std::string stage;  // "identify", "authorize", "limit", ...; empty if nothing refused.
    std::string type;   // The problem's slug.
    std::string rule;   // What decided: "route campus.portal requires role registrar or admin".
    std::vector<std::pair<std::string, std::string>> facts;  // "role" = "student", "aud" = "...".
};

struct Call {
    RequestId id;
    TraceContext trace;
    Time started;
    Monotonic arrived;
    Monotonic deadline = Monotonic::max();  // Every wait on behalf of this request ends here.
    bool may_wait = false;  // True on the waiting pool; false on an I/O thread, where nothing may block.

    std::shared_ptr<const gateway::Snapshot> snapshot;
    const Route* route = nullptr;                                      // Lives as long as `snapshot`.
    std::vector<std::pair<std::string_view, std::string>> parameters;  // Decoded; names point into the route.
    TenantId tenant;  // The tenant of the route; platform_tenant for the platform's own.
    std::shared_ptr<const Principal> principal;  // Null until identified, and for anonymous callers.
    Decision decision;
    std::string cause;  // For the log: why we failed (Error::cause), when we did.

    // While the handler of a transactional route runs: commits if it answers with less than 400.
    postgres::Transaction* transaction = nullptr;

    const Spool* spooled = nullptr;  // The body, where the route spools it; Request::body is nothing then.
    // While an I/O thread asks for an answer that may come Later: by this lane.
    postgres::Lane* lane = nullptr;

    std::string replay_body;    // What a repeated Idempotency-Key gets instead of a body that holds a secret.
    std::string response_body;  // For the log: redacted, and only on routes that log bodies.

    Headers response_headers;  // Added to whatever is answered, relayed answers included.

    std::string_view parameter(std::string_view name) const;
};

// As new, but for the memory, which is kept: for the next request on a connection.
void clear(Call& call);

}  // namespace integreat::http
