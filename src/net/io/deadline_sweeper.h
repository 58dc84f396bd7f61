// SPDX-License-Identifier: Apache-2.0
// Coarse deadlines: one timer per I/O thread checks all streams of that thread a few times a second and
// cancels the overdue ones. Moving a deadline is then a store, not an operation on a timer queue, which would
// be too expensive for a request that takes microseconds. A deadline may fire late by one tick, never early.
#pragma once

#include <functional>

#include "base/clock.h"
#include "net/io/asio_types.h"

namespace integreat::net {

class SocketStream;

class DeadlineSweeper {
public:
    // Checks the deadlines once per `tick`.
    DeadlineSweeper(asio::io_context& context, const Clock& clock, std::chrono::milliseconds tick);
    ~DeadlineSweeper();

    // Starts the timer; `on_tick` runs after each sweep.
    void start(std::function<void()> on_tick = [] {});
    void stop() {
        stopped_ = true;  // The timer may have fired already.
        timer_.cancel();
    }
    // Closes every registered stream.
    void close_all();
    asio::io_context& context() const { return *context_; }
    const Clock& clock() const { return *clock_; }

private:
    friend class SocketStream;  // Registers itself on construction and deregisters on destruction.
    void schedule();
    void sweep();

    asio::io_context* context_;
    const Clock* clock_;
    std::chrono::milliseconds tick_;
    Timer timer_;
    std::function<void()> on_tick_;
    SocketStream* first_ = nullptr;  // Head of an intrusive list.
    bool stopped_ = false;
};

}  // namespace integreat::net
