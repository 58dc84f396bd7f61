// SPDX-License-Identifier: Apache-2.0
// One application, as apps/<app>.yaml says it. Adding a tenant is adding one such file.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/id.h"
#include "config/collections/collection_settings.h"
#include "config/validators/validators.h"
#include "json/binding/fields.h"

namespace integreat::config {

using json::in_ms;
using std::chrono::milliseconds;
using std::chrono::seconds;
using namespace std::chrono_literals;

inline constexpr std::size_t routes_max = 1'000;  // Of one app.
inline constexpr std::size_t upstreams_max = 50;
inline constexpr std::size_t roles_max = 50;

struct CorsSettings {
    std::vector<std::string> origins;  // "https://campus.example" or "http://localhost:*"; empty: no CORS.
    std::vector<std::string> headers{"Authorization", "Content-Type", "Idempotency-Key", "If-Match"};
    bool credentials = false;
    seconds max_age{600};
};

template <class Visitor>
void fields(Visitor& visit, CorsSettings& cors) {
    visit("origins", cors.origins,
          "Sites whose scripts may call: https://campus.example, or http://localhost:* with any port.",
          {.may_be_empty = true, .items_max = 50, .check = check_origin});
    visit("headers", cors.headers, "Request headers that those scripts may set.",
          {.may_be_empty = true, .items_max = 50, .check = check_header_name});
    visit("credentials", cors.credentials,
          "May they send cookies along? Tokens in Authorization need no yes here.");
    visit("max_age", cors.max_age, "How long a browser may remember the permission.",
          {.least = 0, .most = in_ms(24h)});
}

struct UpstreamSettings {
    std::string name;
    std::string url;  // "http://127.0.0.1:9301/base" or "env:CAMPUS_PORTAL_URL"
    bool forward_authorization = false;
    milliseconds connect_timeout{2'000};
    milliseconds response_timeout{30'000};
    milliseconds idle_timeout{60'000};
    int connections_max = 256;
    int retries_max = 1;
    int breaker_failures = 5;
    milliseconds breaker_open{5'000};
    bool idempotent = false;  // It honours Idempotency-Key itself: an interrupted request may be sent again.
};

template <class Visitor>
void fields(Visitor& visit, UpstreamSettings& upstream) {
    visit("url", upstream.url, "Where it is: http or https, host, port, and a path put before every target.",
          {.required = true, .check = check_url, .reference = true});
    visit("forward_authorization", upstream.forward_authorization,
          "Does it get the caller's token? Without, it learns who asks from Integreat-* headers.");
    visit("connect_timeout", upstream.connect_timeout, "For a connection to open.",
          {.least = in_ms(10ms), .most = in_ms(1min)});
    visit("response_timeout", upstream.response_timeout, "Until the head of its answer.",
          {.least = in_ms(10ms), .most = in_ms(10min)});
    visit("idle_timeout", upstream.idle_timeout, "Between two pieces of a stream.",
          {.least = in_ms(100ms), .most = in_ms(1h)});
    visit("connections_max", upstream.connections_max, "Open connections; beyond it 503 with Retry-After.",
          {.least = 1, .most = 10'000});
    visit("retries_max", upstream.retries_max,
          "Further attempts of a request that cannot have had an effect.", {.least = 0, .most = 5});
    visit("breaker_failures", upstream.breaker_failures, "So many failures in a row and it is left alone...",
          {.least = 1, .most = 1'000});
    visit("breaker_open", upstream.breaker_open, "...for this long; then one request tries it.",
          {.least = in_ms(100ms), .most = in_ms(10min)});
    visit("idempotent", upstream.idempotent,
          "Does it honour Idempotency-Key itself, so that an interrupted request may be sent again?");
}

struct LimitSettings {
    std::uint32_t requests = 600;
    seconds window{60};
    std::uint32_t burst = 100;
};

template <class Visitor>
void fields(Visitor& visit, LimitSettings& limit) {
    visit("requests", limit.requests, "So many requests...", {.least = 1, .most = 10'000'000});
    visit("window", limit.window, "...in this time, spread evenly...",
          {.least = in_ms(1s), .most = in_ms(24h)});
    visit("burst", limit.burst, "...and so many at once.", {.least = 1, .most = 1'000'000});
}

struct RouteSettings {
    std::string name;  // Empty: from the path. With the app's name before it: metric label and operation id.
    std::string path;  // Below /v1/apps/<app>: "/portal/{rest...}".
    std::vector<std::string> methods{"GET"};
    std::string upstream;
    std::string target;              // Default: the same path.
    std::vector<std::string> roles;  // Empty with public: false means any signed-in user.
    bool is_public = false;          // Key "public".
    std::string scope;
    std::size_t body_bytes_max = 1024 * 1024;
    std::string idempotency = "off";  // off | accepted | required
    milliseconds timeout{30'000};
    bool log_bodies = false;
    std::optional<LimitSettings> limit;
    std::string summary;
};

template <class Visitor>
void fields(Visitor& visit, RouteSettings& route) {
    visit("path", route.path,
          "Below /v1/apps/NAME: `/portal/{rest...}`. `{id}` is one segment, `{rest...}` all that remains.",
          {.required = true, .check = check_path});
    visit("methods", route.methods, "GET answers HEAD too, and OPTIONS is answered for you.",
          {.choices = {"GET", "POST", "PUT", "PATCH", "DELETE"}});
    visit("upstream", route.upstream, "Which of the upstreams answers.", {.required = true});
    visit("target", route.target,
          "The path asked of the upstream, with the parameters of `path`; the same path without it.",
          {.check = check_target});
    visit("roles", route.roles, "Who may call; without it, every signed-in user of the app.",
          {.items_max = roles_max});
    visit("public", route.is_public, "May anyone call, without a token?");
    visit("scope", route.scope, "API keys with this scope may call too; without it, no key may.",
          {.check = check_scope, .pattern = scope_pattern});
    visit("body_bytes_max", route.body_bytes_max, "Of a request; beyond it 413.",
          {.least = 0, .most = 1'073'741'824, .bytes = true});
    visit("idempotency", route.idempotency, "Is Idempotency-Key honoured, or even demanded?",
          {.choices = {"off", "accepted", "required"}});
    visit("timeout", route.timeout, "For an answer to begin; every wait on the way ends then.",
          {.least = in_ms(10ms), .most = in_ms(10min)});
    visit("log_bodies", route.log_bodies, "Keep bodies in the transaction log, personal fields removed?");
    visit("limit", route.limit, "Instead of the app's own limit per caller.");
    visit("name", route.name, "In metrics and docs; without it, the path in words: `portal-rest`.",
          {.check = check_slug, .pattern = slug_pattern});
    visit("summary", route.summary, "One line for the docs.");
}

struct Manifest {
    TenantId app;       // Key "app"; equals the file's name.
    std::string title;  // "Campus"
    std::string summary;
    std::string firebase_project;  // Key "project".
    std::vector<std::string> roles;
    CorsSettings cors;
    LimitSettings limit;  // Per principal, all routes of the app unless a route has its own.
    LimitSettings tenant_limit{.requests = 60'000, .window = seconds(60), .burst = 5'000};
    std::vector<UpstreamSettings> upstreams;
    std::vector<RouteSettings> routes;
    std::vector<CollectionSettings> collections;
    std::string file;  // Where it came from, for messages.
};

template <class Visitor>
void fields(Visitor& visit, Manifest& manifest) {
    visit("app", manifest.app, "Short name, in URLs; the file is called so too.",
          {.required = true, .check = check_slug, .pattern = slug_pattern});
    visit("title", manifest.title, "The name that people know.", {.required = true, .length_max = 100});
    visit("summary", manifest.summary, "What it is, in a line.");
    visit("project", manifest.firebase_project, "Firebase project whose users these are.",
          {.required = true, .check = check_project, .pattern = project_pattern});
    visit("roles", manifest.roles, "Values of the claim \"role\" that tokens of this project may have.",
          {.may_be_empty = true, .items_max = roles_max, .check = check_role, .pattern = role_pattern});
    visit("cors", manifest.cors, "Which sites' scripts may call.");
    visit("limit", manifest.limit, "Per caller: user, API key, or address of who has no token.");
    visit("tenant_limit", manifest.tenant_limit, "For all callers of the app together.");
    visit.named("upstreams", manifest.upstreams, &UpstreamSettings::name,
                "Servers behind the gateway, by name.",
                {.items_max = upstreams_max, .check = check_slug, .pattern = slug_pattern});
    visit("routes", manifest.routes, "What the upstreams answer.",
          {.may_be_empty = true, .items_max = routes_max});
    visit.named("collections", manifest.collections, &CollectionSettings::name,
                "What the app keeps, by name; docs/data.md explains all of it.",
                {.items_max = collections_max, .check = check_identifier, .pattern = identifier_pattern});
}

}  // namespace integreat::config
