// SPDX-License-Identifier: Apache-2.0
#include "net/server/pending_wait.h"

#include <atomic>
#include <utility>

#include <boost/asio/post.hpp>

#include "base/concurrency/synchronized.h"

namespace integreat::net {

// State shared with the callbacks, which are called from any thread and may outlive wait and server.
struct PendingWait::Link {
    Link(IoThread& its_thread, PendingWait& its_wait)
        : io_thread(&its_thread), wait(&its_wait), io_context(&its_thread.io_context) {}

    const IoThread* io_thread;
    PendingWait* wait;                           // Used on the session's thread only; null after the session.
    Synchronized<asio::io_context*> io_context;  // Null after the session.
    // Number of the response that other threads may report as ready, once; 0 if there is none.
    std::atomic<std::uint64_t> reportable{0};

    void set_ready(std::uint64_t number, bool large) {
        if (wait) wait->set_ready(number, large);
    }
};

PendingWait::PendingWait(IoThread& io_thread, SocketStream& client, ReadBuffer& read_buffer)
    : io_thread_(io_thread),
      client_(client),
      read_buffer_(read_buffer),
      link_(std::make_shared<Link>(io_thread, *this)) {}

PendingWait::~PendingWait() {
    *link_->io_context.lock() = nullptr;
    link_->wait = nullptr;
}

void PendingWait::begin(const http::PendingResponse& pending) {
    completes_on_drain_ = pending.completes_on_drain;
    state_ = completes_on_drain_ && io_thread_.draining ? State::ready : State::waiting;
    if (state_ == State::ready) return;
    link_->reportable.store(++number_, std::memory_order_relaxed);
    pending.on_ready([link = link_, number = number_](bool large) {
        auto set_ready = [&] { link->set_ready(number, large); };
        if (IoThread::resume_from_completions(link->io_thread, set_ready)) return;
        // Any other caller may hold a lock, so the session continues from the event loop, not from here.
        auto reportable = number;
        if (!link->reportable.compare_exchange_strong(reportable, 0)) return;
        // Our lock keeps the io_context alive; posting runs no handler.
        auto io_context = link->io_context.lock();
        if (*io_context) asio::post(**io_context, [link, number, large] { link->set_ready(number, large); });
    });
}

PendingWait::State PendingWait::end() {
    link_->reportable.store(0, std::memory_order_relaxed);
    return std::exchange(state_, State::ended);
}

void PendingWait::set_ready(std::uint64_t number, bool large) {
    if (number != number_ || state_ != State::waiting) return;
    state_ = large ? State::ready_large : State::ready;
    interrupt();
}

void PendingWait::drain() {
    if (!completes_on_drain_ || state_ != State::waiting) return;
    state_ = State::ready;
    interrupt();
}

// Ends the current suspension or read, if there is one. A resumed session may end with this wait.
void PendingWait::interrupt() {
    if (reading_) return client_.cancel();
    if (!resume_) return;
    io_thread_.remove_wait(*this);
    auto resume = std::move(*resume_);
    resume_.reset();
    std::move(resume)();
}

Awaitable<void> PendingWait::suspend() {
    auto start = [this](auto resume) {
        resume_.emplace(std::move(resume));
        io_thread_.add_wait(*this);
    };
    return asio::async_initiate<const asio::use_awaitable_t<Executor>, void()>(std::move(start),
                                                                               use_awaitable);
}

Awaitable<void> PendingWait::read(Monotonic deadline) {
    reading_ = true;
    client_.expire_at(deadline);
    auto buffer = read_buffer_.prepare(ReadBuffer::idle_bytes);
    error_code error;
    auto bytes = co_await client_.read_some(buffer, error);
    reading_ = false;
    read_buffer_.commit(bytes);
    io_thread_.bytes_in += bytes;
    bool interrupted = error == asio::error::operation_aborted && client_.open();
    if (error && !interrupted && state_ == State::waiting) state_ = State::disconnected;
}

Awaitable<void> PendingWait::wait_reading(Monotonic deadline) {
    while (state_ == State::waiting) {
        if (io_thread_.server.clock.monotonic() >= deadline) {
            state_ = State::expired;
        } else if (!client_.open()) {
            state_ = State::disconnected;
        } else if (read_buffer_.unread().size() > ReadBuffer::pipelined_bytes_max) {
            co_await suspend();
        } else {
            co_await read(deadline);
        }
    }
    client_.expire_never();
}

}  // namespace integreat::net
