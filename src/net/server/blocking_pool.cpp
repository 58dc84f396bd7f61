// SPDX-License-Identifier: Apache-2.0
#include "net/server/blocking_pool.h"

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

WaitingPool::Sleeper* WaitingPool::take_sleeper(Queue& queue) {
    if (queue.asleep.empty()) return nullptr;
    auto* sleeper = queue.asleep.back();
    queue.asleep.pop_back();
    return sleeper;
}

// After the lock has been given up, so that the woken need not wait for it.
void WaitingPool::wake(Sleeper* sleeper) {
    if (sleeper) sem_post(&sleeper->woken);
}

bool WaitingPool::submit(Job& job) {
    Sleeper* sleeper = nullptr;
    {
        auto queue = queue_.lock();
        if (queue->stopped || queue->jobs.size() >= queue_max_ + queue->idle) {
            refused_.add();
            return false;
        }
        queue->jobs.push_back(std::move(job));
        sleeper = take_sleeper(*queue);
    }
    queued_.add(1);
    wake(sleeper);
    return true;
}

void WaitingPool::submit_piece(Job job) {
    Sleeper* sleeper = nullptr;
    {
        auto queue = queue_.lock();
        if (!queue->stopped) {
            queue->pieces.push_back(std::move(job));
            if (may_take_piece(*queue)) sleeper = take_sleeper(*queue);
        }
    }
    if (job.finished) return job.finished(false);
    pieces_queued_.add(1);
    wake(sleeper);
}

bool WaitingPool::may_take_piece(const Queue& queue) const {
    if (queue.pieces.empty() || queue.pieces_running == pieces_running_max_) return false;
    return queue.piece_next || queue.jobs.empty();
}

bool WaitingPool::has_work(const Queue& queue) const {
    return !queue.jobs.empty() || may_take_piece(queue);
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

// The next job, after a sleep if there is none. False: stopped, and nothing is left.
bool WaitingPool::next(Sleeper& self, Job& job, bool& piece, bool& stopped) {
    for (bool was_idle = false;; was_idle = true) {
        {
            auto queue = queue_.lock();
            queue->idle -= was_idle;
            stopped = queue->stopped;
            if (has_work(*queue)) {
                piece = take(*queue, job);
                // A piece that had to wait for one of ours to end woke nobody when it came.
                auto* another = has_work(*queue) ? take_sleeper(*queue) : nullptr;
                queue.lock().unlock();
                wake(another);
                return true;
            }
            if (stopped) return false;
            queue->asleep.push_back(&self);
            ++queue->idle;
        }
        while (sem_wait(&self.woken) != 0)
            continue;  // A signal.
    }
}

void WaitingPool::work() {
    Sleeper self;
    for (;;) {
        Job job;
        bool piece = false;
        bool stopped = false;
        if (!next(self, job, piece, stopped)) return;
        (piece ? pieces_queued_ : queued_).add(-1);
        carry_out(job, stopped);
        if (piece) --queue_.lock()->pieces_running;
    }
}

void WaitingPool::stop() {
    std::vector<Sleeper*> asleep;
    {
        auto queue = queue_.lock();
        queue->stopped = true;
        asleep.swap(queue->asleep);
    }
    for (auto* sleeper : asleep)
        wake(sleeper);
    for (auto& thread : threads_)
        thread.join();
    threads_.clear();
}

}  // namespace integreat::net
