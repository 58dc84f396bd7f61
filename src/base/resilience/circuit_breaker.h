// SPDX-License-Identifier: Apache-2.0
// Two small state machines that keep a failing upstream from being hammered, shared by all I/O threads and
// so made of relaxed atomics: being off by one request does no harm, a lock on the hot path would.
//
// Breaker: closed → open after so many failures in a row → after a pause one request probes (half-open)
// → closed or open again. RetryBudget: retries may be a fifth of the requests, and never so few that a
// quiet upstream gets none (as in Envoy's and Finagle's retry budgets).
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "base/time.h"

namespace integreat {

struct BreakerSettings {
    int failures = 5;
    std::chrono::milliseconds open{5'000};
};

class Breaker {
public:
    enum class State { closed, open, half_open };

    // The right to send one request. Its verdict is told with succeeded or failed; a Pass that goes without
    // one (the client left first) counts as neither.
    class Pass {
    public:
        Pass() = default;
        Pass(Pass&& other) noexcept;
        Pass& operator=(Pass&& other) noexcept;
        ~Pass() { release(); }

        explicit operator bool() const { return granted_; }
        bool probe() const { return probed_ != nullptr; }
        // When not granted: how long until asking again makes sense.
        std::chrono::milliseconds retry_after() const { return retry_after_; }

    private:
        friend class Breaker;
        void release();

        bool granted_ = false;
        Breaker* probed_ = nullptr;
        std::chrono::milliseconds retry_after_{0};
    };

    Pass admit(Monotonic now);
    void succeeded(Pass& pass);
    void failed(Pass& pass, Monotonic now, const BreakerSettings& settings);

    State state(Monotonic now) const;
    int failures() const { return failures_.load(std::memory_order_relaxed); }

private:
    std::atomic<int> failures_{0};             // In a row.
    std::atomic<std::int64_t> open_until_{0};  // Nanoseconds of the monotonic clock; 0 while closed.
    std::atomic<bool> probing_{false};
};

// Of an answer: the upstream's own gateway says that nobody is there, or it has no room.
constexpr bool counts_as_failure(int status) {
    return status == 502 || status == 503 || status == 504;
}

class RetryBudget {
public:
    // A request (not a retry) was sent.
    void earn();
    // Whether a retry may be sent now; if so it is paid for.
    bool spend(Monotonic now);

private:
    std::atomic<int> balance_{0};          // In fifths of a retry.
    std::atomic<std::int64_t> second_{0};  // The second that `this_second_` counts in.
    std::atomic<int> this_second_{0};      // Retries granted without being earned.
};

}  // namespace integreat
