// SPDX-License-Identifier: Apache-2.0
// Names for each request: our own id, which is answered and logged everywhere, and the W3C trace it is part
// of (https://www.w3.org/TR/trace-context/, level 1). An id that a client sends is never taken for ours: it
// could be chosen to collide. A well-formed traceparent is continued with a span of this hop.
//
// These names are unique, not secret: a generator per thread slot (xoshiro256**), seeded once from Random.
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

class Numbering {
public:
    explicit Numbering(Random& random);

    // Fills call.id from call.started and call.trace from `traceparent` (empty: a new trace).
    void number(http::Call& call, std::string_view traceparent);

private:
    using State = std::array<std::uint64_t, 4>;
    struct alignas(64) Slot {
        Guarded<State> state;
    };
    std::array<Slot, thread_slots> slots_;
};

// Fills trace_id and sampled; false for anything that is not a valid traceparent.
bool read_traceparent(std::string_view text, http::TraceContext& trace);

// "00-<trace_id>-<parent_id>-01": what the next hop is told.
std::string traceparent_of(const http::TraceContext& trace);

}  // namespace integreat::gateway
