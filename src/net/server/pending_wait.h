// SPDX-License-Identifier: Apache-2.0
// The wait of a session for an http::PendingResponse, used for one after the other. Most are queries, ready
// within a millisecond, so that the wait costs no more than the callback at first. From the next tick of the
// I/O thread on it is a read from the client: its end cancels the response, the deadline of the request ends
// it, and the callback interrupts it. A long poll thus costs a few kilobytes, but no thread and no timer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "http/transport/application.h"
#include "net/io/read_buffer.h"
#include "net/server/io_thread.h"

namespace integreat::net {

class PendingWait {
public:
    enum class State {
        ended,  // There is no pending response.
        waiting,
        ready,
        ready_large,   // Ready, to be completed on the blocking pool.
        disconnected,  // The client has disconnected, or the server stops.
        expired,       // The deadline has passed.
    };

    // The arguments outlive the wait.
    PendingWait(IoThread& io_thread, SocketStream& client, ReadBuffer& read_buffer);
    PendingWait(const PendingWait&) = delete;
    PendingWait& operator=(const PendingWait&) = delete;
    ~PendingWait();

    // Registers the callback of a response.
    void begin(const http::PendingResponse& pending);
    State state() const { return state_; }
    // Disables the callback. Returns the last state.
    State end();

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

    void set_ready(std::uint64_t number, bool large);
    void interrupt();
    Awaitable<void> read(Monotonic deadline);

    IoThread& io_thread_;
    SocketStream& client_;
    ReadBuffer& read_buffer_;
    std::shared_ptr<Link> link_;
    std::optional<Resume> resume_;  // Set while the session is suspended.
    PendingWait* previous_ = nullptr;
    PendingWait* next_ = nullptr;
    std::uint64_t number_ = 0;  // Number of the response; a callback of an earlier one has no effect.
    State state_ = State::ended;
    bool completes_on_drain_ = false;
    bool reading_ = false;
};

}  // namespace integreat::net
