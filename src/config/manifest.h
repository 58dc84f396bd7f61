// SPDX-License-Identifier: Apache-2.0
// One application, as apps/<app>.yaml says it. Adding a tenant is adding one such file.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/id.h"
#include "http/route.h"

namespace integreat::config {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct CorsSettings {
    std::vector<std::string> origins;  // "https://campus.example" or "http://localhost:*"; empty: no CORS.
    std::vector<std::string> headers{"Authorization", "Content-Type", "Idempotency-Key", "If-Match"};
    bool credentials = false;
    seconds max_age{600};
};

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

struct LimitSettings {
    std::uint32_t requests = 600;
    seconds window{60};
    std::uint32_t burst = 100;
};

struct RouteSettings {
    std::string path;  // Below /v1/apps/<app>: "/portal/{rest...}".
    std::vector<std::string> methods{"GET"};
    std::string upstream;
    std::string target;  // Default: the same path.
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

struct Manifest {
    TenantId app;                  // Key "app"; equals the file's name.
    std::string title;             // "Campus"
    std::string summary;
    std::string firebase_project;  // Key "project".
    std::vector<std::string> roles;
    CorsSettings cors;
    LimitSettings limit;  // Per principal, all routes of the app unless a route has its own.
    LimitSettings tenant_limit{.requests = 60'000, .window = seconds(60), .burst = 5'000};
    std::vector<UpstreamSettings> upstreams;
    std::vector<RouteSettings> routes;
    std::string file;  // Where it came from, for messages.
};

}  // namespace integreat::config
