// SPDX-License-Identifier: Apache-2.0
#include "net/client/circuit_breaking_client.h"

namespace integreat::net {

namespace {

constexpr std::chrono::seconds entry_ttl{60};  // Time without a request; the same as in UpstreamPools.

}  // namespace

CircuitBreakingClient::CircuitBreakingClient(http::HttpClient& client, UpstreamRegistry& upstreams,
                                             const Clock& clock)
    : client_(client), upstreams_(upstreams), clock_(clock) {}

std::shared_ptr<UpstreamState> CircuitBreakingClient::find_state(const http::Upstream& upstream,
                                                                 Monotonic now) {
    auto state = upstreams_.find_or_create(upstream);
    auto entries = entries_.lock();
    std::erase_if(*entries, [&](const auto& entry) { return now - entry.second.last_used > entry_ttl; });
    entries->insert_or_assign(upstream.key, Entry{state, now});
    return state;
}

Result<http::FullResponse> CircuitBreakingClient::fetch(const http::ClientRequest& request) {
    if (!request.upstream) return client_.fetch(request);
    const auto& upstream = *request.upstream;
    auto now = clock_.monotonic();
    auto state = find_state(upstream, now);
    auto permit = state->breaker.try_acquire(now);
    if (!permit) {
        return Error{Fault::exhausted, "the server failed repeatedly, and its circuit breaker is open",
                     "not_sent: upstream " + upstream.key + ": the circuit is open"};
    }
    auto response = client_.fetch(request);
    bool unavailable = !response && response.error().fault == Fault::unavailable;
    if (unavailable || (response && counts_as_failure(response->status))) {
        state->breaker.record_failure(permit, clock_.monotonic(),
                                      {.failures = upstream.breaker_failures, .open = upstream.breaker_open});
    } else if (response) {
        state->breaker.record_success(permit);
    }
    return response;
}

}  // namespace integreat::net
