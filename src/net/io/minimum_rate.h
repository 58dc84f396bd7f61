// SPDX-License-Identifier: Apache-2.0
// The minimum rate of a client that sends a body or reads a response, as Kestrel's MinRequestBodyDataRate: it
// may keep us waiting for one timeout, and longer only as long as the bytes it has moved pay for. A timeout
// between two reads alone lets a client hold a request for hours with a byte now and then. Only the time
// spent waiting for the client counts.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "base/time.h"

namespace integreat::net {

class MinimumRate {
public:
    // No rate if `bytes_per_second` is 0: then each wait may take `timeout`.
    MinimumRate(std::chrono::milliseconds timeout, std::uint64_t bytes_per_second)
        : timeout_(timeout), bytes_per_second_(bytes_per_second) {}

    void begin() {
        bytes_ = 0;
        waited_ = {};
    }

    // Returns the end of a wait for the client that begins now.
    Monotonic deadline(Monotonic now) const {
        if (bytes_per_second_ == 0) return now + timeout_;
        auto earned = std::chrono::nanoseconds(timeout_) + std::chrono::seconds(bytes_ / bytes_per_second_);
        return now + std::min(std::chrono::nanoseconds(timeout_), earned - waited_);
    }

    void add(std::uint64_t bytes) { bytes_ += bytes; }
    std::uint64_t bytes() const { return bytes_; }
    void add_wait(std::chrono::nanoseconds time) { waited_ += time; }

private:
    std::chrono::milliseconds timeout_;
    std::uint64_t bytes_per_second_;
    std::uint64_t bytes_ = 0;
    std::chrono::nanoseconds waited_{0};
};

}  // namespace integreat::net
