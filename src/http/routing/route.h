// SPDX-License-Identifier: Apache-2.0
// A route as the table holds it: which URL does what, who may, and within which limits. Services list their
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
#include "http/routing/request_context.h"

namespace integreat::http {

using Handler = std::function<Response(const Request&, Call&)>;

// A scope that every key of the tenant has.
inline constexpr std::string_view any_scope = "*";
// Of keys that act as a role of their application: "role:registrar".
inline constexpr std::string_view role_scope = "role:";

struct Access {
    enum class Who {
        anyone,     // No token needed; one that is sent is still verified.
        signed_in,  // Any user of the route's tenant; an API key only if `scope` is set and held.
        roles,      // A user of the route's tenant whose role is in `roles`.
        operators,  // A user of the platform's own Firebase project with role "admin", or a platform key.
    };
    Who who = Who::signed_in;
    std::vector<std::string> roles;
    std::string scope;  // An API key of the tenant with this scope may call too; empty: no key may.
    bool keys_as_roles =
        false;  // A key may call as the role that its scope "role:x" names, in place of that.
};

// A token bucket per principal (per client address for anonymous callers): `burst` at once, refilled at
// `requests` per `window`. No limit if `requests` is 0.
struct RateLimit {
    std::uint32_t requests = 600;
    std::chrono::seconds window{60};
    std::uint32_t burst = 100;
};

// Whether all that a route changes is in its tenant's database, by Call::transaction, so that it and the
// record of an Idempotency-Key are one transaction.
enum class Transactional {
    no,
    with_key,  // Only with a key: without one the handler's statement is a transaction by itself.
    always,
};

enum class Idempotency {
    off,       // The header is ignored: the method is safe or idempotent by itself.
    accepted,  // Idempotency-Key is honoured.
    required,  // 400 without it.
};

// A parameter, for those who read about the route; one named as a segment of the pattern is that segment.
struct Parameter {
    std::string name;
    bool header = false;  // Else of the query.
    std::string description;
    std::string schema = R"({"type": "string"})";
};

// JSON Schemas that others refer to as "#/components/schemas/NAME": name and text.
using Components = std::vector<std::pair<std::string, std::string>>;

struct Route {
    Method method = Method::get;
    std::string pattern;  // "/v1/apps/campus/students/{id}"; "{rest...}" as last segment takes the remainder.
    std::string name;     // The operation, unique: "campus.me". Metric label and OpenAPI operationId.
    std::string summary;
    TenantId tenant = platform_tenant;
    Access access;
    RateLimit limit;
    std::size_t body_bytes_max = 0;  // 0: a body is refused.
    Idempotency idempotency = Idempotency::off;
    std::chrono::milliseconds timeout{10'000};
    bool waits = false;    // Touches the database or a third party: runs on the waiting pool.
    bool in_lane = false;  // It waits, but for small requests it can do so in Call::lane.
    Transactional transactional = Transactional::no;  // If so, it waits.
    bool log_bodies = false;                          // Bodies go (redacted) to the transaction log.
    bool spools_body = false;     // The handler reads Call::spooled, in pieces; if so, it waits.
    bool checks_body = false;     // The handler itself does; the schema only tells others.
    bool body_optional = false;   // An empty body says something, too.
    std::string request_schema;   // JSON Schema 2020-12 as JSON text, for OpenAPI; empty: no body.
    std::string response_schema;  // Of the 2xx answer.
    std::string request_type = "application/json";  // A body of another type is refused with 415.
    std::string response_type = "application/json";
    int success_status = 200;
    std::vector<std::string>
        response_fields;  // "ETag": header fields of the 2xx answer, besides what all have.
    std::vector<Parameter> documented_parameters;
    std::vector<std::string> problems;             // Slugs that it answers besides those that all do.
    std::shared_ptr<const Components> components;  // What its schemas refer to.

    Handler handler;  // Empty if `upstream` is set.
    std::shared_ptr<const Upstream> upstream;
    std::string upstream_target;  // "/portal/{rest...}": parameters are put in, encoded as they came.
};

}  // namespace integreat::http
