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

class RateLimitTest : public testing::Test {
protected:
    FixedRandom random;
    FixedClock clock;
    Buckets buckets{1024, random};
    Rate rate = compile_rate({.requests = 60, .window = seconds(60), .burst = 3}, "campus");

    Taken take(std::uint64_t who = 7) { return buckets.take(rate, who, clock.monotonic()); }
};

TEST_F(RateLimitTest, LetsTheBurstPassAndThenOnePerInterval) {
    EXPECT_EQ(take().remaining, 2);
    EXPECT_EQ(take().remaining, 1);
    EXPECT_EQ(take().remaining, 0);
    auto refused = take();
    EXPECT_FALSE(refused.allowed);
    EXPECT_EQ(refused.more_seconds, 1);

    clock.advance(milliseconds(999));
    EXPECT_FALSE(take().allowed);
    clock.advance(milliseconds(1));
    EXPECT_TRUE(take().allowed);
    EXPECT_FALSE(take().allowed);
}

TEST_F(RateLimitTest, RefillsToTheBurstAndNoFurther) {
    for (int i = 0; i < 3; ++i)
        EXPECT_TRUE(take().allowed);
    clock.advance(seconds(3600));
    EXPECT_EQ(take().remaining, 2);
}

TEST_F(RateLimitTest, CountsCallersAndLimitsApart) {
    for (int i = 0; i < 3; ++i)
        EXPECT_TRUE(take(1).allowed);
    EXPECT_FALSE(take(1).allowed);
    EXPECT_TRUE(take(2).allowed);
    auto other = compile_rate({.requests = 60, .window = seconds(60), .burst = 3}, "campus.portal");
    EXPECT_TRUE(buckets.take(other, 1, clock.monotonic()).allowed);
}

TEST_F(RateLimitTest, WritesTheFieldsOfTheDraft) {
    http::Headers headers;
    add_rate_fields(rate, take(), headers);
    EXPECT_EQ(headers.value("RateLimit-Policy"), "\"campus\";q=60;w=60");
    EXPECT_EQ(headers.value("RateLimit"), "\"campus\";r=2;t=1");
}

TEST_F(RateLimitTest, TakesAnIpv6NetworkForOneCaller) {
    EXPECT_EQ(buckets.key_of_address("2001:db8:1:2::1"), buckets.key_of_address("2001:db8:1:2:ffff::9"));
    EXPECT_NE(buckets.key_of_address("2001:db8:1:2::1"), buckets.key_of_address("2001:db8:1:3::1"));
    EXPECT_NE(buckets.key_of_address("192.0.2.1"), buckets.key_of_address("192.0.2.2"));
    EXPECT_EQ(buckets.key_of_address("::ffff:192.0.2.1"), buckets.key_of_address("192.0.2.1"));
}

TEST_F(RateLimitTest, StaysAsLargeAsItIsWhoeverComes) {
    for (int i = 0; i < 3; ++i)
        EXPECT_TRUE(take(42).allowed);
    for (std::uint64_t who = 1000; who < 100'000; ++who)
        take(who);
    EXPECT_GT(buckets.evictions(), 0u);  // Only because so many came within one second.

    clock.advance(seconds(10));
    auto before = buckets.evictions();
    for (std::uint64_t who = 1'000'000; who < 1'000'100; ++who)
        EXPECT_TRUE(take(who).allowed);
    EXPECT_EQ(buckets.evictions(), before);
}

TEST_F(RateLimitTest, GivesManyThreadsNoMoreThanTheBurst) {
    auto wide = compile_rate({.requests = 1, .window = seconds(3600), .burst = 500}, "wide");
    std::atomic<int> allowed{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int n = 0; n < 1000; ++n)
                allowed += buckets.take(wide, 5, clock.monotonic()).allowed;
        });
    }
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(allowed, 500);
}

TEST(Rate, OfNoRequestsIsNoLimit) {
    EXPECT_FALSE(compile_rate({.requests = 0}, "health").limited());
    EXPECT_TRUE(compile_rate({.requests = 1}, "one").limited());
}

}  // namespace
}  // namespace integreat::gateway
