// SPDX-License-Identifier: Apache-2.0
#include "net/server/blocking_pool.h"

#include <algorithm>

namespace integreat::net {

namespace {

Bulkhead::Holder holder(const BlockingPool::Job& job) {
    return {job.tenant, job.caller};
}

}  // namespace

BlockingPool::BlockingPool(int threads, int max_queue_length, const Clock& clock, metrics::Registry& registry)
    : clock_(clock),
      stream_jobs_running_max_(std::max(1, threads / 2)),
      queued_(registry.gauge("integreat_blocking_pool_queued", "Requests that wait for a blocking thread.")),
      stream_jobs_queued_(registry.gauge("integreat_blocking_pool_chunks_queued",
                                         "Streams that wait for a thread to produce their next chunk.")),
      rejected_(registry.counter("integreat_blocking_pool_refused_total",
                                 "Requests rejected because the queue was full.")),
      expired_(registry.counter("integreat_blocking_pool_expired_total",
                                "Requests whose deadline passed while they were queued.")),
      thread_bulkhead_(limit_units(static_cast<std::uint64_t>(threads))),
      queue_bulkhead_(limit_units(static_cast<std::uint64_t>(max_queue_length))) {
    for (int i = 0; i < threads; ++i)
        threads_.emplace_back([this] { work(); });
}

BlockingPool::~BlockingPool() {
    stop();
}

BlockingPool::ParkedThread* BlockingPool::pop_parked(Queue& queue) {
    if (queue.parked.empty()) return nullptr;
    auto* thread = queue.parked.back();
    queue.parked.pop_back();
    return thread;
}

// Wakes a thread; call after releasing the lock, so that the thread need not wait for it.
void BlockingPool::wake(ParkedThread* thread) {
    if (thread) sem_post(&thread->semaphore);
}

bool BlockingPool::submit(Job& job) {
    ParkedThread* thread = nullptr;
    {
        auto queue = queue_.lock();
        if (queue->stopped) return false;
        if (queue->idle > queue->ready.size() && thread_bulkhead_.try_acquire(holder(job))) {
            queue->ready.push_back(std::move(job));
            thread = pop_parked(*queue);
        } else if (queue_bulkhead_.try_acquire(holder(job))) {
            queue->waiting.push(std::move(job));
        } else {
            queue_bulkhead_.count_refusal();
            rejected_.add();
            return false;
        }
    }
    queued_.add(1);
    wake(thread);
    return true;
}

void BlockingPool::submit_stream_chunk(Job job) {
    ParkedThread* thread = nullptr;
    bool stopped = false;
    {
        auto queue = queue_.lock();
        stopped = queue->stopped;
        if (!stopped) {
            queue->stream_jobs.push(std::move(job));
            if (queue->stream_jobs_running < stream_jobs_running_max_) thread = pop_parked(*queue);
        }
    }
    if (stopped) return job.finished(false);
    stream_jobs_queued_.add(1);
    wake(thread);
}

bool BlockingPool::has_jobs(const Queue& queue) {
    return !queue.ready.empty() || !queue.waiting.empty() || !queue.stream_jobs.empty();
}

bool BlockingPool::pop_request(Queue& queue, Running& running) {
    if (!queue.ready.empty()) {
        running.job = std::move(queue.ready.front());
        queue.ready.pop_front();
        running.holds_thread = true;
        return true;
    }
    auto job = queue.waiting.pop(
        [&](const Job& waiting) { return queue.stopped || thread_bulkhead_.try_acquire(holder(waiting)); });
    if (!job) return false;
    running.job = *std::move(job);
    running.holds_thread = !queue.stopped;
    queue_bulkhead_.release(holder(running.job));
    return true;
}

bool BlockingPool::pop_stream_job(Queue& queue, Running& running) {
    if (queue.stream_jobs_running == stream_jobs_running_max_) return false;
    auto job = queue.stream_jobs.pop(
        [&](const Job& waiting) { return queue.stopped || thread_bulkhead_.try_acquire(holder(waiting)); });
    if (!job) return false;
    running.job = *std::move(job);
    running.holds_thread = !queue.stopped;
    running.is_stream_job = true;
    ++queue.stream_jobs_running;
    return true;
}

// Removes the next job that may have a thread now. Every job that may not waits for a thread that its tenant,
// its caller or all together hold, and is looked for again when that thread is free.
bool BlockingPool::pop_job(Queue& queue, Running& running) {
    bool popped = queue.prefer_stream_job ? pop_stream_job(queue, running) || pop_request(queue, running)
                                          : pop_request(queue, running) || pop_stream_job(queue, running);
    if (popped) queue.prefer_stream_job = !running.is_stream_job;
    return popped;
}

void BlockingPool::run_job(Running& running) {
    bool in_time = running.job.deadline > clock_.monotonic();
    if (!in_time) expired_.add();
    if (in_time && !running.stopped) running.job.work();
    if (running.holds_thread) thread_bulkhead_.release(holder(running.job));
    running.job.finished(in_time && !running.stopped);
}

// Waits for the next job. Returns false if the pool is stopped and all queues are empty.
bool BlockingPool::wait_for_job(ParkedThread& self, Running& running) {
    for (bool was_idle = false;; was_idle = true) {
        {
            auto queue = queue_.lock();
            queue->idle -= was_idle;
            running.stopped = queue->stopped;
            if (pop_job(*queue, running)) {
                // A job that had to wait woke no thread when it was submitted.
                auto* another = has_jobs(*queue) ? pop_parked(*queue) : nullptr;
                queue.lock().unlock();
                wake(another);
                return true;
            }
            if (running.stopped) return false;  // Threads that run stream jobs take the remaining ones.
            queue->parked.push_back(&self);
            ++queue->idle;
        }
        while (sem_wait(&self.semaphore) != 0)
            continue;  // Interrupted by a signal.
    }
}

void BlockingPool::work() {
    ParkedThread self;
    for (;;) {
        Running running;
        if (!wait_for_job(self, running)) return;
        (running.is_stream_job ? stream_jobs_queued_ : queued_).add(-1);
        run_job(running);
        if (running.is_stream_job) --queue_.lock()->stream_jobs_running;
    }
}

void BlockingPool::stop() {
    std::vector<ParkedThread*> parked;
    {
        auto queue = queue_.lock();
        queue->stopped = true;
        parked.swap(queue->parked);
    }
    for (auto* thread : parked)
        wake(thread);
    for (auto& thread : threads_)
        thread.join();
    threads_.clear();
}

}  // namespace integreat::net
