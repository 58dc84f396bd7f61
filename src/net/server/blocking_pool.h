// SPDX-License-Identifier: Apache-2.0
// A thread pool for work that may block: requests that wait for a database or a third party run here, so that
// I/O threads never block. It is bounded by its threads and by its queue. A job that finds the queue full, or
// whose deadline passes while it is queued, is not started.
//
// Threads and places in the queue are bulkheads: the slow upstream or database of one tenant occupies threads
// down to the reserve, and the jobs of other tenants still run.
//
// Streams have a separate, unbounded queue for producing their chunks, since each stream waits for one chunk
// at a time. When a thousand streams wake up at the same time, their jobs alternate with the requests and
// occupy at most half of the threads.
//
// The thread that was parked last is woken first, since its stack is still in the cache, and the other
// threads are not disturbed. (A shared condition variable woke every thread once and cost two more system
// calls per request.)
#pragma once

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include <semaphore.h>

#include "base/clock.h"
#include "base/concurrency/synchronized.h"
#include "base/id.h"
#include "base/resilience/bulkhead.h"
#include "metrics/registry.h"
#include "net/server/tenant_queues.h"

namespace integreat::net {

class BlockingPool {
public:
    struct Job {
        TenantId tenant;           // Holder of the thread: the tenant of the request,
        std::uint64_t caller = 0;  // and its caller.
        Monotonic deadline = Monotonic::max();
        std::function<void()> work;               // Not called if the deadline has passed.
        std::function<void(bool done)> finished;  // Always called, on the pool's thread.
    };

    BlockingPool(int threads, int max_queue_length, const Clock& clock, metrics::Registry& registry);
    ~BlockingPool();

    // Enqueues a job. Returns false if the queue is full, or the part of it that its tenant or its caller may
    // use; then neither of its functions is called.
    [[nodiscard]] bool submit(Job& job);

    // Enqueues a job that produces the next chunk of a stream. Once the pool is stopped, `finished` is called
    // with false.
    void submit_stream_chunk(Job job);

    const Bulkhead& threads() const { return thread_bulkhead_; }
    const Bulkhead& queue() const { return queue_bulkhead_; }

    // Ends queued jobs with `finished(false)` and waits for the running ones. Idempotent.
    void stop();

private:
    // A thread that is waiting for work.
    struct ParkedThread {
        ParkedThread() { sem_init(&semaphore, 0, 0); }
        ~ParkedThread() { sem_destroy(&semaphore); }
        ParkedThread(const ParkedThread&) = delete;
        sem_t semaphore;
    };
    // A job that a thread has taken from the queue.
    struct Running {
        Job job;
        bool is_stream_job = false;
        bool holds_thread = false;  // Holds a unit of thread_bulkhead_; not while the pool stops.
        bool stopped = false;
    };
    struct Queue {
        std::deque<Job> ready;  // Jobs that hold a unit of thread_bulkhead_, at most one per idle thread.
        TenantQueues<Job> waiting;
        TenantQueues<Job> stream_jobs;
        std::vector<ParkedThread*> parked;
        std::size_t idle = 0;  // Threads parked, or woken and not working yet.
        int stream_jobs_running = 0;
        bool prefer_stream_job = true;  // Alternates when both queues have work.
        bool stopped = false;
    };
    void work();
    bool wait_for_job(ParkedThread& self, Running& running);
    static ParkedThread* pop_parked(Queue& queue);
    static void wake(ParkedThread* thread);
    static bool has_jobs(const Queue& queue);
    bool pop_job(Queue& queue, Running& running);
    bool pop_request(Queue& queue, Running& running);
    bool pop_stream_job(Queue& queue, Running& running);
    void run_job(Running& running);

    const Clock& clock_;
    int stream_jobs_running_max_;
    metrics::Gauge& queued_;
    metrics::Gauge& stream_jobs_queued_;
    metrics::Counter& rejected_;
    metrics::Counter& expired_;
    Bulkhead thread_bulkhead_;
    Bulkhead queue_bulkhead_;
    Synchronized<Queue> queue_;
    std::vector<std::thread> threads_;
};

}  // namespace integreat::net
