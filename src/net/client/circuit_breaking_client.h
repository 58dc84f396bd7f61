// SPDX-License-Identifier: Apache-2.0
// An HTTP client for apps' own servers that returns whole responses instead of proxying them. It shares the
// circuit breaker with the reverse proxy, so that neither calls a failing server.
#pragma once

#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "base/concurrency/synchronized.h"
#include "http/transport/client.h"
#include "net/proxy/upstream_pool.h"

namespace integreat::net {

class CircuitBreakingClient final : public http::HttpClient {
public:
    // Sends requests through `client`; requests without an upstream are passed through.
    CircuitBreakingClient(http::HttpClient& client, UpstreamRegistry& upstreams, const Clock& clock);

    Result<http::FullResponse> fetch(const http::ClientRequest& request) override;

private:
    struct Entry {
        std::shared_ptr<UpstreamState> state;
        Monotonic last_used;
    };
    std::shared_ptr<UpstreamState> find_state(const http::Upstream& upstream, Monotonic now);

    http::HttpClient& client_;
    UpstreamRegistry& upstreams_;
    const Clock& clock_;
    Synchronized<std::unordered_map<std::string, Entry>>
        entries_;  // Keeps the health of upstreams between requests.
};

}  // namespace integreat::net
