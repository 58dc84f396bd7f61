// SPDX-License-Identifier: Apache-2.0
#include "net/waiting_pool.h"

namespace integreat::net {

WaitingPool::WaitingPool(int threads, int queue_max, const Clock& clock, metrics::Registry& registry)
    : clock_(clock),
      queue_max_(static_cast<std::size_t>(queue_max)),
      queued_(
          registry.gauge("integreat_waiting_pool_queued", "Requests that wait for a thread that may block.")),
      refused_(registry.counter("integreat_waiting_pool_refused_total",
                                "Requests refused since the queue was full.")),
      expired_(registry.counter("integreat_waiting_pool_expired_total",
                                "Requests whose deadline passed while they were queued.")) {
    for (int i = 0; i < threads; ++i)
        threads_.emplace_back([this] { work(); });
}

WaitingPool::~WaitingPool() {
    stop();
}

bool WaitingPool::submit(Job& job) {
    {
        auto queue = queue_.lock();
        if (queue->stopped || queue->jobs.size() >= queue_max_) {
            refused_.add();
            return false;
        }
        queue->jobs.push_back(std::move(job));
    }
    queued_.add(1);
    changed_.notify_one();
    return true;
}

void WaitingPool::work() {
    for (;;) {
        Job job;
        bool stopped = false;
        {
            auto queue = queue_.lock();
            while (queue->jobs.empty() && !queue->stopped)
                changed_.wait(queue.lock());
            if (queue->jobs.empty()) return;
            job = std::move(queue->jobs.front());
            queue->jobs.pop_front();
            stopped = queue->stopped;
        }
        queued_.add(-1);
        bool in_time = job.deadline > clock_.monotonic();
        if (!in_time) expired_.add();
        if (in_time && !stopped) job.work();
        job.finished(in_time && !stopped);
    }
}

void WaitingPool::stop() {
    queue_.lock()->stopped = true;
    changed_.notify_all();
    for (auto& thread : threads_)
        thread.join();
    threads_.clear();
}

}  // namespace integreat::net
