// SPDX-License-Identifier: Apache-2.0
#include "net/server/blocking_pool.h"

#include <atomic>
#include <latch>
#include <thread>

#include <gtest/gtest.h>

#include "net/testing/test_server.h"

namespace integreat::net {
namespace {

class BlockingPoolTest : public testing::Test {
protected:
    SystemClock clock;
    metrics::Registry registry;
};

TEST_F(BlockingPoolTest, LimitsStreamsToHalfOfTheThreads) {
    BlockingPool pool(4, 1, clock, registry);
    std::latch two_run(2);
    std::latch release(1);
    std::atomic<int> running{0};
    std::atomic<int> running_max{0};
    std::latch done(100);
    for (int i = 0; i < 100; ++i) {  // Far more than the request queue holds.
        pool.submit_stream_chunk({.work =
                                      [&, i] {
                                          running_max = std::max(running_max.load(), ++running);
                                          if (i < 2) two_run.count_down();
                                          release.wait();
                                          --running;
                                      },
                                  .finished =
                                      [&](bool in_time) {
                                          EXPECT_TRUE(in_time);
                                          done.count_down();
                                      }});
    }
    two_run.wait();
    std::latch finished(1);
    BlockingPool::Job request{.work = [] {}, .finished = [&](bool) { finished.count_down(); }};
    ASSERT_TRUE(pool.submit(request));
    finished.wait();
    release.count_down();
    done.wait();
    EXPECT_EQ(running_max, 2);
}

// Jobs that wait until the test releases them.
class HangingJobs {
public:
    BlockingPool::Job make(const char* tenant, std::uint64_t caller = 0) {
        return {.tenant = TenantId{tenant},
                .caller = caller,
                .work =
                    [this] {
                        ++running;
                        release.wait();
                    },
                .finished = [this](bool) { ++finished; }};
    }
    bool submit(BlockingPool& pool, const char* tenant, std::uint64_t caller = 0) {
        auto job = make(tenant, caller);
        return pool.submit(job);
    }

    // Submits jobs until so many run and so many are queued; no more are accepted.
    void fill(BlockingPool& pool, const char* tenant, std::uint64_t caller, int threads,
              std::uint64_t queued) {
        while (running < threads || pool.queue().usage().used < queued)
            accepted += submit(pool, tenant, caller);
        EXPECT_FALSE(submit(pool, tenant, caller));
        EXPECT_EQ(running, threads);
        EXPECT_EQ(pool.queue().usage().used, queued);
    }

