// SPDX-License-Identifier: Apache-2.0
// One relay under way: its state, and the steps between two waits as plain functions. The coroutines that
// wait are in relay.cpp; a small request passes through one of them and one more per read.
#pragma once

#include <optional>
#include <string_view>

#include "net/http1/chunked_decoder.h"
#include "net/proxy/hop_headers.h"
#include "net/proxy/reverse_proxy.h"
#include "net/proxy/upstream_pool.h"

namespace integreat::net {

// Why there is no answer of the upstream's to pass on.
enum class Trouble {
    none,
    circuit_open,
    busy,         // connections_max are open.
    unreachable,  // No connection; nothing was sent.
    timeout,
    broke,      // The connection ended before the head of an answer.
    malformed,  // What came is no answer we could pass on safely.
    body,       // The request's own body is at fault, or its sender.
    gone,       // The client left, or the server stops.
};

class Relaying {
public:
    Relaying(Exchange& exchange, const http::Relay& what, UpstreamPools& pools);
    Relaying(const Relaying&) = delete;
    Relaying& operator=(const Relaying&) = delete;
    ~Relaying();

    // Before anything is sent.
    bool begin();                       // False if the circuit is open.
    void first_piece(BodyPiece piece);  // Of the request's body, sent together with the head.
    bool take_connection();             // False if a new one must be connected.
    bool make_connection();             // False if there are too many.
    void connect_failed(error_code error, std::string_view doing);

    // The request. True if all of it was sent at once.
    bool send_request();
    Buffers unsent() const { return unsent_; }
    void request_sent(error_code error);
    bool more_body() const { return !first_.finished; }
    // The next piece of a long body, ready to be written; empty when only the end is left to be said.
    Buffers frame_piece(const BodyPiece& piece);
    Buffers end_of_body();

    // The answer's head.
    bool wants_head() const { return trouble_ == Trouble::none && !has_head_; }
    asio::mutable_buffer room();
    void received(std::size_t size, error_code error);
    bool try_again();  // After trouble: whether another attempt may be made.

    // The answer.
    Buffers answer();
    Buffers part(std::size_t size, error_code error);  // Of its body, after a read into whole_room().
    asio::mutable_buffer whole_room();
    bool streaming() const { return !ended_ && !broken_; }
    void break_off() { broken_ = true; }
    void finish();

    bool failed() const { return trouble_ != Trouble::none; }
    bool upgraded() const { return has_head_ && head().status == 101; }
    void refuse();

    Exchange& exchange;
    const http::Relay& what;
    UpstreamPools& pools;
    UpstreamPool& pool;
    Watch watch;
    std::unique_ptr<UpstreamConnection> link;
    RelayEnd end;

    // The rest of a long body is sent by a second coroutine, because the upstream may answer meanwhile.
    bool pump_running = false;
    bool pump_stop = false;
    std::optional<Timer> pump_ended;
    std::optional<http::Problem> body_problem;
    std::string pump_out;

private:
    UpstreamHead& head() const { return buffers_->head; }
    void trouble(Trouble what_happened, std::string_view cause);
    void parse_head();
    bool may_send_again() const;
    std::string_view take_payload();
    std::string_view take_chunks(std::string_view bytes);
    Buffers framed(std::string_view payload);
    ResponseFraming frame_answer();
    BreakerSettings breaker_settings() const;
    http::Problem problem() const;

    char* in_place(std::string_view bytes) const {
        return buffers_->in.get() + (bytes.data() - buffers_->in.get());
    }

    Monotonic started_;
    Monotonic now_;
    Breaker::Pass pass_;
    std::unique_ptr<RelayBuffers> buffers_;
    BodyPiece first_{.bytes = {}, .finished = true, .problem = std::nullopt};
    Buffers unsent_;
    Trouble trouble_ = Trouble::none;
    int retries_ = 0;
    int interim_answers_ = 0;
    bool fresh_only_ = false;  // A pooled connection was stale already.
    bool chunked_request_ = false;
    bool nothing_sent_ = true;     // Of the present attempt.
    bool body_passed_ = false;     // More than the first piece was read: it cannot be sent again.
    bool request_failed_ = false;  // The upstream did not take all of it; it may have answered all the same.
    bool has_head_ = false;

    std::size_t begin_ = 0;  // Unused bytes of buffers_->in.
    std::size_t end_ = 0;
    std::uint64_t remaining_ = 0;  // Of a body with a length.
    ChunkDecoder chunks_;
    bool chunked_answer_ = false;  // Towards the client.
    bool ended_ = false;           // The answer is complete.
    bool broken_ = false;          // It never will be.
};

}  // namespace integreat::net
