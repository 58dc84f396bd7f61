// SPDX-License-Identifier: Apache-2.0
// HTTP out to apps' own servers, when an answer is wanted whole instead of relayed. It asks the circuit
// breaker that relays to the same server ask, so that either way a failing server is left alone.
#pragma once

#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "base/concurrency/synchronized.h"
#include "http/transport/client.h"
#include "net/proxy/upstream_pool.h"

namespace integreat::net {

class UpstreamOutbound final : public http::Outbound {
public:
    // Requests go out by `outbound`; those that name no upstream are none of our business.
    UpstreamOutbound(http::Outbound& outbound, Upstreams& upstreams, const Clock& clock);

    Result<http::Reply> fetch(const http::OutboundRequest& request) override;

private:
    struct Known {
        std::shared_ptr<UpstreamState> state;
        Monotonic last_used;
    };
    std::shared_ptr<UpstreamState> state_of(const http::Upstream& upstream, Monotonic now);

    http::Outbound& outbound_;
    Upstreams& upstreams_;
    const Clock& clock_;
    Guarded<std::unordered_map<std::string, Known>> known_;  // So that their health outlives a request.
};

}  // namespace integreat::net
