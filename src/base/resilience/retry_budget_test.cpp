// SPDX-License-Identifier: Apache-2.0
#include "base/resilience/retry_budget.h"

#include <gtest/gtest.h>

#include "base/clock.h"

namespace integreat {

namespace {

using namespace std::chrono_literals;

TEST(RetryBudget, GrantsAFewPerSecondWithoutTraffic) {
    FixedClock clock;
    RetryBudget budget;
    auto count_granted = [&] {
        int granted = 0;
        for (int i = 0; i < 100; ++i)
            granted += budget.try_withdraw(clock.monotonic()) ? 1 : 0;
        return granted;
    };
    EXPECT_EQ(count_granted(), 3);
    EXPECT_EQ(count_granted(), 0);
    clock.advance(1s);
    EXPECT_EQ(count_granted(), 3);
}

TEST(RetryBudget, GrantsAFifthOfTheRequests) {
    FixedClock clock;
    RetryBudget budget;
    int granted = 0;
    for (int i = 0; i < 1000; ++i) {
        budget.deposit();
        if (budget.try_withdraw(clock.monotonic())) ++granted;
    }
    EXPECT_EQ(granted, 200 + 3) << "and those granted per second";
}

TEST(RetryBudget, CapsTheBalance) {
    FixedClock clock;
    RetryBudget budget;
    for (int i = 0; i < 1'000'000; ++i)
        budget.deposit();
    int granted = 0;
    for (int i = 0; i < 10'000; ++i)
        granted += budget.try_withdraw(clock.monotonic()) ? 1 : 0;
    EXPECT_EQ(granted, 100 + 3);
}

}  // namespace

}  // namespace integreat
