// SPDX-License-Identifier: Apache-2.0
// The state of one request during its processing: caller, route, deadline, and the decision if it is denied.
// A RequestContext belongs to one request and is used by one thread at a time; net/ reuses its memory.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/id.h"
#include "base/principal.h"
#include "base/time.h"
#include "http/message/headers.h"
#include "http/message/problem_catalogue.h"
#include "http/routing/attachments.h"

namespace integreat::http {

struct FullResponse;
struct Problem;
struct Route;
class SpooledBody;

// W3C Trace Context, level 1: https://www.w3.org/TR/trace-context/
struct TraceContext {
    std::string trace_id;   // 32 hex digits, from the caller or new.
    std::string parent_id;  // 16 hex digits, identifying this hop.
    bool sampled = false;
};

// The stage that denied the request, with details for `integreat why`. Never sent to the caller.
struct Decision {
    std::string stage;  // "identify", "authorize", "limit", ...; empty if the request was not denied.
    std::string type;   // Slug of the problem type.
    std::string rule;   // Violated rule: "route campus.portal requires role registrar or admin".
    std::vector<std::pair<std::string, std::string>> facts;  // "role" = "student", "aud" = "...".
};

struct RequestContext {
    RequestId id;
    TraceContext trace;
    Time started;
    Monotonic arrived;
    Monotonic deadline = Monotonic::max();  // End of every wait on behalf of this request.
    bool may_block = false;  // True on the blocking pool; false on an I/O thread, where nothing may block.
    // Stages of admission before the one that returned NeedsBlockingThread, which are not repeated.
    std::uint8_t finished_stages = 0;

    // The snapshot of the configuration, and for a while the transaction or the completion queue of the
    // handler.
    Attachments attachments;
    std::string_view problem_base_url = default_problem_base_url;  // Points into the snapshot.
    const Route* route = nullptr;                                  // Owned by the snapshot.
    std::vector<std::pair<std::string_view, std::string>>
        parameters;   // Percent-decoded; names are views into the route.
    TenantId tenant;  // Tenant of the route; platform_tenant for routes of the platform.
    std::shared_ptr<const Principal> principal;  // Null until authenticated, and for anonymous callers.
    Decision decision;
    std::string cause;  // Cause of a failure (Error::cause), for the log.

    // Records of a list or an import in the body, which count against the caller's budget of records.
    std::uint64_t records = 0;
    // Time until the caller may send a list or an import again; 0: now.
    std::chrono::seconds records_wait{0};

    // Request body while the handler of a route with Execution::spooled runs; Request::body is empty then.
    const SpooledBody* spooled_body = nullptr;

    std::string replay_body;    // Body for a repeated Idempotency-Key, if the original contains a secret.
    std::string response_body;  // Redacted copy for the log, on routes that log bodies.

    Headers response_headers;  // Added to every response, including proxied ones.

    // Returns the value of a path parameter; empty if the route has no such parameter.
    std::string_view parameter(std::string_view name) const;
};

// Resets the context for the next request on the connection, but keeps the allocated memory.
void clear(RequestContext& context);

// Renders a problem with the request ID and the problem base URL of `context`.
FullResponse to_response(const Problem& problem, const RequestContext& context);

}  // namespace integreat::http
