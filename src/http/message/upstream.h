// SPDX-License-Identifier: Apache-2.0
// A server behind the gateway that an app's manifest names. The description is immutable; what is known
// of its health lives in net/, found by `key`, and so survives a reload that does not change it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/id.h"

namespace integreat::http {

struct Upstream {
    TenantId tenant;
    std::string name;  // As the manifest calls it; unique within the tenant.
    std::string key;   // "campus/portal http://127.0.0.1:9301": same key, same pool, same health.

    bool secure = false;
    std::string host;  // A name or an address without brackets.
    std::uint16_t port = 80;
    std::string path_prefix;  // Put before the target; empty or "/base" without a slash at the end.
    bool forward_authorization = false;  // Off: the upstream is told who asks by Integreat-* fields only.

    std::chrono::milliseconds connect_timeout{2'000};
    std::chrono::milliseconds response_timeout{30'000};  // Until the head of the answer.
    std::chrono::milliseconds idle_timeout{60'000};      // Between two bytes of a stream, both directions.
    int connections_max = 256;                           // Beyond them: 503 with Retry-After.
    int retries_max = 1;       // Of idempotent methods with no body sent, on a connection failure.
    int breaker_failures = 5;  // In a row open the circuit...
    std::chrono::milliseconds breaker_open{5'000};  // ...for this long; then one request probes.
};

}  // namespace integreat::http