    std::latch release{1};
    int accepted = 0;
    std::atomic<int> running{0};
    std::atomic<int> finished{0};
};

void run_and_wait(BlockingPool& pool, const char* tenant) {
    std::latch done(1);
    BlockingPool::Job job{
        .tenant = TenantId{tenant}, .work = [] {}, .finished = [&](bool) { done.count_down(); }};
    ASSERT_TRUE(pool.submit(job)) << tenant;
    done.wait();
}

TEST_F(BlockingPoolTest, RunsJobsOfOtherTenantsWhileOneHangs) {
    HangingJobs jobs;
    BlockingPool pool(8, 16, clock, registry);
    jobs.fill(pool, "campus", 0, 6, 12);  // A quarter of the threads and of the queue stays free.
    for (const char* other : {"teleo", "pillars", "teleo", "integreat-core"})
        run_and_wait(pool, other);
    jobs.release.count_down();
    pool.stop();
    EXPECT_EQ(jobs.finished, jobs.accepted);
    EXPECT_EQ(pool.threads().usage().used, 0u);
    EXPECT_EQ(pool.queue().usage().used, 0u);
}

TEST_F(BlockingPoolTest, RunsJobsOfOtherCallersWhileThoseOfOneHang) {
    HangingJobs jobs;
    BlockingPool pool(8, 16, clock, registry);
    jobs.fill(pool, "campus", 7, 4, 8);
    std::latch done(1);
    BlockingPool::Job other{.tenant = TenantId{"campus"},
                            .caller = 8,
                            .work = [] {},
                            .finished = [&](bool) { done.count_down(); }};
    ASSERT_TRUE(pool.submit(other));
    done.wait();
    jobs.release.count_down();
    pool.stop();
    EXPECT_EQ(jobs.finished, jobs.accepted);
}

TEST_F(BlockingPoolTest, RunsJobsOfOtherTenantsWhileTheStreamsOfOneHang) {
    HangingJobs jobs;
    BlockingPool pool(8, 16, clock, registry);
    for (int i = 0; i < 20; ++i)
        pool.submit_stream_chunk(jobs.make("campus"));
    while (jobs.running < 4)
        std::this_thread::yield();
    jobs.fill(pool, "campus", 0, 6, 12);
    run_and_wait(pool, "teleo");
    jobs.release.count_down();
    pool.stop();
    EXPECT_GE(jobs.finished, 20);
}

TEST_F(BlockingPoolTest, ServesQueuedTenantsRoundRobin) {
    BlockingPool pool(1, 10, clock, registry);
    HangingJobs jobs;
    ASSERT_TRUE(jobs.submit(pool, "campus"));
    while (jobs.running == 0)
        std::this_thread::yield();
    Synchronized<std::string> order;
    for (const char* tenant : {"campus", "campus", "campus", "teleo", "pillars"}) {
        BlockingPool::Job job{.tenant = TenantId{tenant},
                              .work = [&order, tenant] { *order.lock() += tenant[0]; },
                              .finished = [](bool) {}};
        ASSERT_TRUE(pool.submit(job));
    }
    jobs.release.count_down();
    while (order.lock()->size() < 5)
        std::this_thread::yield();
    EXPECT_EQ(*order.lock(), "ctpcc");
}

TEST_F(BlockingPoolTest, AlternatesOnASingleThread) {
    BlockingPool pool(1, 10, clock, registry);
    std::latch begun(1);
    std::latch release(1);
    Synchronized<std::string> order;
    std::latch done(8);
    auto job = [&](char name) {
        return BlockingPool::Job{.work = [&, name] { *order.lock() += name; },
                                 .finished = [&](bool) { done.count_down(); }};
    };
    BlockingPool::Job first{.work =
                                [&] {
                                    begun.count_down();
                                    release.wait();
                                },
                            .finished = [&](bool) { done.count_down(); }};
    ASSERT_TRUE(pool.submit(first));
    begun.wait();
    for (int i = 0; i < 5; ++i)
        pool.submit_stream_chunk(job('p'));
    for (int i = 0; i < 2; ++i) {
        auto request = job('r');
        ASSERT_TRUE(pool.submit(request));
    }
    release.count_down();
    done.wait();
    EXPECT_EQ(order.lock()->size(), 7u);
    EXPECT_LE(order.lock()->find_last_of('r'), 3u) << *order.lock();
}

TEST_F(BlockingPoolTest, FailsStreamJobsOnceItStops) {
    BlockingPool pool(1, 10, clock, registry);
    std::latch begun(1);
    std::latch release(1);
    std::atomic<int> done{0};
    std::atomic<int> not_done{0};
    auto finished = [&](bool in_time) { ++(in_time ? done : not_done); };
    pool.submit_stream_chunk({.work =
                                  [&] {
                                      begun.count_down();
                                      release.wait();
                                  },
                              .finished = finished});
    begun.wait();
    std::thread stopping([&] { pool.stop(); });
    // Jobs submitted before the stop end during it, jobs submitted afterwards end immediately.
    int submitted = 0;
    while (not_done == 0) {
        pool.submit_stream_chunk({.work = [] { ADD_FAILURE() << "begun"; }, .finished = finished});
        ++submitted;
    }
    EXPECT_EQ(not_done, 1);
    release.count_down();
    stopping.join();
    EXPECT_EQ(done, 1);
    EXPECT_EQ(not_done, submitted);
}

}  // namespace
}  // namespace integreat::net
