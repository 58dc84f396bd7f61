// SPDX-License-Identifier: Apache-2.0
#include "net/server/response_streamer.h"

#include <algorithm>
#include <cerrno>
#include <exception>

#include <boost/asio/post.hpp>
#include <netinet/tcp.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/proxy/hop_headers.h"

namespace integreat::net {

namespace {

// Number of bytes requested from a body stream in one read.
constexpr std::size_t chunk_bytes = ResponseStreamer::held_bytes;
// Bytes per sendfile call; limits how long one client occupies the thread.
constexpr std::size_t sendfile_bytes_max = 1024 * 1024;

}  // namespace

// State shared with the wakers of a stream, which are called from any thread and may outlive stream and
// server.
struct ResponseStreamer::WakeFlag {
    std::atomic<bool> raised{false};  // Since the last read of the body stream.
    Synchronized<asio::io_context*> io_context;
    ResponseStreamer* streamer;  // Used on the session's thread only.
};

ResponseStreamer::ResponseStreamer(Context context, http::StreamingResponse stream)
    : io_thread_(context.io_thread),
      client_(context.client),
      read_buffer_(context.read_buffer),
      context_(context.request_context),
      rate_(context.rate),
      response_(std::move(stream)),
      wake_flag_(std::make_shared<WakeFlag>()) {
    ASSERT(!endless() || !body_length(response_));
    *wake_flag_->io_context.lock() = &io_thread_.io_context;
    wake_flag_->streamer = this;
    waker_ = [wake_flag = wake_flag_] {
        if (wake_flag->raised.exchange(true)) return;
        // The lock is held while posting, so that the io_context stays alive; posting runs no handler.
        auto io_context = wake_flag->io_context.lock();
        if (!*io_context) return;
        asio::post(**io_context, [wake_flag] {
            if (wake_flag->streamer) wake_flag->streamer->interrupt();
        });
    };
    io_thread_.server.metrics.streams_open.add(1);
}

ResponseStreamer::~ResponseStreamer() {
    *wake_flag_->io_context.lock() = nullptr;
    wake_flag_->streamer = nullptr;
    io_thread_.server.metrics.streams_open.add(-1);
}

bool ResponseStreamer::should_end() const {
    return endless() && (io_thread_.draining || now() >= response_.until);
}

bool ResponseStreamer::woken() const {
    return wake_flag_->raised.load();
}

bool ResponseStreamer::fail(std::string_view cause) {
    context_.cause.assign("the response ended early: ").append(cause);
    io_thread_.server.metrics.streams_broken.add();
    return false;
}

// Reads the body stream. Also called on the blocking pool, so it uses only the body stream, chunk_, status_
// and cause_.
void ResponseStreamer::read_body_stream() {
    try {
        auto& source = *std::get<std::unique_ptr<http::BodyStream>>(response_.body);
        status_ = source.read(chunk_, {.bytes = chunk_bytes, .waker = waker_});
        if (status_ == http::ReadStatus::error) cause_ = "the body stream failed";
    } catch (const std::exception& exception) {
        status_ = http::ReadStatus::error;
        cause_ = exception.what();
    }
}

// Checks the announced length: excess bytes would be read as the next response, and missing bytes make the
// body incomplete.
void ResponseStreamer::check_length() {
    bytes_produced_ += chunk_.size();
    if (!response_.length || status_ == http::ReadStatus::error) return;
    bool too_short = bytes_produced_ < *response_.length && status_ == http::ReadStatus::eof;
    if (bytes_produced_ > *response_.length || too_short) {
        status_ = http::ReadStatus::error;
        cause_ = "the body stream produced another length than announced";
    } else if (bytes_produced_ == *response_.length) {
        status_ = http::ReadStatus::eof;
    }
}

Awaitable<bool> ResponseStreamer::read_chunk_blocking() {
    auto start = [this](auto handler) mutable {
        auto resume = std::make_shared<decltype(handler)>(std::move(handler));
        auto executor = io_thread_.io_context.get_executor();
        BlockingPool::Job job{
            .tenant = context_.tenant,
            .work = [this] { read_body_stream(); },
            .finished =
                [resume, executor](bool done) {
                    asio::post(executor, [resume, done] { std::move (*resume)(done); });
                },
        };
        io_thread_.server.pool.submit_stream_chunk(std::move(job));
    };
    return asio::async_initiate<const asio::use_awaitable_t<Executor>, void(bool)>(std::move(start),
                                                                                   use_awaitable);
}

Awaitable<void> ResponseStreamer::read_chunk() {
    wake_flag_->raised = false;
    client_.expire_never();
    bool done = true;
    if (response_.blocking) {
        done = co_await read_chunk_blocking();
    } else {
        read_body_stream();
    }
    if (!done) {
        status_ = http::ReadStatus::error;
        cause_ = "the server is stopping";
    }
    check_length();
}

Awaitable<bool> ResponseStreamer::prepare() {
    if (endless()) {
        // A client that vanished silently is detected by unacknowledged bytes.
        int timeout = static_cast<int>(io_thread_.server.settings.write_timeout.count());
        setsockopt(client_.socket().native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof timeout);
    }
    if (std::holds_alternative<http::FileRegion>(response_.body)) {
        if (!read_file_chunk(chunk_bytes)) co_return fail("the file is shorter than the region");
        co_return true;
    }
    if (should_end()) {
        status_ = http::ReadStatus::eof;
        co_return true;
    }
    co_await read_chunk();
    if (status_ == http::ReadStatus::error) co_return fail(cause_);
    co_return true;
}

void ResponseStreamer::frame(bool last) {
    if (!chunked_) return;
    if (!chunk_.empty()) {
        append_chunk_size(prefix_, chunk_.size());
        chunk_.append("\r\n");
    }
    if (last) chunk_.append("0\r\n\r\n");
}

// Writes the framed chunk.
Awaitable<bool> ResponseStreamer::send() {
    Buffers buffers{asio::buffer(prefix_), asio::buffer(chunk_)};
    auto began = now();
    client_.expire_at(endless() ? began + io_thread_.server.settings.write_timeout : rate_.deadline(began));
    error_code error;
    co_await client_.write(buffers, error);
    rate_.add_wait(now() - began);
    rate_.add(prefix_.size() + chunk_.size());
    if (error) {
        if (client_.expired()) io_thread_.server.metrics.timeouts_write.add();
        disconnected_ = true;
        co_return false;
    }
    io_thread_.bytes_out += prefix_.size() + chunk_.size();
    prefix_.clear();
    chunk_.clear();
    co_return true;
}

// Yields the thread, so that a client that reads as fast as the server writes does not starve the others.
Awaitable<void> ResponseStreamer::yield() {
    auto executor = io_thread_.io_context.get_executor();
    return asio::post(executor, use_awaitable);
}

Awaitable<void> ResponseStreamer::park(Monotonic deadline) {
    parked_ = true;
    client_.expire_at(deadline);
    auto buffer = read_buffer_.prepare(ReadBuffer::idle_bytes);
    error_code error;
    auto bytes = co_await client_.read_some(buffer, error);
    parked_ = false;
    read_buffer_.commit(bytes);
    io_thread_.bytes_in += bytes;
    bool interrupted = error == asio::error::operation_aborted && client_.open();
    disconnected_ = (error && !interrupted) || read_buffer_.unread().size() > ReadBuffer::pipelined_bytes_max;
}

// Waits until the body stream has more bytes, sending heartbeats meanwhile. Returns false if the body is
// incomplete.
Awaitable<bool> ResponseStreamer::wait_for_wake() {
    const auto& settings = io_thread_.server.settings;
    std::string().swap(prefix_);
    std::string().swap(chunk_);
    auto timeout = endless() ? settings.heartbeat_interval : settings.write_timeout;
    auto deadline = now() + timeout;
    while (!woken() && !should_end()) {
        co_await park(std::min(deadline, response_.until));
        if (disconnected_) co_return endless();
        if (now() < deadline) continue;
        if (!endless()) co_return fail("the body stream stayed idle");
        chunk_ = response_.heartbeat;
        body_bytes_sent_ += chunk_.size();
        frame(false);
        bool sent = co_await send();
        if (!sent) co_return true;
        deadline = now() + timeout;
    }
    co_return true;
}

Awaitable<bool> ResponseStreamer::run(std::string head, bool chunked) {
    prefix_ = std::move(head);
    chunked_ = chunked;
    if (std::holds_alternative<http::FileRegion>(response_.body)) co_return co_await run_file();
    for (;;) {
        bool last = status_ == http::ReadStatus::eof;
        auto bytes = chunk_.size();
        frame(last);
        bool sent = co_await send();
        if (!sent) co_return endless();
        body_bytes_sent_ += bytes;
        if (last) co_return true;
        if (status_ == http::ReadStatus::pending) {
            bool complete = co_await wait_for_wake();
            if (!complete || disconnected_) co_return complete;
        } else {
            co_await yield();
        }
        if (should_end()) {
            status_ = http::ReadStatus::eof;
            continue;
        }
        co_await read_chunk();
        if (status_ == http::ReadStatus::error) co_return fail(cause_);
    }
}

bool ResponseStreamer::read_file_chunk(std::size_t max_bytes) {
    const auto& region = std::get<http::FileRegion>(response_.body);
    chunk_.resize(
        static_cast<std::size_t>(std::min<std::uint64_t>(region.length - bytes_produced_, max_bytes)));
    for (std::size_t done = 0; done < chunk_.size();) {
        auto bytes = ::pread(region.file->get(), chunk_.data() + done, chunk_.size() - done,
                             static_cast<off_t>(region.offset + bytes_produced_ + done));
        if (bytes < 0 && errno == EINTR) continue;
        if (bytes <= 0) return false;
        done += static_cast<std::size_t>(bytes);
    }
    bytes_produced_ += chunk_.size();
    return true;
}

Awaitable<bool> ResponseStreamer::run_file() {
    const auto length = std::get<http::FileRegion>(response_.body).length;
    for (;;) {
        auto bytes = chunk_.size();
        bool sent = co_await send();
        if (!sent) co_return false;
        body_bytes_sent_ += bytes;
        if (bytes_produced_ == length) co_return true;
        if (!client_.secure()) co_return co_await send_file();
        co_await yield();
        if (!read_file_chunk(chunk_bytes)) co_return fail("the file is shorter than the region");
    }
}

// Sends the rest of a file region.
Awaitable<bool> ResponseStreamer::send_file() {
    const auto& region = std::get<http::FileRegion>(response_.body);
    while (bytes_produced_ < region.length) {
        auto offset = static_cast<off_t>(region.offset + bytes_produced_);
        auto requested = static_cast<std::size_t>(
            std::min<std::uint64_t>(region.length - bytes_produced_, sendfile_bytes_max));
        auto bytes = ::sendfile(client_.socket().native_handle(), region.file->get(), &offset, requested);
        if (bytes == 0 || (bytes < 0 && errno == EIO)) {
            co_return fail("the file is shorter than the region, or cannot be read");
        }
        if (bytes < 0 && errno == EINTR) continue;
        disconnected_ = bytes < 0 && errno != EAGAIN;
        if (disconnected_) co_return false;
        auto count = static_cast<std::size_t>(std::max<ssize_t>(bytes, 0));
        bytes_produced_ += count;
        body_bytes_sent_ += count;
        io_thread_.bytes_out += count;
        rate_.add(count);
        if (count == requested) {
            co_await yield();
            continue;
        }
        auto began = now();
        client_.expire_at(rate_.deadline(began));  // The kernel's send buffer is full.
        error_code error;
        co_await client_.wait_writable(error);
        rate_.add_wait(now() - began);
        if (!error) continue;
        if (client_.expired()) io_thread_.server.metrics.timeouts_write.add();
        disconnected_ = true;
        co_return false;
    }
    co_return true;
}

}  // namespace integreat::net
