// SPDX-License-Identifier: Apache-2.0
// The threads that may block: requests that wait for a database or a third party are answered here, so that
// no connection's thread ever stands still. Bounded twice: by its threads and by its queue. What finds the
// queue full, or waited in it beyond its own deadline, is not begun.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/guarded.h"
#include "metrics/metrics.h"

namespace integreat::net {

class WaitingPool {
public:
    struct Job {
        Monotonic deadline = Monotonic::max();
        std::function<void()> work;               // Not called if the deadline has passed.
        std::function<void(bool done)> finished;  // Always called, on the pool's thread.
    };

    WaitingPool(int threads, int queue_max, const Clock& clock, metrics::Registry& registry);
    ~WaitingPool();

    // False if the queue is full; then nothing of the job is called.
    [[nodiscard]] bool submit(Job& job);

    // Queued jobs end as not done; waits for those under way. Idempotent.
    void stop();

private:
    struct Queue {
        std::deque<Job> jobs;
        bool stopped = false;
    };
    void work();

    const Clock& clock_;
    std::size_t queue_max_;
    metrics::Gauge& queued_;
    metrics::Counter& refused_;
    metrics::Counter& expired_;
    Guarded<Queue> queue_;
    std::condition_variable changed_;
    std::vector<std::thread> threads_;
};

}  // namespace integreat::net
