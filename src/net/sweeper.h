// SPDX-License-Identifier: Apache-2.0
// Coarse deadlines: one timer per I/O thread looks at all streams of that thread a few times a second and
// cancels what is overdue. Moving a deadline is then a store, not an operation on a timer queue, which a
// request that takes microseconds could not afford. A deadline may fire late by one tick, never early.
#pragma once

#include "base/clock.h"
#include "net/awaitable.h"

namespace integreat::net {

class Stream;

class Sweeper {
public:
    Sweeper(asio::io_context& context, const Clock& clock, std::chrono::milliseconds tick);
    ~Sweeper();

    void start();
    void stop() { timer_.cancel(); }
    asio::io_context& context() const { return *context_; }
    const Clock& clock() const { return *clock_; }

private:
    friend class Stream;  // Enters itself on construction, leaves on destruction.
    void sweep();

    asio::io_context* context_;
    const Clock* clock_;
    std::chrono::milliseconds tick_;
    Timer timer_;
    Stream* first_ = nullptr;
};

}  // namespace integreat::net
