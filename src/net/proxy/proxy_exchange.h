// SPDX-License-Identifier: Apache-2.0
// The state of one proxied request, with the steps between two waits as plain functions. The coroutines are
// in reverse_proxy.cpp; a small request passes through one of them and one more per read.
#pragma once

#include <optional>
#include <string_view>

#include "net/http1/chunked_decoder.h"
#include "net/proxy/hop_headers.h"
#include "net/proxy/reverse_proxy.h"
#include "net/proxy/upstream_pool.h"

namespace integreat::net {

// The reason why there is no response of the upstream to forward.
enum class UpstreamFailure {
    none,
    circuit_open,
    busy,         // max_connections are open.
    unreachable,  // No connection; nothing was sent.
    timeout,
    connection_closed,    // The connection ended before the head of a response.
    malformed,            // The response cannot be forwarded safely.
    request_body,         // The request body is invalid, too large or too slow.
    client_disconnected,  // The client disconnected, or the server stops.
};

class ProxyExchange {
public:
    ProxyExchange(ProxyContext& context, const http::ProxyRequest& proxy_request, UpstreamPools& pools);
    ProxyExchange(const ProxyExchange&) = delete;
    ProxyExchange& operator=(const ProxyExchange&) = delete;
    ~ProxyExchange();

    // Steps before anything is sent.
    bool begin();                           // Returns false if the circuit is open.
    void set_first_chunk(BodyChunk chunk);  // Sets the body chunk that is sent together with the head.
    bool reuse_connection();                // Returns false if a new connection is needed.
    bool create_connection();               // Returns false if max_connections are open.
    void on_connect_failure(error_code error, std::string_view doing);

    // Sends the request. Returns true if all of it was sent without blocking.
    bool send_request();
    Buffers unsent() const { return unsent_; }
    void on_request_sent(error_code error);
    bool has_more_body() const { return !first_chunk_.finished; }
    // Frames the next chunk of a long body; frame_body_end() writes the end.
    Buffers frame_chunk(const BodyChunk& chunk);
    Buffers frame_body_end();

    // Steps that read the head of the response.
    bool awaits_head() const { return failure_ == UpstreamFailure::none && !has_head_; }
    asio::mutable_buffer prepare_read();
    void on_read(std::size_t size, error_code error);
    bool
    retry();  // Returns whether another attempt may be made after a failure, and resets the state for it.

    // Steps that forward the response.
    Buffers begin_response();
    asio::mutable_buffer prepare_body_read();
    Buffers on_body_read(std::size_t size, error_code error);  // Frames the bytes read for the client.
    bool is_streaming() const { return !complete_ && !aborted_; }
    void abort() { aborted_ = true; }
    void finish();

    bool failed() const { return failure_ != UpstreamFailure::none; }
    bool is_upgraded() const { return has_head_ && head().status == 101; }
    void reject();

    ProxyContext& context;
    const http::ProxyRequest& proxy_request;
    UpstreamPools& pools;
    UpstreamPool& pool;
    DisconnectWatch watch;
    std::unique_ptr<UpstreamConnection> connection;
    ProxyResult result;

    // The rest of a long body is sent by a second coroutine (the pump), because the upstream may respond
    // meanwhile.
    bool pump_running = false;
    bool pump_stopping = false;
    std::optional<Timer> pump_ended;
    std::optional<http::Problem> body_problem;
    std::string pump_buffer;

private:
    ResponseHead& head() const { return buffers_->head; }
    void fail(UpstreamFailure failure, std::string_view cause);
    void parse_head();
    bool may_retry() const;
    std::string_view next_payload();
    std::string_view decode_chunks(std::string_view bytes);
    Buffers frame_payload(std::string_view payload);
    ResponseFraming make_framing();
    CircuitBreakerSettings breaker_settings() const;
    http::Problem problem() const;

    char* mutable_data(std::string_view bytes) const {
        return buffers_->in.get() + (bytes.data() - buffers_->in.get());
    }

    Monotonic started_;
    Monotonic now_;
    CircuitBreaker::Permit permit_;
    std::unique_ptr<ProxyBuffers> buffers_;
    BodyChunk first_chunk_{.bytes = {}, .finished = true, .problem = std::nullopt};
    Buffers unsent_;
    UpstreamFailure failure_ = UpstreamFailure::none;
    int retries_ = 0;
    int interim_responses_ = 0;
    bool fresh_only_ = false;  // Use no pooled connection: one was stale already.
    bool chunked_request_ = false;
    bool nothing_sent_ = true;     // No byte was sent in the current attempt.
    bool body_streamed_ = false;   // More than the first chunk was read, so the body cannot be sent again.
    bool request_failed_ = false;  // The upstream did not read all of it, but may have responded.
    bool has_head_ = false;

    std::size_t begin_ = 0;  // Start of the unconsumed bytes in buffers_->in.
    std::size_t end_ = 0;
    std::uint64_t remaining_ = 0;  // Remaining bytes of a body with a length.
    ChunkedDecoder decoder_;
    bool chunked_response_ = false;  // The response is sent to the client in chunks.
    bool complete_ = false;          // The whole response was received.
    bool aborted_ = false;           // The response ended early.
};

}  // namespace integreat::net
