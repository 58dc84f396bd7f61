// SPDX-License-Identifier: Apache-2.0
// An entry of the route table: method and URL pattern, handler, access rule and limits. Services list their
// routes, manifests add theirs; router, OpenAPI, docs, `integreat routes` and the tests that walk the table
// all read the same values.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "http/message/message.h"
#include "http/message/problem_catalogue.h"
#include "http/routing/request_context.h"

namespace integreat::http {

using Handler = std::function<Response(const Request&, RequestContext&)>;

// The scope that every key of the tenant has implicitly.
inline constexpr std::string_view any_scope = "*";
// The prefix of scopes that let a key act as a role of its application: "role:registrar".
inline constexpr std::string_view role_scope = "role:";
// The scope of platform keys that may call every operators' route; without it a key may call only those whose
// scope it has.
inline constexpr std::string_view admin_scope = "admin";

struct Access {
    enum class Audience {
        anyone,     // No token required; a token that is sent is still verified.
        signed_in,  // Any user of the route's tenant; an API key only if it has `scope`.
        roles,      // A user of the route's tenant whose role is in `roles`.
        operators,  // A user of the platform's own Firebase project with role "admin", or a platform key
                    // with `scope` or admin_scope.
    };
    Audience audience = Audience::signed_in;
    std::vector<std::string> roles;
    std::string scope;  // Scope with which an API key of the tenant may call, too; empty: no key may.
    bool keys_as_roles = false;  // A key may call as the role in its scope "role:x"; replaces `scope`.
};

// A token bucket per principal (per client address for anonymous callers): `burst` tokens, refilled at
// `requests` per `window`. No limit if `requests` is 0.
struct RateLimit {
    std::uint32_t requests = 600;
    std::chrono::seconds window{60};
    std::uint32_t burst = 100;
};

// The thread that runs a handler. A handler that may run on an I/O thread must not block there
// (RequestContext::may_block): it returns NeedsBlockingThread or PendingResponse instead.
enum class Execution {
    on_io_thread,  // Only computes, or returns a PendingResponse: a long poll.
    blocking,      // Calls a database or a third party: runs on the blocking pool.
    single_query,  // Needs one query: runs on the I/O thread with its completion queue, if there is one and
                   // the body is small; otherwise as `blocking`.
    spooled,       // As `blocking`, with the body in RequestContext::spooled_body.
};

// Specifies if all changes of a route are made by the postgres::Transaction attached to the RequestContext,
// in its tenant's database, so that they and the record of an Idempotency-Key are one transaction.
enum class Transactional {
    no,
    with_key,  // Only with an Idempotency-Key; without one the handler's statement is its own transaction.
    always,
};

enum class Idempotency {
    off,       // The header is ignored: the method is safe or idempotent.
    accepted,  // Idempotency-Key is used if it is sent.
    required,  // A request without it gets 400.
};

// A documented parameter. If its name is that of a segment of the pattern, it is a path parameter.
struct Parameter {
    std::string name;
    bool header = false;  // True: header field; false: query parameter.
    std::string description;
    std::string schema = R"({"type": "string"})";
};

// Names and texts of the JSON Schemas that others reference as "#/components/schemas/NAME".
using Components = std::vector<std::pair<std::string, std::string>>;

struct Route {
    Method method = Method::get;
    std::string pattern;  // "/v1/apps/campus/students/{id}"; "{rest...}" as last segment matches the rest.
    std::string name;     // Unique name of the operation: "campus.me". Metric label and OpenAPI operationId.
    std::string summary;
    TenantId tenant = platform_tenant;
    Access access;
    Exposure exposure = Exposure::everyone;  // Other listeners answer 404.
    RateLimit limit;
    std::size_t max_body_bytes = 0;  // 0: no body is accepted.
    Idempotency idempotency = Idempotency::off;
    std::chrono::milliseconds timeout{10'000};
    Execution execution = Execution::on_io_thread;
    Transactional transactional = Transactional::no;  // Not with Execution::on_io_thread, unless `no`.
    bool counts_records = false;  // A body may have many records: RequestContext::records.
    bool log_bodies = false;      // Bodies are written (redacted) to the transaction log.
    bool body_optional = false;   // An empty body is valid.
    std::string request_schema;   // JSON Schema 2020-12 as JSON text, for OpenAPI only; empty: no body.
    std::string response_schema;  // JSON Schema of the 2xx response body.
    std::string request_type = "application/json";  // Media type; any other is refused with 415.
    std::string response_type = "application/json";
    int success_status = 200;
    std::vector<std::string> response_fields;  // Route-specific header fields of the 2xx response: "ETag".
    std::vector<Parameter> documented_parameters;
    std::vector<ProblemType> problems;             // Returned in addition to those of every route.
    std::shared_ptr<const Components> components;  // Components that its schemas reference.

    Handler handler;  // Empty if `upstream` is set.
    std::shared_ptr<const Upstream> upstream;
    std::string upstream_target;  // "/portal/{rest...}"; parameters are inserted in their original encoding.
};

}  // namespace integreat::http
