// SPDX-License-Identifier: Apache-2.0
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/concurrency/synchronized.h"
#include "base/concurrency/tenant_semaphore.h"
#include "base/id.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/text/closest_match.h"
#include "base/time.h"

namespace integreat {
namespace {

Result<int> half(int number) {
    if (number % 2 != 0) return Error{Fault::invalid, "must be even", ""};
    return number / 2;
}

Result<int> quarter(int number) {
    int first = TRY(half(number));
    return TRY(half(first));
}

TEST(Result, CarriesTheFirstErrorOut) {
    ASSERT_TRUE(quarter(8));
    EXPECT_EQ(*quarter(8), 2);
    ASSERT_FALSE(quarter(6));
    EXPECT_EQ(quarter(6).error().fault, Fault::invalid);
    EXPECT_EQ(quarter(6).error().message, "must be even");
}

TEST(ResultDeathTest, StopsTheProcessWhenTheWrongSideIsRead) {
    Result<int> failed = Error{Fault::internal, "no", ""};
    EXPECT_DEATH(static_cast<void>(*failed), "assertion failed");
    Result<> succeeded;
    EXPECT_DEATH(static_cast<void>(succeeded.error()), "assertion failed");
}

TEST(Time, IsWrittenAndReadAsRfc3339) {
    Time time = from_unix_seconds(1'795'335'300) + std::chrono::microseconds(120'000);
    EXPECT_EQ(format_rfc3339(time), "2026-11-22T08:15:00.12Z");
    EXPECT_EQ(*parse_rfc3339("2026-11-22T16:15:00.120+08:00"), time);
    EXPECT_EQ(*parse_rfc3339("2026-11-22T08:15:00.1200009999Z"), time);
    EXPECT_EQ(format_rfc3339(from_unix_seconds(0)), "1970-01-01T00:00:00Z");
    EXPECT_EQ(format_rfc3339(from_unix_seconds(-1)), "1969-12-31T23:59:59Z");
}

TEST(Time, RejectsInvalidTimes) {
    for (auto text : {"", "2026", "2026-11-22", "2026-02-30T00:00:00Z", "2026-11-22T24:00:00Z",
                      "2026-11-22T08:15:00", "2026-11-22T08:15:00.Z", "2026-11-22T08:15:00Zx",
                      "2026-11-22T08:15:00+8:00", "-026-11-22T08:15:00Z", "2026-1--22T08:15:00Z"}) {
        EXPECT_FALSE(parse_rfc3339(text)) << text;
    }
}

TEST(Time, IsWrittenAsHttpDate) {
    EXPECT_EQ(format_http_date(from_unix_seconds(784'111'777)), "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(FixedClock, ChangesOnlyWhenAdvanced) {
    FixedClock clock;
    auto before = clock.now();
    auto before_monotonic = clock.monotonic();
    clock.advance(std::chrono::seconds(2));
    EXPECT_EQ(clock.now() - before, std::chrono::seconds(2));
    EXPECT_EQ(clock.monotonic() - before_monotonic, std::chrono::seconds(2));
}

TEST(FixedRandom, ReturnsTheSameBytesForTheSameSeed) {
    std::array<std::byte, 32> first{}, second{}, other{};
    FixedRandom(7).fill(first);
    FixedRandom(7).fill(second);
    FixedRandom(8).fill(other);
    EXPECT_EQ(first, second);
    EXPECT_NE(first, other);
    EXPECT_GT(std::set<std::byte>(first.begin(), first.end()).size(), 16u);
}

TEST(Secret, ComparesWholeTexts) {
    EXPECT_TRUE(Secret("sesame") == Secret("sesame"));
    EXPECT_FALSE(Secret("sesame") == Secret("sesamE"));
    EXPECT_FALSE(Secret("sesame") == Secret("sesame "));
    Secret moved_from("a secret long enough to live on the heap");
    Secret moved_to = std::move(moved_from);
    EXPECT_TRUE(moved_from.empty());  // NOLINT: a move must leave no bytes behind.
    EXPECT_EQ(moved_to.reveal(), "a secret long enough to live on the heap");
}

TEST(ClosestMatch, FindsTypingErrors) {
    std::vector<std::string> roles{"member", "guest", "church_admin", "pastor"};
    EXPECT_EQ(did_you_mean("pator", roles), ", did you mean \"pastor\"?");
    EXPECT_EQ(closest_match("gusets", roles), "guest");
    EXPECT_EQ(closest_match("churchadmin", roles), "church_admin");
    EXPECT_EQ(closest_match("registrar", roles), std::nullopt);
    EXPECT_EQ(closest_match("", roles), std::nullopt);
    EXPECT_EQ(closest_match(std::string(10'000, 'a'), roles), std::nullopt);
    EXPECT_EQ(did_you_mean("registrar", roles), "");
}

TEST(TenantSemaphore, CountsPermitsPerTenant) {
    std::optional<TenantSemaphore::Permit> last;
    {
        TenantSemaphore semaphore;
        auto first = semaphore.try_acquire({"campus"}, 2);
        auto second = semaphore.try_acquire({"campus"}, 2);
        ASSERT_TRUE(first && second);
        EXPECT_FALSE(semaphore.try_acquire({"campus"}, 2));
        EXPECT_TRUE(semaphore.try_acquire({"teleo"}, 1));
        auto moved = *std::move(first);
        first.reset();
        EXPECT_FALSE(semaphore.try_acquire({"campus"}, 2));
        second.reset();
        last.emplace(*semaphore.try_acquire({"campus"}, 2));
        EXPECT_FALSE(semaphore.try_acquire({"campus"}, 2));
        EXPECT_FALSE(semaphore.try_acquire({"campus"}, 0));
    }
    last.reset();  // A permit may outlive its semaphore.
}

TEST(Synchronized, ExcludesConcurrentAccess) {
    Synchronized<int> counter{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int j = 0; j < 1'000; ++j)
                ++*counter.lock();
        });
    }
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(*counter.lock(), 4'000);
}

TEST(Id, KindsAreDifferentTypes) {
    static_assert(!std::is_same_v<TenantId, RequestId>);
    EXPECT_EQ(TenantId{"campus"}, TenantId{"campus"});
    EXPECT_LT(TenantId{"campus"}, TenantId{"teleo"});
}

}  // namespace
}  // namespace integreat
