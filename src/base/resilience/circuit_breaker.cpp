// SPDX-License-Identifier: Apache-2.0
#include "base/resilience/circuit_breaker.h"

#include <algorithm>
#include <utility>

namespace integreat {

namespace {

constexpr auto relaxed = std::memory_order_relaxed;

std::int64_t nanoseconds(Monotonic time) {
    // A clock at zero must not look like "closed".
    return std::max<std::int64_t>(1, std::chrono::nanoseconds(time.time_since_epoch()).count());
}

}  // namespace

CircuitBreaker::Permit::Permit(Permit&& other) noexcept
    : granted_(other.granted_),
      probed_(std::exchange(other.probed_, nullptr)),
      retry_after_(other.retry_after_) {}

CircuitBreaker::Permit& CircuitBreaker::Permit::operator=(Permit&& other) noexcept {
    release();
    granted_ = other.granted_;
    probed_ = std::exchange(other.probed_, nullptr);
    retry_after_ = other.retry_after_;
    return *this;
}

void CircuitBreaker::Permit::release() {
    if (auto* breaker = std::exchange(probed_, nullptr)) breaker->probing_.store(false, relaxed);
}

CircuitBreaker::Permit CircuitBreaker::try_acquire(Monotonic now) {
    Permit permit;
    auto until = open_until_.load(relaxed);
    if (until == 0) {
        permit.granted_ = true;
        return permit;
    }
    auto left = std::chrono::nanoseconds(until - nanoseconds(now));
    if (left.count() <= 0 && !probing_.exchange(true, relaxed)) {
        permit.granted_ = true;
        permit.probed_ = this;
        return permit;
    }
    permit.retry_after_ =
        std::max(std::chrono::ceil<std::chrono::milliseconds>(left), std::chrono::milliseconds(1));
    return permit;
}

void CircuitBreaker::record_success(Permit& permit) {
    // While open, the success of an older request proves less than the probe will.
    if (permit.is_probe()) open_until_.store(0, relaxed);
    if (failures_.load(relaxed) != 0) failures_.store(0, relaxed);
    permit.release();
}

void CircuitBreaker::record_failure(Permit& permit, Monotonic now, const CircuitBreakerSettings& settings) {
    int failures = failures_.fetch_add(1, relaxed) + 1;
    auto until = nanoseconds(now + settings.open);
    if (permit.is_probe()) {
        open_until_.store(until, relaxed);
    } else if (failures >= settings.failures) {
        // Requests in flight when the circuit opened do not prolong it.
        std::int64_t closed = 0;
        open_until_.compare_exchange_strong(closed, until, relaxed);
    }
    permit.release();
}

CircuitBreaker::State CircuitBreaker::state(Monotonic now) const {
    auto until = open_until_.load(relaxed);
    if (until == 0) return State::closed;
    return until > nanoseconds(now) ? State::open : State::half_open;
}

}  // namespace integreat
