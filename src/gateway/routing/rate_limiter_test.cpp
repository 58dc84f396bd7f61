// SPDX-License-Identifier: Apache-2.0
#include "gateway/routing/rate_limiter.h"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/clock.h"

namespace integreat::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class RateLimiterTest : public ::testing::Test {
protected:
    FixedRandom random;
    FixedClock clock;
    RateLimiter limiter{1024, random};
    CompiledRateLimit limit =
        compile_rate_limit({.requests = 60, .window = seconds(60), .burst = 3}, "campus");

    RateLimitDecision acquire(std::uint64_t caller_key = 7) {
        return limiter.try_acquire(limit, caller_key, clock.monotonic());
    }
};

TEST_F(RateLimiterTest, AllowsTheBurstAndThenOnePerInterval) {
    EXPECT_EQ(acquire().remaining, 2);
    EXPECT_EQ(acquire().remaining, 1);
    EXPECT_EQ(acquire().remaining, 0);
    auto refused = acquire();
    EXPECT_FALSE(refused.allowed);
    EXPECT_EQ(refused.reset_seconds, 1);

    clock.advance(milliseconds(999));
    EXPECT_FALSE(acquire().allowed);
    clock.advance(milliseconds(1));
    EXPECT_TRUE(acquire().allowed);
    EXPECT_FALSE(acquire().allowed);
}

TEST_F(RateLimiterTest, RefillsToTheBurstAndNoFurther) {
    for (int i = 0; i < 3; ++i)
        EXPECT_TRUE(acquire().allowed);
    clock.advance(seconds(3600));
    EXPECT_EQ(acquire().remaining, 2);
}

TEST_F(RateLimiterTest, CountsCallersAndLimitsSeparately) {
    for (int i = 0; i < 3; ++i)
        EXPECT_TRUE(acquire(1).allowed);
    EXPECT_FALSE(acquire(1).allowed);
    EXPECT_TRUE(acquire(2).allowed);
    auto other = compile_rate_limit({.requests = 60, .window = seconds(60), .burst = 3}, "campus.portal");
    EXPECT_TRUE(limiter.try_acquire(other, 1, clock.monotonic()).allowed);
}

TEST_F(RateLimiterTest, WritesTheHeadersOfTheDraft) {
    http::Headers headers;
    add_rate_limit_headers(limit, acquire(), headers);
    EXPECT_EQ(headers.value("RateLimit-Policy"), "\"campus\";q=60;w=60");
    EXPECT_EQ(headers.value("RateLimit"), "\"campus\";r=2;t=1");
}

TEST_F(RateLimiterTest, TreatsAnIpv6NetworkAsOneCaller) {
    EXPECT_EQ(limiter.hash_address("2001:db8:1:2::1"), limiter.hash_address("2001:db8:1:2:ffff::9"));
    EXPECT_NE(limiter.hash_address("2001:db8:1:2::1"), limiter.hash_address("2001:db8:1:3::1"));
    EXPECT_NE(limiter.hash_address("192.0.2.1"), limiter.hash_address("192.0.2.2"));
    EXPECT_EQ(limiter.hash_address("::ffff:192.0.2.1"), limiter.hash_address("192.0.2.1"));
}

TEST_F(RateLimiterTest, HasAFixedSize) {
    for (int i = 0; i < 3; ++i)
        EXPECT_TRUE(acquire(42).allowed);
    for (std::uint64_t caller = 1000; caller < 100'000; ++caller)
        acquire(caller);
    EXPECT_GT(limiter.evictions(), 0u);  // All callers came within one second.

    clock.advance(seconds(10));
    auto before = limiter.evictions();
    for (std::uint64_t caller = 1'000'000; caller < 1'000'100; ++caller)
        EXPECT_TRUE(acquire(caller).allowed);
    EXPECT_EQ(limiter.evictions(), before);
}

TEST_F(RateLimiterTest, AllowsNoMoreThanTheBurstOverAllThreads) {
    auto wide = compile_rate_limit({.requests = 1, .window = seconds(3600), .burst = 500}, "wide");
    std::atomic<int> allowed{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int n = 0; n < 1000; ++n)
                allowed += limiter.try_acquire(wide, 5, clock.monotonic()).allowed;
        });
    }
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(allowed, 500);
}

TEST_F(RateLimiterTest, ChargesIntoDebtUpToALimit) {
    auto charge = [&](std::uint64_t tokens) { limiter.charge(limit, 7, tokens, clock.monotonic()); };
    auto wait = [&] { return limiter.wait(limit, 7, clock.monotonic()).count(); };
    EXPECT_EQ(wait(), 0);
    charge(2);
    EXPECT_EQ(wait(), 0) << "one token is left";
    charge(5);
    EXPECT_EQ(wait(), 5);
    clock.advance(seconds(5));
    EXPECT_EQ(wait(), 0);
    EXPECT_TRUE(acquire().allowed);
    charge(1'000'000);
    EXPECT_EQ(wait(), 28) << "ten times the capacity";
    EXPECT_EQ(limiter.wait(limit, 8, clock.monotonic()).count(), 0) << "another caller";
}

TEST(CompiledRateLimit, IsUnlimitedForZeroRequests) {
    EXPECT_FALSE(compile_rate_limit({.requests = 0}, "health").limited());
    EXPECT_TRUE(compile_rate_limit({.requests = 1}, "one").limited());
}

}  // namespace
}  // namespace integreat::gateway
