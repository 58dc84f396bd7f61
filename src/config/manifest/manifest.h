// SPDX-License-Identifier: Apache-2.0
// The manifest of an application, apps/<app>.yaml. Each such file adds a tenant.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/id.h"
#include "config/collections/collection_settings.h"
#include "config/manifest/opened_files.h"
#include "config/model/model.h"
#include "config/validators/validators.h"
#include "json/binding/fields.h"

namespace integreat::config {

using json::to_ms;
using std::chrono::milliseconds;
using std::chrono::seconds;
using namespace std::chrono_literals;

inline constexpr std::size_t max_routes = 1'000;  // Per app.
inline constexpr std::size_t max_upstreams = 50;
inline constexpr std::size_t max_roles = 50;

struct CorsSettings {
    std::vector<std::string> origins;  // "https://campus.example" or "http://localhost:*"; empty: no CORS.
    std::vector<std::string> headers{"Authorization", "Content-Type", "Idempotency-Key", "If-Match"};
    bool credentials = false;
    seconds max_age{600};
};

template <class Visitor>
void fields(Visitor& visit, CorsSettings& cors) {
    visit(
        "origins", cors.origins,
        "Origins whose scripts may call the app: https://campus.example, or http://localhost:* for any port.",
        {.may_be_empty = true, .max_items = 50, .check = check_origin});
    visit("headers", cors.headers, "Request headers that scripts may set.",
          {.may_be_empty = true, .max_items = 50, .check = check_header_name});
    visit("credentials", cors.credentials, "Allow cookies. Not needed for tokens in Authorization.");
    visit("max_age", cors.max_age, "Time that a browser may cache a preflight response.",
          {.minimum = 0, .maximum = to_ms(24h)});
}

struct UpstreamSettings {
    std::string name;
    std::string url;  // "http://127.0.0.1:9301/base" or "env:CAMPUS_PORTAL_URL"
    bool forward_authorization = false;
    milliseconds connect_timeout{2'000};
    milliseconds response_timeout{30'000};
    milliseconds idle_timeout{60'000};
    int max_connections = 256;
    int max_retries = 1;
    int breaker_failures = 5;
    milliseconds breaker_open{5'000};
    bool idempotent = false;  // Supports Idempotency-Key: an interrupted request may be retried.
};

template <class Visitor>
void fields(Visitor& visit, UpstreamSettings& upstream) {
    visit("url", upstream.url, "Base URL: http or https, host, port, and a prefix of every target path.",
          {.required = true, .check = check_url, .reference = true});
    visit("forward_authorization", upstream.forward_authorization,
          "Forward the caller's token. The Integreat-* headers identify the caller in any case.");
    visit("connect_timeout", upstream.connect_timeout, "Timeout for opening a connection.",
          {.minimum = to_ms(10ms), .maximum = to_ms(1min)});
    visit("response_timeout", upstream.response_timeout, "Timeout until the head of the response.",
          {.minimum = to_ms(10ms), .maximum = to_ms(10min)});
    visit("idle_timeout", upstream.idle_timeout, "Timeout between two reads of a stream.",
          {.minimum = to_ms(100ms), .maximum = to_ms(1h)});
    visit("max_connections", upstream.max_connections,
          "Maximum number of connections; more requests get 503 with Retry-After.",
          {.minimum = 1, .maximum = 10'000});
    visit("max_retries", upstream.max_retries,
          "Maximum number of retries of a request that cannot have had an effect.",
          {.minimum = 0, .maximum = 5});
    visit("breaker_failures", upstream.breaker_failures,
          "Consecutive failures that open the circuit breaker.", {.minimum = 1, .maximum = 1'000});
    visit("breaker_open", upstream.breaker_open,
          "Time until the open circuit breaker lets one request probe the upstream.",
          {.minimum = to_ms(100ms), .maximum = to_ms(10min)});
    visit("idempotent", upstream.idempotent,
          "The upstream supports Idempotency-Key, so that an interrupted request may be retried.");
}

struct LimitSettings {
    std::uint32_t requests = 600;
    seconds window{60};
    std::uint32_t burst = 100;
};

template <class Visitor>
void fields(Visitor& visit, LimitSettings& limit) {
    visit("requests", limit.requests, "Number of requests per window.",
          {.minimum = 1, .maximum = 10'000'000});
    visit("window", limit.window, "Length of the window; the quota refills evenly.",
          {.minimum = to_ms(1s), .maximum = to_ms(24h)});
    visit("burst", limit.burst, "Number of requests that may be sent in a burst.",
          {.minimum = 1, .maximum = 1'000'000});
}

struct RouteSettings {
    std::string name;  // Operation name after the app's name; empty: derived from the path.
    std::string path;  // Path below /v1/apps/<app>: "/portal/{rest...}".
    std::vector<std::string> methods{"GET"};
    std::string upstream;
    std::string target;              // Target path at the upstream; empty: `path`.
    std::vector<std::string> roles;  // Empty without `public`: any signed-in user.
    bool is_public = false;          // Key "public".
    std::string scope;
    std::size_t max_body_bytes = 1024 * 1024;
    std::string idempotency = "off";  // off | accepted | required
    milliseconds timeout{30'000};
    bool log_bodies = false;
    std::optional<LimitSettings> limit;
    std::string summary;
};

template <class Visitor>
void fields(Visitor& visit, RouteSettings& route) {
    visit("path", route.path,
          "Path below /v1/apps/NAME: `/portal/{rest...}`. `{id}` matches one segment, `{rest...}` the rest "
          "of the path.",
          {.required = true, .check = check_path});
    visit("methods", route.methods, "HTTP methods. GET includes HEAD; the gateway handles OPTIONS.",
          {.choices = {"GET", "POST", "PUT", "PATCH", "DELETE"}});
    visit("upstream", route.upstream, "Name of the upstream.", {.required = true});
    visit("target", route.target,
          "Target path at the upstream, with the parameters of `path`. Default: `path`.",
          {.check = check_target});
    visit("roles", route.roles, "Roles that may call the route. Default: every signed-in user of the app.",
          {.max_items = max_roles});
    visit("public", route.is_public, "Allow calls without a token.");
    visit("scope", route.scope, "Scope with which API keys may call the route. Default: no API keys.",
          {.check = check_scope, .pattern = scope_pattern});
    visit("max_body_bytes", route.max_body_bytes, "Maximum size of the request body; a larger one gets 413.",
          {.minimum = 0, .maximum = 1'073'741'824, .bytes = true});
    visit("idempotency", route.idempotency, "Support for the Idempotency-Key header.",
          {.choices = {"off", "accepted", "required"}});
    visit("timeout", route.timeout, "Timeout until the response starts; it bounds every wait on the way.",
          {.minimum = to_ms(10ms), .maximum = to_ms(10min)});
    visit("log_bodies", route.log_bodies,
          "Write bodies to the transaction log, with personal fields redacted.");
    visit("limit", route.limit, "Rate limit per caller, instead of the app's.");
    visit("name", route.name, "Name in metrics and docs. Default: derived from the path, `portal-rest`.",
          {.check = check_slug, .pattern = slug_pattern});
    visit("summary", route.summary, "One line for the documentation.");
}

inline constexpr std::int64_t manifest_format = 1;  // Version that this program reads.

struct Manifest {
    std::int64_t format = manifest_format;  // Key "integreat".
    TenantId app;                           // Equals the file name without extension.
    std::string title;                      // "Campus"
    std::string summary;
    std::string firebase_project;  // Key "project".
    std::vector<std::string> roles;
    CorsSettings cors;
    LimitSettings limit;  // Per principal, for all routes without their own limit.
    std::optional<std::uint32_t> max_records_per_window;
    LimitSettings tenant_limit{.requests = 60'000, .window = seconds(60), .burst = 5'000};
    std::vector<UpstreamSettings> upstreams;
    std::vector<RouteSettings> routes;
    std::vector<CollectionSettings> collections;
    std::vector<OpenedFilesSettings> files;
    std::string file;                    // File name, for messages.
    std::shared_ptr<const Model> model;  // Compiled from `collections`; null while the manifest has errors.
};

template <class Visitor>
void fields(Visitor& visit, Manifest& manifest) {
    visit("integreat", manifest.format, "Format version of the manifest.",
          {.minimum = manifest_format, .maximum = manifest_format});
    visit("app", manifest.app, "Short name in URLs; equals the file name.",
          {.required = true, .check = check_slug, .pattern = slug_pattern});
    visit("title", manifest.title, "Display name.", {.required = true, .max_length = 100});
    visit("summary", manifest.summary, "One line about the app.");
    visit("project", manifest.firebase_project, "Firebase project of the app's users.",
          {.required = true, .check = check_project, .pattern = project_pattern});
    visit("roles", manifest.roles,
          "Roles of the app: the values of the claim \"role\" in tokens of this project.",
          {.may_be_empty = true, .max_items = max_roles, .check = check_role, .pattern = role_pattern});
    visit("cors", manifest.cors, "Cross-origin resource sharing.");
    visit("limit", manifest.limit,
          "Rate limit per caller: user, API key, or client address without a token.");
    visit(
        "max_records_per_window", manifest.max_records_per_window,
        "Number of records that a caller may create by lists and imports per window of `limit`. The request "
        "that exceeds it is served; the next list or import waits. Default: 100 times the requests of "
        "`limit`.",
        {.minimum = 1, .maximum = 1'000'000'000});
    visit("tenant_limit", manifest.tenant_limit, "Rate limit for all callers of the app together.");
    visit.map_of("upstreams", manifest.upstreams, &UpstreamSettings::name,
                 "Servers behind the gateway, by name.",
                 {.max_items = max_upstreams, .check = check_slug, .pattern = slug_pattern});
    visit("routes", manifest.routes, "Routes to the upstreams.",
          {.may_be_empty = true, .max_items = max_routes});
    visit.map_of("collections", manifest.collections, &CollectionSettings::name,
                 "Collections of records, by name; explained in docs/describe-an-app/.",
                 {.max_items = max_collections, .check = check_identifier, .pattern = identifier_pattern});
    visit("files", manifest.files,
          "Prefixes of the app's bucket that are open to more users than the owner of a file; explained in "
          "docs/describe-an-app/files.md.",
          {.may_be_empty = true, .max_items = max_opened_files});
}

}  // namespace integreat::config
