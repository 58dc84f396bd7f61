// SPDX-License-Identifier: Apache-2.0
// A client connection: requests are read one after the other and answered in that order (RFC 9112 section
// 9.3), until one side closes. Requests that need no waiting are handled by plain functions (serve), with one
// coroutine resumption per read. Only waiting (for slow clients, bodies, the blocking pool, upstreams) costs
// further coroutines.
#pragma once

#include <memory>
#include <string>

#include "base/resilience/bulkhead.h"
#include "http/transport/application.h"
#include "net/http1/request_body.h"
#include "net/http1/request_parser.h"
#include "net/io/minimum_rate.h"
#include "net/io/read_buffer.h"
#include "net/server/io_thread.h"
#include "net/server/pending_wait.h"
#include "net/server/response_streamer.h"

namespace integreat::net {

class Session {
public:
    Session(IoThread& io_thread, Socket socket, const tcp::endpoint& peer);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session();

    static Awaitable<void> run(std::unique_ptr<Session> session);

    // Ends an endless stream or a long poll, or the connection if it is idle: no byte of the next request has
    // arrived, not even in the kernel.
    void drain() {
        if (streamer_) streamer_->interrupt();
        bool pending = pending_wait_ && pending_wait_->state() != PendingWait::State::ended;
        if (pending) return pending_wait_->drain();
        if (idle_ && !stream_.readable()) stream_.cancel();
    }

private:
    friend class IoThread;  // Links its sessions by previous_ and next_.

    // The next action of the session's coroutine.
    enum class Step {
        read,             // Read more bytes of a head.
        serve,            // Handle the requests in the read buffer.
        read_body,        // Read the whole body, then call the handler.
        stream_body,      // Pass the body chunk by chunk to the application's consumer.
        admit_blocking,   // Call admit again on the blocking pool.
        handle_blocking,  // Call the handler on the blocking pool.
        await_pending,    // Wait until the pending response is ready.
        proxy,            // Forward the request to an upstream.
        stream,           // Send a response whose body is produced chunk by chunk.
        flush,            // Write the rest of a response that the kernel did not accept immediately.
        discard_body,     // Read the rest of an unused body.
        close,
    };
    enum class BlockingStep { admit, handle, complete };
    enum class BlockingResult { done, expired, full };

    Step serve();
    asio::mutable_buffer prepare_read();
    Step on_read(std::size_t bytes, const error_code& error);
    Step on_timeout();

    void begin_request(const Framing& framing);
    void end_request(bool complete);
    Step next_request();
    Step dispatch(http::Admission admission);
    Step dispatch(http::Response response);
    http::Admission call_admit();
    http::Response call_handler();
    http::Response complete_pending();
    Step start_handler();
    Step start_single_query();
    std::optional<http::Response> call_consumer(bool last);
    http::FullResponse call_reject(const http::Problem& problem);
    Step reject(const http::Problem& problem);
    Step reject_internal_error();
    Step reject_body(const http::Problem& problem);
    Step reject_overloaded(BlockingResult result);
    Bulkhead::Holder holder() const;
    bool hold_response(std::size_t bytes);  // Returns false if the client must be disconnected.
    std::optional<double> reading_rate(const TenantId& tenant, std::uint64_t caller) const;
    void release_response();
    void shed();                           // Disconnects a slow reader.
    bool reserve_body(std::size_t bytes);  // Returns false if no more memory may be used for the body.
    Step reject_body_memory();
    Step respond(http::FullResponse response);
    Step start_stream(http::StreamingResponse stream);
    void write_head(int status, const http::Headers& headers, const ResponseFraming& framing);
    bool can_keep_alive() const;
    void report_dropped_fields();
    Step after_response();

    Awaitable<bool> handshake();
    Awaitable<Step> run_step(Step step);
    Awaitable<Step> read_body();
    Awaitable<Step> stream_body();
    Awaitable<Step> run_blocking(BlockingStep step);
    Awaitable<BlockingResult> submit_blocking(std::function<void()> work);
    Awaitable<Step> await_pending();
    Awaitable<Step> proxy();
    Awaitable<Step> run_stream();
    Step after_stream(bool complete);
    Awaitable<Step> flush();
    Awaitable<Step> discard_body();
    Awaitable<void> close();
    Step on_disconnect();

    IoThread& io_thread_;
    const ServerSettings& settings_;
    SocketStream stream_;
    ReadBuffer read_buffer_;
    RequestParser parser_;
    RequestBody body_;
    Address peer_;
    std::string peer_text_;
    std::uint16_t peer_port_ = 0;
    bool trusted_peer_ = false;

    // State of the current request.
    http::Request request_;
    http::RequestContext context_;
    http::RequestSummary summary_;
    http::FullResponse response_;
    http::ProxyRequest proxy_request_;
    http::PendingResponse pending_;
    std::unique_ptr<PendingWait> pending_wait_;  // Made for the first pending response.
    std::unique_ptr<ResponseStreamer> streamer_;
    std::function<std::optional<http::Response>(std::string_view, bool)>
        consumer_;                           // Consumer of a StreamBody.
    std::string head_;                       // The response head as bytes.
    std::size_t bytes_sent_ = 0;             // Bytes sent of head_ and the response body.
    MinimumRate response_rate_;              // Rate at which the client reads the response.
    BulkheadPermit response_permit_;         // Bytes of a response that the client does not read immediately.
    Monotonic response_began_;               // Time of response_permit_.
    std::function<bool(std::size_t)> hold_;  // Calls hold_response.
    std::size_t body_limit_ = 0;
    BulkheadPermit body_permit_;  // Bytes of the body in memory.
    bool omits_body_ = false;     // HEAD, 204, 304: the response body is not sent.
    http::Execution execution_ = http::Execution::on_io_thread;
    bool keep_alive_ = false;  // The connection stays open after this request.

    int requests_ = 0;
    bool idle_ = true;           // No byte of the next request has arrived.
    bool linger_ = false;        // Unread bytes may be in flight: read them before closing.
    bool disconnected_ = false;  // The client has disconnected.
    Monotonic last_active_;      // Time of the connection or of the end of its last request.
    Monotonic head_deadline_ = Monotonic::max();

    Session* previous_ = nullptr;
    Session* next_ = nullptr;
};

}  // namespace integreat::net
