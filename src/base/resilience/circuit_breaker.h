// SPDX-License-Identifier: Apache-2.0
// A circuit breaker: closed → open after a number of consecutive failures → after a pause one request probes
// (half-open) → closed or open again. Shared by all I/O threads and made of relaxed atomics: being off by one
// request does no harm, a lock on the hot path would.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "base/time.h"

namespace integreat {

struct CircuitBreakerSettings {
    int failures = 5;                       // Consecutive failures that open the circuit.
    std::chrono::milliseconds open{5'000};  // Time until a probe is permitted.
};

class CircuitBreaker {
public:
    enum class State { closed, open, half_open };

    // The permission to send one request. Its result is reported with record_success or record_failure; a
    // permit destroyed without a result (the client disconnected first) counts as neither.
    class Permit {
    public:
        Permit() = default;
        Permit(Permit&& other) noexcept;
        Permit& operator=(Permit&& other) noexcept;
        ~Permit() { release(); }

        explicit operator bool() const { return granted_; }
        bool is_probe() const { return probed_ != nullptr; }
        // Returns the time until the next attempt makes sense, if the permit is not granted.
        std::chrono::milliseconds retry_after() const { return retry_after_; }

    private:
        friend class CircuitBreaker;
        void release();

        bool granted_ = false;
        CircuitBreaker* probed_ = nullptr;
        std::chrono::milliseconds retry_after_{0};
    };

    Permit try_acquire(Monotonic now);
    void record_success(Permit& permit);
    void record_failure(Permit& permit, Monotonic now, const CircuitBreakerSettings& settings);

    State state(Monotonic now) const;
    int failures() const { return failures_.load(std::memory_order_relaxed); }

private:
    std::atomic<int> failures_{0};             // Consecutive failures.
    std::atomic<std::int64_t> open_until_{0};  // Nanoseconds of the monotonic clock; 0 while closed.
    std::atomic<bool> probing_{false};
};

// Returns whether a response status counts as a failure of the upstream: its own gateway reaches no server,
// or it is overloaded.
constexpr bool counts_as_failure(int status) {
    return status == 502 || status == 503 || status == 504;
}

}  // namespace integreat
