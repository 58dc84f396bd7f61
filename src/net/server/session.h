// SPDX-License-Identifier: Apache-2.0
// One client's connection: requests come in one after the other, are answered in that order (RFC 9112
// section 9.3), until one side is done. What can be answered without waiting is done in plain functions
// (serve); the coroutine is resumed once per read for it. Only what waits (slow clients, bodies, the waiting
// pool, relays) costs further coroutines.
#pragma once

#include <memory>
#include <string>

#include "http/transport/application.h"
#include "net/http1/request_body.h"
#include "net/http1/request_parser.h"
#include "net/io/read_buffer.h"
#include "net/server/io_thread.h"
#include "net/server/response_streamer.h"

namespace integreat::net {

class Session {
public:
    Session(Worker& worker, Socket socket, const tcp::endpoint& peer);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session();

    static Awaitable<void> run(std::unique_ptr<Session> session);

    // Ends what needs not be waited for: endless streams, and idleness, which is when nothing of a next
    // request has come, not even as far as the kernel.
    void drain() {
        if (streaming_) streaming_->interrupt();
        if (idle_ && !stream_.readable()) stream_.cancel();
    }

private:
    friend class Worker;  // Which keeps a list of its sessions in previous_ and next_.

    // What the coroutine has to wait for, or do, next.
    enum class Next {
        receive,        // More bytes of a head.
        serve,          // What is in the input.
        read_body,      // All of it, then answer.
        stream_body,    // Piece by piece to the application, which answers the last.
        admit_on_pool,  // The application asked to be asked where it may wait.
        answer_on_pool,
        answer_later,  // When the lane has told that it can be finished.
        relay,
        stream,   // The answer's body comes piece by piece.
        flush,    // The rest of a reply that the kernel did not take at once.
        discard,  // The rest of a body that nobody wanted.
        close,
    };
    enum class PoolStep { admit, answer, finish };
    enum class PoolEnd { done, expired, full };

    Next serve();
    asio::mutable_buffer before_receive();
    Next after_receive(std::size_t bytes, const error_code& error);
    Next after_timeout();

    void begin_request(const Framing& framing);
    void end_request(bool complete);
    Next next_request();
    Next take(http::Admission admission);
    Next take(http::Response response);
    http::Admission ask_admission();
    http::Response ask_answer();
    http::Response ask_finish();
    Next answer_waiting();
    std::optional<http::Response> ask_consumer(bool last);
    http::Reply ask_rejection(const http::Problem& problem);
    Next refuse(const http::Problem& problem);
    Next refuse_as_bug();
    Next refuse_body(const http::Problem& problem);
    Next refuse_unfinished(PoolEnd end);
    Next respond(http::Reply reply);
    Next stream(http::Stream stream);
    void write_head(int status, const http::Headers& headers, const ResponseFraming& framing);
    bool stays_open() const;
    void report_left_out();
    Next after_reply();

    Awaitable<bool> secure();
    Awaitable<Next> carry_out(Next next);
    Awaitable<Next> read_body();
    Awaitable<Next> stream_body();
    Awaitable<Next> on_pool(PoolStep step);
    Awaitable<PoolEnd> run_on_pool(std::function<void()> work);
    Awaitable<Next> answer_later();
    Awaitable<bool> until_ready();
    Awaitable<Next> relay();
    Awaitable<Next> carry_stream();
    Next after_stream(bool whole);
    Awaitable<Next> flush();
    Awaitable<Next> discard();
    Awaitable<void> close();
    Next gone();

    Worker& worker_;
    const ServerSettings& settings_;
    Stream stream_;
    Input input_;
    HeadParser parser_;
    RequestBody body_;
    Address peer_;
    std::string peer_text_;
    std::uint16_t peer_port_ = 0;
    bool behind_proxy_ = false;

    // Of the present request.
    http::Request request_;
    http::Call call_;
    http::Outcome outcome_;
    http::Reply reply_;
    http::Relay relay_;
    http::Later later_;
    std::unique_ptr<Streaming> streaming_;
    std::function<std::optional<http::Response>(std::string_view, bool)> consume_;  // Of a StreamBody.
    std::string head_;                                                              // Of the reply, as bytes.
    std::size_t sent_ = 0;  // Of head_ and the reply's body.
    std::size_t body_limit_ = 0;
    std::size_t body_reserved_ = 0;
    bool without_body_ = false;  // HEAD, 204, 304: the reply's body is not sent.
    bool waits_ = false;
    bool in_lane_ = false;
    bool keep_ = false;  // The connection stays after this request.

    int requests_ = 0;
    bool idle_ = true;     // Nothing of a next request has arrived.
    bool linger_ = false;  // Bytes may be under way that nobody reads: close gently.
    bool broken_ = false;  // The client is gone.
    Monotonic active_;     // When the connection came or its last request ended.
    Monotonic head_deadline_ = Monotonic::max();

    Session* previous_ = nullptr;
    Session* next_ = nullptr;
};

}  // namespace integreat::net
