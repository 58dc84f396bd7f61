// SPDX-License-Identifier: Apache-2.0
// A server behind the gateway that an app's manifest configures. The description is immutable; net/ keeps its
// connections and health, found by `key`, so that they survive a reload that does not change the upstream.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/id.h"

namespace integreat::http {

struct Upstream {
    TenantId tenant;
    std::string name;  // Name in the manifest; unique within the tenant.
    std::string key;   // Identity of pool and health: "campus/portal http://127.0.0.1:9301".

    bool secure = false;
    std::string host;  // Host name, or address without brackets.
    std::uint16_t port = 80;
    std::string path_prefix;             // Prefix of the target; empty or "/base" without a trailing slash.
    bool forward_authorization = false;  // False: Integreat-* fields alone identify the caller.

    std::chrono::milliseconds connect_timeout{2'000};
    std::chrono::milliseconds response_timeout{30'000};  // Time until the head of the response.
    std::chrono::milliseconds idle_timeout{
        60'000};                // Time between two bytes of a stream, in both directions.
    int max_connections = 256;  // Connections; more requests get 503 with Retry-After.
    int max_retries = 1;        // Retries of idempotent methods with no body sent, on a connection failure.
    int breaker_failures = 5;   // Consecutive failures that open the circuit.
    std::chrono::milliseconds breaker_open{5'000};  // Time until one request probes an open circuit.
};

}  // namespace integreat::http
