// SPDX-License-Identifier: Apache-2.0
#include "net/proxy/proxy_exchange.h"

#include <algorithm>
#include <cstring>

namespace integreat::net {

namespace {

constexpr int interim_answers_max = 16;

bool idempotent(http::Method method) {
    return method != http::Method::post && method != http::Method::patch;
}

bool usually_has_body(http::Method method) {
    return method == http::Method::post || method == http::Method::put || method == http::Method::patch;
}

}  // namespace

Relaying::Relaying(Exchange& of, const http::Relay& relay, UpstreamPools& all_pools)
    : exchange(of),
      what(relay),
      pools(all_pools),
      pool(all_pools.pool(relay.upstream, all_pools.now())),
      watch(of.client),
      started_(pool.last_used),
      now_(started_),
      buffers_(all_pools.take_buffers()) {
    ++pool.relays;
    pools.enter(watch);
}

Relaying::~Relaying() {
    pools.leave(watch);
    pools.keep_buffers(std::move(buffers_));
    --pool.relays;
}

void Relaying::trouble(Trouble what_happened, std::string_view cause) {
    trouble_ = what_happened;
    exchange.call.cause.assign("upstream ").append(what.upstream->key).append(": ").append(cause);
}

BreakerSettings Relaying::breaker_settings() const {
    return {.failures = what.upstream->breaker_failures, .open = what.upstream->breaker_open};
}

bool Relaying::begin() {
    pass_ = pool.state->breaker.admit(now_);
    if (!pass_) {
        trouble(Trouble::circuit_open, "the circuit is open");
        return false;
    }
    pool.state->retries.earn();
    exchange.body.limit(what.body_bytes_max);
    exchange.body.expire_at(exchange.call.deadline);
    return true;
}

void Relaying::first_piece(BodyPiece piece) {
    first_ = std::move(piece);
    if (!first_.problem) return;
    body_problem = std::move(first_.problem);
    trouble(Trouble::body, "the request's body did not arrive");
}

bool Relaying::take_connection() {
    nothing_sent_ = true;
    request_failed_ = false;
    begin_ = end_ = 0;
    link = fresh_only_ ? nullptr : pools.take(pool, now_, !idempotent(exchange.request.method));
    watch.upstream(link ? &link->stream : nullptr);
    return link != nullptr;
}

bool Relaying::make_connection() {
    link = pools.make(pool, what.upstream->connections_max);
    if (!link) {
        trouble(Trouble::busy, "all connections it may have are open");
        return false;
    }
    watch.upstream(&link->stream);
    return true;
}

void Relaying::connect_failed(error_code error, std::string_view doing) {
    bool late = link->stream.expired() || error == asio::error::timed_out;
    auto cause = std::string(doing).append(": ").append(late ? "timed out" : error.message());
    trouble(watch.gone() ? Trouble::gone : late ? Trouble::timeout : Trouble::unreachable, cause);
    link.reset();
    watch.upstream(nullptr);
}

bool Relaying::send_request() {
    const auto& request = exchange.request;
    RequestFraming framing;
    if (!first_.finished) {
        framing.content_length = exchange.body.length();
        framing.chunked = !framing.content_length;
    } else if (!first_.bytes.empty() || !exchange.body.absent() || usually_has_body(request.method)) {
        framing.content_length = first_.bytes.size();
    }
    chunked_request_ = framing.chunked;

    auto& out = buffers_->out;
    out.clear();
    append_request_head(out, request, what, framing);
    if (framing.chunked) append_chunk_size(out, first_.bytes.size());
    unsent_ = {asio::buffer(out), asio::buffer(first_.bytes)};

    error_code error;
    auto sent = link->stream.try_write(unsent_, error);
    nothing_sent_ = error && sent == 0;
    for (auto& buffer : unsent_) {
        auto skipped = std::min(sent, buffer.size());
        buffer += skipped;
        sent -= skipped;
    }
    request_sent(error);
    return error || (unsent_[0].size() + unsent_[1].size() == 0 && first_.finished);
}

// Also when the upstream did not take it: it may have answered (413, say) before it closed.
void Relaying::request_sent(error_code error) {
    request_failed_ = request_failed_ || error;
    link->stream.expire_at(std::min(now_ + what.upstream->response_timeout, exchange.call.deadline));
}

Buffers Relaying::frame_piece(const BodyPiece& piece) {
    body_passed_ = true;
    pump_out.clear();
    if (chunked_request_ && !piece.bytes.empty()) {
        pump_out.append("\r\n");
        append_chunk_size(pump_out, piece.bytes.size());
    }
    return {asio::buffer(pump_out), asio::buffer(piece.bytes)};
}

Buffers Relaying::end_of_body() {
    pump_out.assign(chunked_request_ ? "\r\n0\r\n\r\n" : "");
    return {asio::buffer(pump_out), {}};
}

asio::mutable_buffer Relaying::room() {
    return {buffers_->in.get() + end_, RelayBuffers::in_bytes - end_};
}

asio::mutable_buffer Relaying::whole_room() {
    begin_ = end_ = 0;
    return room();
}

void Relaying::received(std::size_t size, error_code error) {
    if (!error) {
        end_ += size;
        nothing_sent_ = false;
        parse_head();
    } else if (watch.gone()) {
        trouble(Trouble::gone, "the client left before the answer came");
    } else if (body_problem) {
        trouble(Trouble::body, "the request's body did not arrive");
    } else if (link->stream.expired()) {
        trouble(Trouble::timeout, "no answer in time");
    } else {
        trouble(Trouble::broke, "the connection ended before an answer: " + error.message());
    }
}

void Relaying::parse_head() {
    for (;;) {
        std::string_view bytes(buffers_->in.get() + begin_, end_ - begin_);
        auto parse = parse_upstream_head(bytes, exchange.request.method == http::Method::head, head());
        if (parse.state == HeadParse::State::malformed) return trouble(Trouble::malformed, parse.mistake);
        if (parse.state == HeadParse::State::incomplete) {
            if (begin_ > 0) std::memmove(buffers_->in.get(), bytes.data(), bytes.size());
            begin_ = 0;
            end_ = bytes.size();
            if (end_ == RelayBuffers::in_bytes) trouble(Trouble::malformed, "the head is longer than 32 KiB");
            return;
        }
        begin_ += parse.size;
        auto status = head().status;
        if (status == 101 && !(asks_for_websocket(exchange.request) &&
                               http::equal_ignoring_case(head().upgrade, "websocket"))) {
            return trouble(Trouble::malformed, "101 for a protocol nobody asked for");
        }
        has_head_ = status >= 200 || status == 101;
        if (has_head_) return;
        // 100 Continue was ours to wait for, and clients of an API have no use for 103 Early Hints.
        if (++interim_answers_ > interim_answers_max)
            return trouble(Trouble::malformed, "too many 1xx answers");
    }
}

// What did not reach the upstream may go again; what may have reached it only if twice is as good as once.
bool Relaying::may_send_again() const {
    if (body_passed_ || pump_running) return false;
    if (trouble_ == Trouble::unreachable) return true;
    if (trouble_ != Trouble::broke || end_ > 0) return false;
    return nothing_sent_ || idempotent(exchange.request.method);
}

bool Relaying::try_again() {
    if (trouble_ == Trouble::none) return false;
    now_ = pools.now();
    bool again = may_send_again();
    bool stale = again && link && link->reused;
    bool its_fault = trouble_ == Trouble::unreachable || trouble_ == Trouble::timeout ||
                     trouble_ == Trouble::broke || trouble_ == Trouble::malformed;
    if (!pump_running) link.reset();
    if (!stale && its_fault) {
        pool.state->breaker.failed(pass_, now_, breaker_settings());
        again = again && retries_ < what.upstream->retries_max && now_ < exchange.call.deadline &&
                pool.state->retries.spend(now_);
        if (again) pass_ = pool.state->breaker.admit(now_);
        again = again && pass_;
        ++retries_;
    }
    if (!again) return false;
    fresh_only_ = true;
    trouble_ = Trouble::none;
    exchange.call.cause.clear();
    return true;
}

}  // namespace integreat::net
