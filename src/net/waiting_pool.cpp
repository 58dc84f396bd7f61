// SPDX-License-Identifier: Apache-2.0
#include "net/waiting_pool.h"

#include <algorithm>

namespace integreat::net {

WaitingPool::WaitingPool(int threads, int queue_max, const Clock& clock, metrics::Registry& registry)
    : clock_(clock),
      queue_max_(static_cast<std::size_t>(queue_max)),
      pieces_running_max_(std::max(1, threads / 2)),
      queued_(registry.gauge("integreat_waiting_pool_queued", "Requests that wait for a thread.")),
      pieces_queued_(registry.gauge("integreat_waiting_pool_pieces_queued",
                                    "Streams that wait for a thread to make their next piece.")),
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

void WaitingPool::submit_piece(Job job) {
    {
        auto queue = queue_.lock();
        if (!queue->stopped) queue->pieces.push_back(std::move(job));
    }
    if (job.finished) return job.finished(false);
    pieces_queued_.add(1);
    changed_.notify_one();
}

bool WaitingPool::may_take_piece(const Queue& queue) const {
    if (queue.pieces.empty() || queue.pieces_running == pieces_running_max_) return false;
    return queue.piece_next || queue.jobs.empty();
}

// True for a piece. One of the lanes has work.
bool WaitingPool::take(Queue& queue, Job& job) const {
    bool piece = may_take_piece(queue);
    auto& lane = piece ? queue.pieces : queue.jobs;
    job = std::move(lane.front());
    lane.pop_front();
    queue.piece_next = !piece;
    queue.pieces_running += piece;
    return piece;
}

void WaitingPool::carry_out(Job& job, bool stopped) {
    bool in_time = job.deadline > clock_.monotonic();
    if (!in_time) expired_.add();
    if (in_time && !stopped) job.work();
    job.finished(in_time && !stopped);
}

void WaitingPool::work() {
    for (;;) {
        Job job;
        bool piece = false;
        bool stopped = false;
        {
            auto queue = queue_.lock();
            while (queue->jobs.empty() && !may_take_piece(*queue) && !queue->stopped)
                changed_.wait(queue.lock());
            if (queue->jobs.empty() && !may_take_piece(*queue)) return;
            piece = take(*queue, job);
            stopped = queue->stopped;
        }
        (piece ? pieces_queued_ : queued_).add(-1);
        carry_out(job, stopped);
        if (!piece) continue;
        --queue_.lock()->pieces_running;
        changed_.notify_one();
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
