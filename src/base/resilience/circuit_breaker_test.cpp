// SPDX-License-Identifier: Apache-2.0
#include "base/resilience/circuit_breaker.h"

#include <gtest/gtest.h>

#include "base/clock.h"

namespace integreat {

namespace {

using namespace std::chrono_literals;

class BreakerTest : public testing::Test {
protected:
    void fail() {
        auto pass = breaker.admit(clock.monotonic());
        ASSERT_TRUE(pass);
        breaker.failed(pass, clock.monotonic(), settings);
    }
    void succeed() {
        auto pass = breaker.admit(clock.monotonic());
        ASSERT_TRUE(pass);
        breaker.succeeded(pass);
    }
    void open() {
        for (int i = 0; i < settings.failures; ++i)
            fail();
    }
    Breaker::State state() const { return breaker.state(clock.monotonic()); }

    FixedClock clock;
    BreakerSettings settings{.failures = 3, .open = 5s};
    Breaker breaker;
};

TEST_F(BreakerTest, StaysClosedWhileFailuresAreNotInARow) {
    for (int i = 0; i < 10; ++i) {
        fail();
        fail();
        succeed();
    }
    EXPECT_EQ(state(), Breaker::State::closed);
    EXPECT_EQ(breaker.failures(), 0);
}

TEST_F(BreakerTest, OpensAfterFailuresInARowAndSaysHowLong) {
    open();
    EXPECT_EQ(state(), Breaker::State::open);
    clock.advance(2s);
    auto refused = breaker.admit(clock.monotonic());
    EXPECT_FALSE(refused);
    EXPECT_EQ(refused.retry_after(), 3s);
}

TEST_F(BreakerTest, LetsOneProbeThroughAfterThePause) {
    open();
    clock.advance(5s);
    EXPECT_EQ(state(), Breaker::State::half_open);
    auto probe = breaker.admit(clock.monotonic());
    EXPECT_TRUE(probe);
    EXPECT_TRUE(probe.probe());
    EXPECT_FALSE(breaker.admit(clock.monotonic())) << "a second request must wait for the probe";
    breaker.succeeded(probe);
    EXPECT_EQ(state(), Breaker::State::closed);
    EXPECT_TRUE(breaker.admit(clock.monotonic()));
}

TEST_F(BreakerTest, OpensAgainWhenTheProbeFails) {
    open();
    clock.advance(5s);
    fail();
    EXPECT_EQ(state(), Breaker::State::open);
    clock.advance(4999ms);
    EXPECT_FALSE(breaker.admit(clock.monotonic()));
    clock.advance(1ms);
    EXPECT_TRUE(breaker.admit(clock.monotonic()));
}

TEST_F(BreakerTest, AProbeWithoutVerdictMakesRoomForTheNext) {
    open();
    clock.advance(5s);
    { auto abandoned = breaker.admit(clock.monotonic()); }
    auto next = breaker.admit(clock.monotonic());
    EXPECT_TRUE(next.probe());
}

TEST_F(BreakerTest, RequestsThatWereUnderWayNeitherProlongNorCloseIt) {
    auto late_success = breaker.admit(clock.monotonic());
    auto late_failure = breaker.admit(clock.monotonic());
    open();
    clock.advance(4s);
    breaker.succeeded(late_success);
    breaker.failed(late_failure, clock.monotonic(), settings);
    EXPECT_EQ(state(), Breaker::State::open);
    clock.advance(1s);
    EXPECT_EQ(state(), Breaker::State::half_open);
}

TEST(RetryBudget, GrantsAFewPerSecondToAQuietUpstream) {
    FixedClock clock;
    RetryBudget budget;
    auto granted_now = [&] {
        int granted = 0;
        for (int i = 0; i < 100; ++i)
            granted += budget.spend(clock.monotonic()) ? 1 : 0;
        return granted;
    };
    EXPECT_EQ(granted_now(), 3);
    EXPECT_EQ(granted_now(), 0);
    clock.advance(1s);
    EXPECT_EQ(granted_now(), 3);
}

TEST(RetryBudget, GrantsAFifthOfTheRequests) {
    FixedClock clock;
    RetryBudget budget;
    int granted = 0;
    for (int i = 0; i < 1000; ++i) {
        budget.earn();
        if (budget.spend(clock.monotonic())) ++granted;
    }
    EXPECT_EQ(granted, 200 + 3) << "and the few that every second has";
}

TEST(RetryBudget, DoesNotSaveUpForAStorm) {
    FixedClock clock;
    RetryBudget budget;
    for (int i = 0; i < 1'000'000; ++i)
        budget.earn();
    int granted = 0;
    for (int i = 0; i < 10'000; ++i)
        granted += budget.spend(clock.monotonic()) ? 1 : 0;
    EXPECT_EQ(granted, 100 + 3);
}

}  // namespace

}  // namespace integreat
