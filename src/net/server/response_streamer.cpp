// SPDX-License-Identifier: Apache-2.0
#include "net/server/response_streamer.h"

#include <algorithm>
#include <exception>

#include <boost/asio/post.hpp>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "net/proxy/hop_headers.h"

namespace integreat::net {

namespace {

// What is asked of a source at once, and must pass to a client within write_timeout.
constexpr std::size_t piece_bytes = 64 * 1024;
// What a client may send behind its request while it listens.
constexpr std::size_t ahead_bytes_max = 32 * 1024;

}  // namespace

// What the wakes of a stream hold: they are called from any thread, and may outlive it and the server.
struct Streaming::Bell {
    std::atomic<bool> rung{false};  // Since the source was asked last.
    Guarded<asio::io_context*> context;
    Streaming* streaming;  // Used on its own thread only.
};

Streaming::Streaming(Within within, http::Stream stream)
    : worker_(within.worker),
      client_(within.client),
      input_(within.input),
      call_(within.call),
      what_(std::move(stream)),
      bell_(std::make_shared<Bell>()) {
    ASSERT(!endless() || !length_of(what_));
    *bell_->context.lock() = &worker_.context;
    bell_->streaming = this;
    wake_ = [bell = bell_] {
        if (bell->rung.exchange(true)) return;
        // The lock is held while posting, so that the context stays; posting calls nobody.
        auto context = bell->context.lock();
        if (!*context) return;
        asio::post(**context, [bell] {
            if (bell->streaming) bell->streaming->interrupt();
        });
    };
    worker_.parts.metrics.streams_open.add(1);
}

Streaming::~Streaming() {
    *bell_->context.lock() = nullptr;
    bell_->streaming = nullptr;
    worker_.parts.metrics.streams_open.add(-1);
}

bool Streaming::over() const {
    return endless() && (worker_.draining || now() >= what_.until);
}

bool Streaming::awake() const {
    return bell_->rung.load();
}

bool Streaming::break_off(std::string_view cause) {
    call_.cause.assign("the answer broke off: ").append(cause);
    worker_.parts.metrics.streams_broken.add();
    return false;
}

// Also on the waiting pool: touches the source and the piece only.
void Streaming::ask() {
    try {
        auto& source = *std::get<std::unique_ptr<http::BodySource>>(what_.body);
        pace_ = source.produce(piece_, {.bytes = piece_bytes, .wake = wake_});
        if (pace_ == http::Pace::broken) cause_ = "its source gave up";
    } catch (const std::exception& exception) {
        pace_ = http::Pace::broken;
        cause_ = exception.what();
    }
}

// More must never be sent, for it would be read as the next answer; less is not whole.
void Streaming::check_length() {
    made_ += piece_.size();
    if (!what_.length || pace_ == http::Pace::broken) return;
    bool too_short = made_ < *what_.length && pace_ == http::Pace::end;
    if (made_ > *what_.length || too_short) {
        pace_ = http::Pace::broken;
        cause_ = "its source made another length than it promised";
    } else if (made_ == *what_.length) {
        pace_ = http::Pace::end;
    }
}

Awaitable<bool> Streaming::produce_on_pool() {
    auto start = [this](auto handler) mutable {
        auto resume = std::make_shared<decltype(handler)>(std::move(handler));
        auto executor = worker_.context.get_executor();
        WaitingPool::Job job{
            .work = [this] { ask(); },
            .finished =
                [resume, executor](bool done) {
                    asio::post(executor, [resume, done] { std::move (*resume)(done); });
                },
        };
        worker_.parts.pool.submit_piece(std::move(job));
    };
    return asio::async_initiate<const asio::use_awaitable_t<Executor>, void(bool)>(std::move(start),
                                                                                   use_awaitable);
}

Awaitable<void> Streaming::produce() {
    bell_->rung = false;
    client_.expire_never();
    bool done = true;
    if (what_.waits) {
        done = co_await produce_on_pool();
    } else {
        ask();
    }
    if (!done) {
        pace_ = http::Pace::broken;
        cause_ = "the server stops";
    }
    check_length();
}

Awaitable<bool> Streaming::begin() {
    if (endless()) {
        // A client that vanished without a word is noticed by what it does not acknowledge.
        int patience = static_cast<int>(worker_.parts.settings.write_timeout.count());
        setsockopt(client_.socket().native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &patience,
                   sizeof patience);
    }
    if (std::holds_alternative<http::FileRegion>(what_.body)) {
        if (!read_region(piece_bytes)) co_return break_off("its file is shorter than its region");
        co_return true;
    }
    if (over()) {
        pace_ = http::Pace::end;
        co_return true;
    }
    co_await produce();
    if (pace_ == http::Pace::broken) co_return break_off(cause_);
    co_return true;
}

void Streaming::frame(bool last) {
    if (!chunked_) return;
    if (!piece_.empty()) {
        append_chunk_size(prefix_, piece_.size());
        piece_.append("\r\n");
    }
    if (last) piece_.append("0\r\n\r\n");
}

// What was framed; an idle stream then keeps no buffers.
Awaitable<bool> Streaming::send() {
    Buffers buffers{asio::buffer(prefix_), asio::buffer(piece_)};
    client_.expire_at(now() + worker_.parts.settings.write_timeout);
    error_code error;
    co_await client_.write(buffers, error);
    if (error) {
        if (client_.expired()) worker_.parts.metrics.timeouts_write.add();
        gone_ = true;
        co_return false;
    }
    worker_.bytes_out += prefix_.size() + piece_.size();
    prefix_.clear();
    piece_.clear();
    co_return true;
}

// So that a client that reads as fast as we write does not keep the thread from the others.
Awaitable<void> Streaming::yield() {
    auto executor = worker_.context.get_executor();
    return asio::post(executor, use_awaitable);
}

Awaitable<void> Streaming::park(Monotonic deadline) {
    parked_ = true;
    client_.expire_at(deadline);
    auto room = input_.room(Input::idle_bytes);
    error_code error;
    auto bytes = co_await client_.read_some(room, error);
    parked_ = false;
    input_.received(bytes);
    worker_.bytes_in += bytes;
    bool interrupted = error == asio::error::operation_aborted && client_.open();
    gone_ = (error && !interrupted) || input_.unread().size() > ahead_bytes_max;
}

// False if the stream is over, this way or that.
Awaitable<bool> Streaming::wait_for_wake() {
    const auto& settings = worker_.parts.settings;
    std::string().swap(prefix_);
    std::string().swap(piece_);
    auto patience = endless() ? settings.heartbeat_interval : settings.write_timeout;
    auto deadline = now() + patience;
    while (!awake() && !over()) {
        co_await park(std::min(deadline, what_.until));
        if (gone_) co_return endless();
        if (now() < deadline) continue;
        if (!endless()) co_return break_off("its source stayed idle");
        piece_ = what_.heartbeat;
        body_bytes_ += piece_.size();
        frame(false);
        bool sent = co_await send();
        if (!sent) co_return true;
        deadline = now() + patience;
    }
    co_return true;
}

Awaitable<bool> Streaming::run(std::string head, bool chunked) {
    prefix_ = std::move(head);
    chunked_ = chunked;
    if (std::holds_alternative<http::FileRegion>(what_.body)) co_return co_await run_region();
    for (;;) {
        bool last = pace_ == http::Pace::end;
        auto bytes = piece_.size();
        frame(last);
        bool sent = co_await send();
        if (!sent) co_return endless();
        body_bytes_ += bytes;
        if (last) co_return true;
        if (pace_ == http::Pace::idle) {
            bool whole = co_await wait_for_wake();
            if (!whole || gone_) co_return whole;
        } else {
            co_await yield();
        }
        if (over()) {
            pace_ = http::Pace::end;
            continue;
        }
        co_await produce();
        if (pace_ == http::Pace::broken) co_return break_off(cause_);
    }
}

}  // namespace integreat::net
