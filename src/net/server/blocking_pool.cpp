// SPDX-License-Identifier: Apache-2.0
#include "net/server/blocking_pool.h"

#include <algorithm>

namespace integreat::net {

BlockingPool::BlockingPool(int threads, int max_queue_length, const Clock& clock, metrics::Registry& registry)
    : clock_(clock),
      queue_max_(static_cast<std::size_t>(max_queue_length)),
      stream_jobs_running_max_(std::max(1, threads / 2)),
      queued_(registry.gauge("integreat_blocking_pool_queued", "Requests that wait for a blocking thread.")),
      stream_jobs_queued_(registry.gauge("integreat_blocking_pool_chunks_queued",
                                         "Streams that wait for a thread to produce their next chunk.")),
      rejected_(registry.counter("integreat_blocking_pool_refused_total",
                                 "Requests rejected because the queue was full.")),
      expired_(registry.counter("integreat_blocking_pool_expired_total",
                                "Requests whose deadline passed while they were queued.")) {
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
        if (queue->stopped || queue->jobs.size() >= queue_max_ + queue->idle) {
            rejected_.add();
            return false;
        }
        queue->jobs.push_back(std::move(job));
        thread = pop_parked(*queue);
    }
    queued_.add(1);
    wake(thread);
    return true;
}

void BlockingPool::submit_stream_chunk(Job job) {
    ParkedThread* thread = nullptr;
    {
        auto queue = queue_.lock();
        if (!queue->stopped) {
            queue->stream_jobs.push_back(std::move(job));
            if (may_run_stream_job(*queue)) thread = pop_parked(*queue);
        }
    }
    if (job.finished) return job.finished(false);
    stream_jobs_queued_.add(1);
    wake(thread);
}

bool BlockingPool::may_run_stream_job(const Queue& queue) const {
    if (queue.stream_jobs.empty() || queue.stream_jobs_running == stream_jobs_running_max_) return false;
    return queue.prefer_stream_job || queue.jobs.empty();
}

bool BlockingPool::has_work(const Queue& queue) const {
    return !queue.jobs.empty() || may_run_stream_job(queue);
}

// Removes the next job from one of the queues, which are not both empty. Returns true for a stream job.
bool BlockingPool::pop_job(Queue& queue, Job& job) const {
    bool is_stream_job = may_run_stream_job(queue);
    auto& jobs = is_stream_job ? queue.stream_jobs : queue.jobs;
    job = std::move(jobs.front());
    jobs.pop_front();
    queue.prefer_stream_job = !is_stream_job;
    queue.stream_jobs_running += is_stream_job;
    return is_stream_job;
}

void BlockingPool::run_job(Job& job, bool stopped) {
    bool in_time = job.deadline > clock_.monotonic();
    if (!in_time) expired_.add();
    if (in_time && !stopped) job.work();
    job.finished(in_time && !stopped);
}

// Waits for the next job. Returns false if the pool is stopped and both queues are empty.
bool BlockingPool::wait_for_job(ParkedThread& self, Job& job, bool& is_stream_job, bool& stopped) {
    for (bool was_idle = false;; was_idle = true) {
        {
            auto queue = queue_.lock();
            queue->idle -= was_idle;
            stopped = queue->stopped;
            if (has_work(*queue)) {
                is_stream_job = pop_job(*queue, job);
                // A stream job that had to wait for a running one woke no thread when it was submitted.
                auto* another = has_work(*queue) ? pop_parked(*queue) : nullptr;
                queue.lock().unlock();
                wake(another);
                return true;
            }
            if (stopped) return false;
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
        Job job;
        bool is_stream_job = false;
        bool stopped = false;
        if (!wait_for_job(self, job, is_stream_job, stopped)) return;
        (is_stream_job ? stream_jobs_queued_ : queued_).add(-1);
        run_job(job, stopped);
        if (is_stream_job) --queue_.lock()->stream_jobs_running;
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
