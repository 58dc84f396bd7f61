// SPDX-License-Identifier: Apache-2.0
// The wait of a session for one http::PendingResponse. Most are queries, ready within a millisecond, so
// that the wait costs no more than the callback at first. From the next tick of the I/O thread on it is a
// read from the client: its end cancels the response, the deadline of the request ends it, and the callback
// interrupts it. A long poll thus costs a few kilobytes, and neither a thread nor a timer.
#pragma once

#include <memory>
#include <optional>

#include "http/transport/application.h"
#include "net/io/read_buffer.h"
#include "net/server/io_thread.h"

namespace integreat::net {

class PendingWait {
public:
    enum class State {
        waiting,
        ready,
        ready_large,   // Ready, to be completed on the blocking pool.
        disconnected,  // The client has disconnected, or the server stops.
        expired,       // The deadline has passed.
    };

    // Registers the callback of `pending`. The arguments outlive the wait.
    PendingWait(IoThread& io_thread, SocketStream& client, ReadBuffer& read_buffer,
                const http::PendingResponse& pending);
    PendingWait(const PendingWait&) = delete;
    PendingWait& operator=(const PendingWait&) = delete;
    ~PendingWait();  // Disables the callback.

    State state() const { return state_; }

    // Suspends the session until the state changes, or until the next tick.
    Awaitable<void> suspend();
    // Waits until the state changes, at most until `deadline`.
    Awaitable<void> wait_reading(Monotonic deadline);

    // Functions that may continue the session within the call, on its thread.
    void tick() { interrupt(); }
    void drain();

private:
    friend class IoThread;  // Links the suspended waits by previous_ and next_.
    struct Link;
    using Resume = asio::async_result<asio::use_awaitable_t<Executor>, void()>::handler_type;

    void set_ready(bool large);
    void interrupt();
    Awaitable<void> read(Monotonic deadline);

    IoThread& io_thread_;
    SocketStream& client_;
    ReadBuffer& read_buffer_;
    std::shared_ptr<Link> link_;
    std::optional<Resume> resume_;  // Set while the session is suspended.
    PendingWait* previous_ = nullptr;
    PendingWait* next_ = nullptr;
    State state_ = State::waiting;
    bool completes_on_drain_ = false;
    bool reading_ = false;
};

}  // namespace integreat::net
