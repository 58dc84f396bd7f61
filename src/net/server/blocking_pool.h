// SPDX-License-Identifier: Apache-2.0
// The threads that may block: requests that wait for a database or a third party are answered here, so that
// no connection's thread ever stands still. Bounded twice: by its threads and by its queue. What finds the
// queue full, or waited in it beyond its own deadline, is not begun.
//
// Streams have a lane of their own for their pieces, which is never full, since each waits for one piece at a
// time: when a thousand wake up at once, they take turns with the requests and hold half of the threads.
//
// The thread that fell asleep last is woken first: its stack is still warm, and the others stay out of the
// way (a shared condition variable woke them in turn and cost two more system calls per request).
#pragma once

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include <semaphore.h>

#include "base/clock.h"
#include "base/concurrency/synchronized.h"
#include "metrics/registry.h"

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

    // For the next piece of a stream. Once stopped, it ends as not done.
    void submit_piece(Job job);

    // Queued jobs end as not done; waits for those under way. Idempotent.
    void stop();

private:
    // A thread that waits for work.
    struct Sleeper {
        Sleeper() { sem_init(&woken, 0, 0); }
        ~Sleeper() { sem_destroy(&woken); }
        Sleeper(const Sleeper&) = delete;
        sem_t woken;
    };
    struct Queue {
        std::deque<Job> jobs;
        std::deque<Job> pieces;
        std::vector<Sleeper*> asleep;
        std::size_t idle = 0;  // Asleep, or woken and not yet at work: what they will take is not queued.
        int pieces_running = 0;
        bool piece_next = true;  // When both lanes have work.
        bool stopped = false;
    };
    void work();
    bool next(Sleeper& self, Job& job, bool& piece, bool& stopped);
    static Sleeper* take_sleeper(Queue& queue);
    static void wake(Sleeper* sleeper);
    bool has_work(const Queue& queue) const;
    bool may_take_piece(const Queue& queue) const;
    bool take(Queue& queue, Job& job) const;
    void carry_out(Job& job, bool stopped);

    const Clock& clock_;
    std::size_t queue_max_;
    int pieces_running_max_;
    metrics::Gauge& queued_;
    metrics::Gauge& pieces_queued_;
    metrics::Counter& refused_;
    metrics::Counter& expired_;
    Guarded<Queue> queue_;
    std::vector<std::thread> threads_;
};

}  // namespace integreat::net
