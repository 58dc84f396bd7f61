// SPDX-License-Identifier: Apache-2.0
// Coarse deadlines: one timer per I/O thread looks at all streams of that thread a few times a second and
// cancels what is overdue. Moving a deadline is then a store, not an operation on a timer queue, which a
// request that takes microseconds could not afford. A deadline may fire late by one tick, never early.
#pragma once

#include <functional>

#include "base/clock.h"
#include "net/io/asio_types.h"

namespace integreat::net {

class Stream;

class Sweeper {
public:
    Sweeper(asio::io_context& context, const Clock& clock, std::chrono::milliseconds tick);
    ~Sweeper();

    void start(std::function<void()> at_each_tick = [] {});
    void stop() {
        stopped_ = true;  // The timer may have fired already.
        timer_.cancel();
    }
    void close_all();
    asio::io_context& context() const { return *context_; }
    const Clock& clock() const { return *clock_; }

private:
    friend class Stream;  // Enters itself on construction, leaves on destruction.
    void wait();
    void sweep();

    asio::io_context* context_;
    const Clock* clock_;
    std::chrono::milliseconds tick_;
    Timer timer_;
    std::function<void()> at_each_tick_;
    Stream* first_ = nullptr;
    bool stopped_ = false;
};

}  // namespace integreat::net
