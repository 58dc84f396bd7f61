// SPDX-License-Identifier: Apache-2.0
#include "net/server/blocking_pool.h"

#include <atomic>
#include <latch>

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
