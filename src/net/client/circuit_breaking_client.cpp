// SPDX-License-Identifier: Apache-2.0
#include "net/client/circuit_breaking_client.h"

namespace integreat::net {

namespace {

constexpr std::chrono::seconds remembered{60};  // Without a request; as long as relays remember.

}  // namespace

UpstreamOutbound::UpstreamOutbound(http::Outbound& outbound, Upstreams& upstreams, const Clock& clock)
    : outbound_(outbound), upstreams_(upstreams), clock_(clock) {}

std::shared_ptr<UpstreamState> UpstreamOutbound::state_of(const http::Upstream& upstream, Monotonic now) {
    auto state = upstreams_.state_of(upstream);
    auto known = known_.lock();
    std::erase_if(*known, [&](const auto& entry) { return now - entry.second.last_used > remembered; });
    known->insert_or_assign(upstream.key, Known{state, now});
    return state;
}

Result<http::Reply> UpstreamOutbound::fetch(const http::OutboundRequest& request) {
    if (!request.upstream) return outbound_.fetch(request);
    const auto& upstream = *request.upstream;
    auto now = clock_.monotonic();
    auto state = state_of(upstream, now);
    auto pass = state->breaker.admit(now);
    if (!pass) {
        return Error{Fault::exhausted, "the server failed repeatedly and is given a pause",
                     "not_sent: upstream " + upstream.key + ": the circuit is open"};
    }
    auto answer = outbound_.fetch(request);
    bool no_answer = !answer && answer.error().fault == Fault::unavailable;
    if (no_answer || (answer && counts_as_failure(answer->status))) {
        state->breaker.failed(pass, clock_.monotonic(),
                              {.failures = upstream.breaker_failures, .open = upstream.breaker_open});
    } else if (answer) {
        state->breaker.succeeded(pass);
    }
    return answer;
}

}  // namespace integreat::net
