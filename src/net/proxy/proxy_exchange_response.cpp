// SPDX-License-Identifier: Apache-2.0
// The second half of a relay's steps: from the head of the upstream's answer to the end.
#include <algorithm>
#include <cstring>

#include "net/proxy/proxy_exchange.h"

namespace integreat::net {

namespace {

std::chrono::seconds round_up(std::chrono::milliseconds time) {
    return std::max(std::chrono::seconds(1), std::chrono::ceil<std::chrono::seconds>(time));
}

}  // namespace

ResponseFraming Relaying::frame_answer() {
    ResponseFraming framing{
        .content_length = head().content_length,
        .chunked = false,
        .keep_alive = exchange.keep_alive && !exchange.draining && exchange.body.finished(),
        .http_1_0 = exchange.http_1_0};
    if (head().end == BodyEnd::chunked || head().end == BodyEnd::close) {
        framing.chunked = !exchange.http_1_0;
        framing.keep_alive = framing.keep_alive && framing.chunked;
    }
    framing.keep_alive = framing.keep_alive && !upgraded();
    remaining_ = head().end == BodyEnd::length ? *head().content_length : 0;
    chunked_answer_ = framing.chunked;
    end.keep_alive = framing.keep_alive;
    return framing;
}

Buffers Relaying::answer() {
    auto now = pools.now();
    end.outcome.upstream_duration = now - started_;
    end.outcome.status = head().status;
    if (counts_as_failure(head().status)) {
        pool.state->breaker.failed(pass_, now, breaker_settings());
    } else {
        pool.state->breaker.succeeded(pass_);
    }
    now_ = now;
    auto& out = buffers_->out;
    out.clear();
    auto framing = frame_answer();
    append_answer_head(out, head(), exchange.call.response_headers, framing,
                       exchange.date.at(pools.sweeper().clock().now()));
    return framed(take_payload());
}

std::string_view Relaying::take_chunks(std::string_view bytes) {
    char* start = nullptr;
    std::size_t size = 0;
    while (!bytes.empty() && !chunks_.finished() && chunks_.mistake().empty()) {
        auto piece = chunks_.take(bytes);
        if (piece.empty()) continue;
        // Small chunks are moved together and leave as one; a large one is not moved at all.
        if (!start) start = in_place(piece);
        if (start + size != piece.data()) std::memmove(start + size, piece.data(), piece.size());
        size += piece.size();
    }
    begin_ = end_ - bytes.size();
    ended_ = chunks_.finished();
    if (!chunks_.mistake().empty()) {
        broken_ = true;
        exchange.call.cause = "upstream " + what.upstream->key + ": " + std::string(chunks_.mistake());
    }
    return {start, size};
}

std::string_view Relaying::take_payload() {
    std::string_view bytes(buffers_->in.get() + begin_, end_ - begin_);
    switch (head().end) {
        case BodyEnd::none:
            ended_ = true;
            if (!upgraded()) return {};
            begin_ = end_;  // The first bytes of the other protocol.
            return bytes;
        case BodyEnd::length:
            bytes =
                bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, bytes.size())));
            begin_ += bytes.size();
            remaining_ -= bytes.size();
            ended_ = remaining_ == 0;
            return bytes;
        case BodyEnd::chunked: return take_chunks(bytes);
        case BodyEnd::close: begin_ = end_; return bytes;
    }
    return {};
}

// The payload with our framing around it. What stands behind the payload in the buffer was read already (the
// upstream's own framing, at least as long as ours), or is the slack at its end.
Buffers Relaying::framed(std::string_view payload) {
    auto& out = buffers_->out;
    end.outcome.response_body_bytes += payload.size();
    if (chunked_answer_) {
        constexpr std::string_view last = "\r\n0\r\n\r\n";
        if (payload.empty()) {
            if (ended_) out.append(last.substr(2));
        } else {
            append_chunk_size(out, payload.size());
            auto tail = ended_ ? last : last.substr(0, 2);
            std::memcpy(in_place(payload) + payload.size(), tail.data(), tail.size());
            payload = {payload.data(), payload.size() + tail.size()};
        }
    }
    return {asio::buffer(out), asio::buffer(payload)};
}

Buffers Relaying::part(std::size_t size, error_code error) {
    buffers_->out.clear();
    begin_ = 0;
    end_ = size;
    if (!error) return framed(take_payload());
    ended_ = head().end == BodyEnd::close && error == asio::error::eof;
    broken_ = !ended_;
    if (broken_ && !watch.gone()) {
        exchange.call.cause = "upstream " + what.upstream->key + ": ended in the middle of its answer: " +
                              (link->stream.expired() ? "timed out" : error.message());
    }
    return framed({});
}

void Relaying::finish() {
    auto& outcome = end.outcome;
    outcome.request_body_bytes += exchange.body.received();
    outcome.complete = ended_ && !broken_;
    end.keep_alive = end.keep_alive && outcome.complete && exchange.body.finished();
    bool reusable = outcome.complete && head().keep_alive && !upgraded() && begin_ == end_ &&
                    !request_failed_ && !pump_stop && link && link->stream.open();
    if (reusable) pools.keep(pool, std::move(link), head(), now_);
    if (outcome.complete) return;
    // Never a falsely complete message: an answer that ends with the connection must not seem to end well.
    error_code ignored;
    exchange.client.socket().set_option(asio::socket_base::linger(true, 0), ignored);
    exchange.client.close();
}

void Relaying::refuse() {
    end.outcome.request_body_bytes = exchange.body.received();
    end.outcome.complete = trouble_ != Trouble::gone;
    end.keep_alive = exchange.keep_alive && exchange.body.finished() && trouble_ != Trouble::gone;
    if (trouble_ == Trouble::gone) return;
    end.problem = problem();
    if (end.problem->status != 0) return;
    end.problem.reset();
    end.outcome.complete = end.keep_alive = false;
}

http::Problem Relaying::problem() const {
    const auto& name = what.upstream->name;
    auto begins = "The server \"" + name + "\" behind this route ";
    switch (trouble_) {
        case Trouble::body: return *body_problem;
        case Trouble::circuit_open:
            return {.status = 503,
                    .type = "upstream-circuit-open",
                    .title = "The server behind this route is failing",
                    .detail = begins + "failed repeatedly and is given a pause; try again later.",
                    .retry_after = round_up(pass_.retry_after())};
        case Trouble::busy:
            return {.status = 503,
                    .type = "upstream-busy",
                    .title = "The server behind this route is busy",
                    .detail = begins + "has as many connections as it may have; try again shortly.",
                    .retry_after = std::chrono::seconds(1)};
        case Trouble::timeout:
            return {.status = 504,
                    .type = "upstream-timeout",
                    .title = "The server behind this route did not answer in time",
                    .detail = begins + "did not answer in time."};
        case Trouble::malformed:
            return {.status = 502,
                    .type = "upstream-malformed",
                    .title = "The server behind this route sent an answer we cannot pass on",
                    .detail = begins + "sent an answer that is not well-formed HTTP/1.1."};
        case Trouble::none:
        case Trouble::unreachable:
        case Trouble::broke:
        case Trouble::gone: break;
    }
    return {.status = 502,
            .type = "upstream-unreachable",
            .title = "The server behind this route cannot be reached",
            .detail = begins + (trouble_ == Trouble::broke ? "closed the connection without an answer."
                                                           : "does not accept connections.")};
}

}  // namespace integreat::net
