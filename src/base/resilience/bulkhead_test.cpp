// SPDX-License-Identifier: Apache-2.0
#include "base/resilience/bulkhead.h"

#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace integreat {
namespace {

const TenantId campus{"campus"};
const TenantId teleo{"teleo"};

TEST(Bulkhead, LetsATenantBorrowDownToTheReserve) {
    Bulkhead threads(limit_units(16));
    int admitted = 0;
    while (threads.try_acquire({campus}))
        ++admitted;
    EXPECT_EQ(admitted, 12);
    EXPECT_EQ(threads.usage().by_tenant.at(campus), 12u);
}

TEST(Bulkhead, KeepsTheReserveForTenantsBelowTheirShare) {
    Bulkhead threads(limit_units(16));
    while (threads.try_acquire({campus}))
        continue;
    EXPECT_TRUE(threads.try_acquire({teleo}));
    EXPECT_FALSE(threads.try_acquire({teleo})) << "its share is one thread";
    for (const char* other : {"pillars", "evntgarde"})
        EXPECT_TRUE(threads.try_acquire({TenantId{other}}));
    EXPECT_FALSE(threads.try_acquire({TenantId{"fifth"}})) << "the last thread is the operators'";
    EXPECT_TRUE(threads.try_acquire({platform_tenant}));
    EXPECT_EQ(threads.usage().used, 16u);
    threads.release({teleo});
    EXPECT_TRUE(threads.try_acquire({teleo}));
}

TEST(Bulkhead, LimitsEachCaller) {
    Bulkhead threads(limit_units(16));
    int admitted = 0;
    while (threads.try_acquire({campus, 7}))
        ++admitted;
    EXPECT_EQ(admitted, 8);
    EXPECT_TRUE(threads.try_acquire({campus, 8}));
    EXPECT_TRUE(threads.try_acquire({teleo, 7})) << "the same number in another tenant is another caller";
}

TEST(Bulkhead, WorksWithASingleUnit) {
    Bulkhead threads(limit_units(1));
    EXPECT_TRUE(threads.try_acquire({campus, 1}));
    EXPECT_FALSE(threads.try_acquire({platform_tenant}));
    threads.release({campus, 1});
    EXPECT_TRUE(threads.try_acquire({platform_tenant}));
}

TEST(Bulkhead, AdmitsASmallBodyOfATenantWhileAnotherHoldsAllThatItMay) {
    constexpr std::uint64_t mib = 1024 * 1024;
    Bulkhead bodies(limit_bytes(256 * mib));
    for (std::uint64_t caller = 1; bodies.try_acquire({campus, caller}, 8 * mib); ++caller)
        continue;
    EXPECT_EQ(bodies.usage().used, 192 * mib);
    EXPECT_TRUE(bodies.try_acquire({teleo, 1}, 8 * mib));
    EXPECT_TRUE(bodies.try_acquire({teleo, 2}, 8 * mib));
    EXPECT_FALSE(bodies.try_acquire({teleo, 3}, 8 * mib)) << "beyond its share of the reserve";
}

TEST(Bulkhead, ForgetsHoldersThatReleasedEverything) {
    Bulkhead threads(limit_units(16));
    for (std::uint64_t caller = 1; caller <= 1'000; ++caller) {
        ASSERT_TRUE(threads.try_acquire({campus, caller}));
        threads.release({campus, caller});
    }
    auto usage = threads.usage();
    EXPECT_EQ(usage.used, 0u);
    EXPECT_TRUE(usage.by_tenant.empty());
}

TEST(Bulkhead, CountsExactlyAcrossThreads) {
    Bulkhead units(limit_units(8));
    std::atomic<int> admitted = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&, tenant = TenantId{"tenant" + std::to_string(i)}] {
            for (int round = 0; round < 2'000; ++round) {
                if (!units.try_acquire({tenant})) continue;
                ++admitted;
                units.release({tenant});
            }
        });
    }
    for (auto& thread : threads)
        thread.join();
    EXPECT_GT(admitted, 0);
    EXPECT_EQ(units.usage().used, 0u);
}

TEST(BulkheadPermit, ReleasesWhatItAddedUp) {
    Bulkhead bodies(limit_bytes(1'024));
    {
        BulkheadPermit permit;
        EXPECT_TRUE(permit.try_acquire(bodies, {campus, 1}, 100));
        EXPECT_TRUE(permit.try_acquire(bodies, {campus, 1}, 50));
        EXPECT_FALSE(permit.try_acquire(bodies, {campus, 1}, 200)) << "a caller may hold a quarter";
        EXPECT_EQ(permit.units(), 150u);
        EXPECT_EQ(bodies.usage().used, 150u);
    }
    auto usage = bodies.usage();
    EXPECT_EQ(usage.used, 0u);
    EXPECT_EQ(usage.refused, 1u);
}

}  // namespace
}  // namespace integreat
