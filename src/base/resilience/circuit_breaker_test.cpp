// SPDX-License-Identifier: Apache-2.0
#include "base/resilience/circuit_breaker.h"

#include <gtest/gtest.h>

#include "base/clock.h"

namespace integreat {

namespace {

using namespace std::chrono_literals;

class CircuitBreakerTest : public testing::Test {
protected:
    void fail() {
        auto permit = breaker.try_acquire(clock.monotonic());
        ASSERT_TRUE(permit);
        breaker.record_failure(permit, clock.monotonic(), settings);
    }
    void succeed() {
        auto permit = breaker.try_acquire(clock.monotonic());
        ASSERT_TRUE(permit);
        breaker.record_success(permit);
    }
    void open_circuit() {
        for (int i = 0; i < settings.failures; ++i)
            fail();
    }
    CircuitBreaker::State state() const { return breaker.state(clock.monotonic()); }

    FixedClock clock;
    CircuitBreakerSettings settings{.failures = 3, .open = 5s};
    CircuitBreaker breaker;
};

TEST_F(CircuitBreakerTest, StaysClosedWhileFailuresAreNotInARow) {
    for (int i = 0; i < 10; ++i) {
        fail();
        fail();
        succeed();
    }
    EXPECT_EQ(state(), CircuitBreaker::State::closed);
    EXPECT_EQ(breaker.failures(), 0);
}

TEST_F(CircuitBreakerTest, OpensAfterFailuresInARowAndReturnsRetryAfter) {
    open_circuit();
    EXPECT_EQ(state(), CircuitBreaker::State::open);
    clock.advance(2s);
    auto denied = breaker.try_acquire(clock.monotonic());
    EXPECT_FALSE(denied);
    EXPECT_EQ(denied.retry_after(), 3s);
}

TEST_F(CircuitBreakerTest, PermitsOneProbeAfterThePause) {
    open_circuit();
    clock.advance(5s);
    EXPECT_EQ(state(), CircuitBreaker::State::half_open);
    auto probe = breaker.try_acquire(clock.monotonic());
    EXPECT_TRUE(probe);
    EXPECT_TRUE(probe.is_probe());
    EXPECT_FALSE(breaker.try_acquire(clock.monotonic())) << "a second request must wait for the probe";
    breaker.record_success(probe);
    EXPECT_EQ(state(), CircuitBreaker::State::closed);
    EXPECT_TRUE(breaker.try_acquire(clock.monotonic()));
}

TEST_F(CircuitBreakerTest, OpensAgainWhenTheProbeFails) {
    open_circuit();
    clock.advance(5s);
    fail();
    EXPECT_EQ(state(), CircuitBreaker::State::open);
    clock.advance(4999ms);
    EXPECT_FALSE(breaker.try_acquire(clock.monotonic()));
    clock.advance(1ms);
    EXPECT_TRUE(breaker.try_acquire(clock.monotonic()));
}

TEST_F(CircuitBreakerTest, AProbeWithoutResultPermitsTheNext) {
    open_circuit();
    clock.advance(5s);
    { auto abandoned = breaker.try_acquire(clock.monotonic()); }
    auto next = breaker.try_acquire(clock.monotonic());
    EXPECT_TRUE(next.is_probe());
}

TEST_F(CircuitBreakerTest, RequestsInFlightNeitherProlongNorCloseIt) {
    auto late_success = breaker.try_acquire(clock.monotonic());
    auto late_failure = breaker.try_acquire(clock.monotonic());
    open_circuit();
    clock.advance(4s);
    breaker.record_success(late_success);
    breaker.record_failure(late_failure, clock.monotonic(), settings);
    EXPECT_EQ(state(), CircuitBreaker::State::open);
    clock.advance(1s);
    EXPECT_EQ(state(), CircuitBreaker::State::half_open);
}

}  // namespace

}  // namespace integreat
