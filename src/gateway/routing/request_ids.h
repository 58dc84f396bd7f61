// SPDX-License-Identifier: Apache-2.0
// Identifiers of a request: our own ID, which every response and log carries, and the W3C trace of the
// request (https://www.w3.org/TR/trace-context/, level 1). An ID sent by a client is never reused: it could
// be chosen to collide. A well-formed traceparent is continued with a span for this hop.
//
// These identifiers are unique, not secret: one generator per thread shard (xoshiro256**), seeded from
// Random.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/concurrency/synchronized.h"
#include "base/concurrency/thread_shard.h"
#include "base/random.h"
#include "http/routing/request_context.h"

namespace integreat::gateway {

class RequestIdGenerator {
public:
    explicit RequestIdGenerator(Random& random);

    // Sets context.id, from context.started, and context.trace, from `traceparent` (empty: a new trace).
    void assign(http::RequestContext& context, std::string_view traceparent);

private:
    using State = std::array<std::uint64_t, 4>;
    struct alignas(64) Shard {
        Synchronized<State> state;
    };
    std::array<Shard, thread_shards> shards_;
};

// Sets trace_id and sampled; returns false if `text` is not a valid traceparent.
bool parse_traceparent(std::string_view text, http::TraceContext& trace);

// "00-<trace_id>-<parent_id>-01", the header for the next hop.
std::string format_traceparent(const http::TraceContext& trace);

}  // namespace integreat::gateway
