// SPDX-License-Identifier: Apache-2.0
#include "base/resilience/circuit_breaker.h"

#include <algorithm>
#include <utility>

namespace integreat {

namespace {

constexpr auto relaxed = std::memory_order_relaxed;
constexpr int retry_price = 5;                  // One retry per five requests.
constexpr int balance_max = 100 * retry_price;  // A long calm does not buy a storm.
constexpr int unearned_per_second = 3;

std::int64_t nanoseconds(Monotonic time) {
    // A clock that stands at zero must not look like "closed".
    return std::max<std::int64_t>(1, std::chrono::nanoseconds(time.time_since_epoch()).count());
}

}  // namespace

Breaker::Pass::Pass(Pass&& other) noexcept
    : granted_(other.granted_),
      probed_(std::exchange(other.probed_, nullptr)),
      retry_after_(other.retry_after_) {}

Breaker::Pass& Breaker::Pass::operator=(Pass&& other) noexcept {
    release();
    granted_ = other.granted_;
    probed_ = std::exchange(other.probed_, nullptr);
    retry_after_ = other.retry_after_;
    return *this;
}

void Breaker::Pass::release() {
    if (auto* breaker = std::exchange(probed_, nullptr)) breaker->probing_.store(false, relaxed);
}

Breaker::Pass Breaker::admit(Monotonic now) {
    Pass pass;
    auto until = open_until_.load(relaxed);
    if (until == 0) {
        pass.granted_ = true;
        return pass;
    }
    auto left = std::chrono::nanoseconds(until - nanoseconds(now));
    if (left.count() <= 0 && !probing_.exchange(true, relaxed)) {
        pass.granted_ = true;
        pass.probed_ = this;
        return pass;
    }
    pass.retry_after_ =
        std::max(std::chrono::ceil<std::chrono::milliseconds>(left), std::chrono::milliseconds(1));
    return pass;
}

void Breaker::succeeded(Pass& pass) {
    // While open, the late success of an older request proves less than the probe will.
    if (pass.probe()) open_until_.store(0, relaxed);
    if (failures_.load(relaxed) != 0) failures_.store(0, relaxed);
    pass.release();
}

void Breaker::failed(Pass& pass, Monotonic now, const BreakerSettings& settings) {
    int failures = failures_.fetch_add(1, relaxed) + 1;
    auto until = nanoseconds(now + settings.open);
    if (pass.probe()) {
        open_until_.store(until, relaxed);
    } else if (failures >= settings.failures) {
        // Requests that were under way when it opened do not prolong it.
        std::int64_t closed = 0;
        open_until_.compare_exchange_strong(closed, until, relaxed);
    }
    pass.release();
}

Breaker::State Breaker::state(Monotonic now) const {
    auto until = open_until_.load(relaxed);
    if (until == 0) return State::closed;
    return until > nanoseconds(now) ? State::open : State::half_open;
}

void RetryBudget::earn() {
    if (balance_.load(relaxed) < balance_max) balance_.fetch_add(1, relaxed);
}

bool RetryBudget::spend(Monotonic now) {
    if (balance_.fetch_sub(retry_price, relaxed) >= retry_price) return true;
    balance_.fetch_add(retry_price, relaxed);
    auto second = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
    if (second_.exchange(second, relaxed) != second) this_second_.store(0, relaxed);
    return this_second_.fetch_add(1, relaxed) < unearned_per_second;
}

}  // namespace integreat
