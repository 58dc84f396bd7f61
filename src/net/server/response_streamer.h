// SPDX-License-Identifier: Apache-2.0
// Sends one http::StreamingResponse: reads a chunk from the body stream, frames it, writes it, and only then
// reads the next one, so that a slow client slows the body stream down and costs one chunk of memory. While
// the body stream is idle, the streamer waits in a read from the client: its end ends the response, and any
// other event (a wake, the heartbeat, a drain) cancels the read. An idle stream thus costs a few kilobytes,
// and neither a thread nor a timer. Regions of files are sent by sendfile(2), so that their bytes never enter
// this process.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "http/transport/application.h"
#include "net/io/minimum_rate.h"
#include "net/io/read_buffer.h"
#include "net/server/io_thread.h"

namespace integreat::net {

class ResponseStreamer {
public:
    // Parts of the session, which outlive the streamer.
    struct Context {
        IoThread& io_thread;
        SocketStream& client;
        ReadBuffer& read_buffer;
        http::RequestContext& request_context;
        MinimumRate& rate;  // Rate at which the client reads; not of an endless response.
    };
    // Maximum memory of a response that is not endless, in bytes.
    static constexpr std::size_t held_bytes = 64 * 1024;
    ResponseStreamer(Context context, http::StreamingResponse stream);
    ResponseStreamer(const ResponseStreamer&) = delete;
    ResponseStreamer& operator=(const ResponseStreamer&) = delete;
    ~ResponseStreamer();  // Destroys the body stream and disables its wakers.

    const http::StreamingResponse& response() const { return response_; }
    bool endless() const { return !response_.heartbeat.empty(); }

    // Reads the first chunk before the head is sent. Returns false if that fails, so that the response can
    // still be an error.
    Awaitable<bool> prepare();
    // Sends `head` and the whole body. Returns false if the body is incomplete; the connection must be reset
    // then.
    Awaitable<bool> run(std::string head, bool chunked);

    std::uint64_t body_bytes_sent() const { return body_bytes_sent_; }
    bool client_disconnected() const { return disconnected_; }

    // Ends the current wait so that its conditions are checked again. Call on the session's thread.
    void interrupt() {
        if (parked_) client_.cancel();
    }

private:
    struct WakeFlag;

    bool should_end() const;  // Returns whether an endless stream must end now.
    bool woken() const;
    void read_body_stream();
    void check_length();
    Awaitable<void> read_chunk();
    Awaitable<bool> read_chunk_blocking();
    void frame(bool last);
    Awaitable<bool> send();
    Awaitable<bool> wait_for_wake();
    Awaitable<void> park(Monotonic deadline);
    Awaitable<void> yield();
    bool fail(std::string_view cause);

    // Functions for a region of a file. Small regions, and those inside TLS, pass through memory.
    bool read_file_chunk(std::size_t max_bytes);
    Awaitable<bool> run_file();
    Awaitable<bool> send_file();

    Monotonic now() const { return io_thread_.server.clock.monotonic(); }

    IoThread& io_thread_;
    SocketStream& client_;
    ReadBuffer& read_buffer_;
    http::RequestContext& context_;
    MinimumRate& rate_;
    http::StreamingResponse response_;
    std::shared_ptr<WakeFlag> wake_flag_;
    http::Waker waker_;
    http::ReadStatus status_ = http::ReadStatus::ready;
    std::string cause_;   // Reason for status_ error.
    std::string prefix_;  // Bytes before the chunk: the head, or the size line.
    std::string chunk_;
    std::uint64_t bytes_produced_ = 0;   // Body bytes read from the body stream or the file.
    std::uint64_t body_bytes_sent_ = 0;  // Body bytes written to the client.
    bool chunked_ = false;
    bool parked_ = false;
    bool disconnected_ = false;
};

}  // namespace integreat::net
