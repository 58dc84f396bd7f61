// SPDX-License-Identifier: Apache-2.0
// The part of a session that does not wait: from bytes in the input to bytes in the kernel.
#include "net/server/session.h"

#include <algorithm>
#include <exception>

#include "base/log.h"

namespace integreat::net {

namespace {

using http::Problem;

// A body nobody wanted is read to its end if it is at most this long; else the connection is closed.
constexpr std::uint64_t discarded_bytes_max = 64 * 1024;
// More than this is given back after a request, so that idle connections stay small.
constexpr std::size_t kept_bytes_max = 16 * 1024;
// The largest body that is taken apart on the I/O thread, if it is to be answered in its lane.
constexpr std::size_t lane_body_bytes_max = 16 * 1024;

Problem head_too_slow() {
    return {.status = 408,
            .type = "request-timeout",
            .title = "The request took too long to arrive",
            .detail = "The header stopped arriving; send it at once."};
}

Problem our_bug() {
    return {.status = 500,
            .type = "internal",
            .title = "Something went wrong on our side",
            .detail = "The request could not be answered because of a mistake of ours."};
}

}  // namespace

Session::Session(Worker& worker, Socket socket, const tcp::endpoint& peer)
    : worker_(worker),
      settings_(worker.parts.settings),
      stream_(std::move(socket), worker.sweeper),
      parser_({.bytes_max = settings_.header_bytes_max,
               .count_max = settings_.header_count_max,
               .target_bytes_max = settings_.target_bytes_max}),
      body_(stream_, input_, settings_.body_timeout),
      peer_(without_mapping(peer.address())),
      peer_text_(peer_.to_string()),
      peer_port_(peer.port()),
      behind_proxy_(worker.parts.proxies.trusts(peer_)),
      active_(worker.parts.clock.monotonic()) {
    head_deadline_ = active_ + settings_.header_timeout;
    worker_.entered(*this);
}

Session::~Session() {
    worker_.body_bytes_in_flight -= body_reserved_;
    worker_.left(*this);
    worker_.parts.clients.leave(peer_);
}

// Answers what is in the input as long as that needs no waiting.
Session::Next Session::serve() {
    for (;;) {
        if (input_.unread().empty()) return worker_.draining ? Next::close : Next::receive;
        switch (parser_.parse(input_.unread(), request_)) {
            case HeadParser::State::incomplete: return Next::receive;
            case HeadParser::State::refused: {
                auto& refusal = parser_.refusal();
                worker_.parts.metrics.malformed[static_cast<std::size_t>(refusal.part)]->add();
                begin_request({.keep_alive = false});
                linger_ = true;
                return refuse(problem_from(refusal));
            }
            case HeadParser::State::complete: break;
        }
        input_.consume(parser_.length());
        begin_request(parser_.framing());
        if (auto next = take(ask_admission()); next != Next::serve) return next;
    }
}

asio::mutable_buffer Session::before_receive() {
    if (idle_) {
        stream_.expire_at(requests_ == 0 ? head_deadline_ : active_ + settings_.idle_timeout);
    } else {
        stream_.expire_at(head_deadline_);
    }
    return input_.room(Input::idle_bytes);
}

Session::Next Session::after_receive(std::size_t bytes, const error_code& error) {
    if (error == asio::error::operation_aborted && stream_.expired()) return after_timeout();
    if (error) return gone();
    input_.received(bytes);
    worker_.bytes_in += bytes;
    auto next = serve();
    if (next == Next::receive && idle_ && !input_.unread().empty()) {
        idle_ = false;
        if (requests_ > 0) head_deadline_ = worker_.parts.clock.monotonic() + settings_.header_timeout;
    }
    return next;
}

Session::Next Session::after_timeout() {
    if (idle_) {
        worker_.parts.metrics.timeouts_idle.add();
        return Next::close;
    }
    worker_.parts.metrics.timeouts_header.add();
    begin_request({.keep_alive = false});
    linger_ = true;
    return refuse(head_too_slow());
}

void Session::begin_request(const Framing& framing) {
    body_.begin(framing);
    ++requests_;
    idle_ = false;
    call_.arrived = worker_.parts.clock.monotonic();
    call_.started = worker_.parts.clock.now();
    stream_.expire_never();
    if (behind_proxy_) {
        request_.peer.address = worker_.parts.proxies.client_behind(peer_, request_.headers);
    } else {
        request_.peer.address = peer_text_;
    }
    request_.peer.port = peer_port_;
    request_.secure = stream_.secure();
    outcome_ = {};
    keep_ = framing.keep_alive;
}

void Session::end_request(bool complete) {
    active_ = worker_.parts.clock.monotonic();
    outcome_.duration = active_ - call_.arrived;
    outcome_.request_body_bytes = body_.received();
    outcome_.complete = complete;
    try {
        worker_.parts.application.finish(request_, call_, outcome_);
    } catch (const std::exception& exception) {
        log({.level = Level::error,
             .message = "a finished request could not be recorded",
             .fields = {{"request", call_.id.text}, {"cause", exception.what()}}});
    }
    worker_.body_bytes_in_flight -= std::exchange(body_reserved_, 0);
}

Session::Next Session::next_request() {
    if (request_.body.capacity() > kept_bytes_max) std::string().swap(request_.body);
    if (head_.capacity() > kept_bytes_max) std::string().swap(head_);
    reply_.body.clear();
    body_.release();
    clear(request_);
    clear(call_);
    parser_.begin();
    idle_ = true;
    return Next::serve;
}

http::Admission Session::ask_admission() {
    try {
        return worker_.parts.application.admit(request_, call_);
    } catch (const std::exception& exception) {
        call_.cause = exception.what();
        return ask_rejection(our_bug());
    }
}

http::Response Session::ask_answer() {
    try {
        return worker_.parts.application.answer(request_, call_);
    } catch (const std::exception& exception) {
        call_.cause = exception.what();
        return ask_rejection(our_bug());
    }
}

http::Response Session::ask_finish() {
    try {
        auto response = later_.finish();
        later_ = {};
        return response;
    } catch (const std::exception& exception) {
        later_ = {};
        call_.cause = exception.what();
        return ask_rejection(our_bug());
    }
}

// The lane comes first; what is too much for the I/O thread to chew goes to the pool at once.
Session::Next Session::answer_waiting() {
    bool small = request_.body.size() <= lane_body_bytes_max;
    if (!in_lane_ || !small || !worker_.lane()) return Next::answer_on_pool;
    call_.lane = worker_.lane();
    auto response = ask_answer();
    call_.lane = nullptr;
    return take(std::move(response));
}

std::optional<http::Response> Session::ask_consumer(bool last) {
    try {
        auto answer = consume_(request_.body, last);
        ASSERT(answer || !last);
        return answer;
    } catch (const std::exception& exception) {
        call_.cause = exception.what();
        return ask_rejection(our_bug());
    }
}

http::Reply Session::ask_rejection(const Problem& problem) {
    return worker_.parts.application.reject(request_, call_, problem);
}

Session::Next Session::refuse(const Problem& problem) {
    return respond(ask_rejection(problem));
}

// Of which call_.cause says more.
Session::Next Session::refuse_as_bug() {
    return refuse(our_bug());
}

Session::Next Session::take(http::Admission admission) {
    if (auto* reply = std::get_if<http::Reply>(&admission)) return respond(std::move(*reply));
    if (auto* relay = std::get_if<http::Relay>(&admission)) {
        relay_ = std::move(*relay);
        return Next::relay;
    }
    if (auto* wanted = std::get_if<http::ReadBody>(&admission)) {
        body_limit_ = std::min(wanted->bytes_max, settings_.body_bytes_max);
        waits_ = wanted->waits;
        in_lane_ = wanted->in_lane;
        if (!body_.finished()) return Next::read_body;
        return waits_ ? answer_waiting() : take(ask_answer());
    }
    if (auto* stream = std::get_if<http::StreamBody>(&admission)) {
        body_limit_ = stream->bytes_max;
        consume_ = std::move(stream->consume);
        return Next::stream_body;
    }
    if (auto* answer = std::get_if<http::Stream>(&admission)) return stream(std::move(*answer));
    return Next::admit_on_pool;
}

Session::Next Session::take(http::Response response) {
    if (auto* reply = std::get_if<http::Reply>(&response)) return respond(std::move(*reply));
    if (auto* later = std::get_if<http::Later>(&response)) {
        later_ = std::move(*later);
        return Next::answer_later;
    }
    if (std::holds_alternative<http::Defer>(response)) return Next::answer_on_pool;
    if (auto* answer = std::get_if<http::Stream>(&response)) return stream(std::move(*answer));
    relay_ = std::move(std::get<http::Relay>(response));
    return Next::relay;
}

// The connection can carry another request once this one is answered.
bool Session::stays_open() const {
    if (!keep_ || worker_.draining || requests_ >= settings_.requests_per_connection_max) return false;
    if (body_.finished()) return true;
    auto length = body_.length();
    return length && !body_.withheld() && *length - body_.received() <= discarded_bytes_max;
}

Session::Next Session::respond(http::Reply reply) {
    keep_ = stays_open();
    linger_ |= !keep_ && !body_.finished();
    reply_ = std::move(reply);
    bool body_allowed = allows_body(reply_.status);
    without_body_ = !body_allowed || request_.method == http::Method::head;
    ResponseFraming framing{
        .content_length = reply_.body.size(), .keep_alive = keep_, .http_1_0 = parser_.framing().http_1_0};
    if (!body_allowed) framing.content_length.reset();
    write_head(reply_.status, reply_.headers, framing);
    if (without_body_) reply_.body.clear();
    outcome_.response_body_bytes = reply_.body.size();

    error_code error;
    sent_ = stream_.try_write({asio::buffer(head_), asio::buffer(reply_.body)}, error);
    worker_.bytes_out += sent_;
    if (error) return gone();
    if (sent_ < head_.size() + reply_.body.size()) return Next::flush;
    return after_reply();
}

void Session::write_head(int status, const http::Headers& headers, const ResponseFraming& framing) {
    head_.clear();
    int left_out = append_response_head(head_, status, headers, call_.response_headers, framing,
                                        worker_.date.at(call_.started));
    if (left_out > 0) report_left_out();
    outcome_.status = status;
}

Session::Next Session::stream(http::Stream stream) {
    Streaming::Within within{.worker = worker_, .client = stream_, .input = input_, .call = call_};
    streaming_ = std::make_unique<Streaming>(within, std::move(stream));
    return Next::stream;
}

// A field of the answer would have ended early and let its rest pass for another field or a body.
void Session::report_left_out() {
    worker_.parts.metrics.fields_left_out.add();
    log({.level = Level::error,
         .message = "a field of an answer has CR, LF or NUL and was left out",
         .fields = {{"request", call_.id.text}, {"target", request_.target}}});
}

Session::Next Session::after_reply() {
    end_request(true);
    if (!keep_) return Next::close;
    if (!body_.finished()) return Next::discard;
    return next_request();
}

// The client went away: in the middle of a request, or between two.
Session::Next Session::gone() {
    broken_ = true;
    if (call_.arrived != Monotonic()) end_request(false);
    return Next::close;
}

}  // namespace integreat::net
