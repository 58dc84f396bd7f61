// SPDX-License-Identifier: Apache-2.0
#include "net/proxy/proxy_exchange.h"

#include <algorithm>
#include <cstring>

#include "base/text/ascii.h"

namespace integreat::net {

namespace {

constexpr int interim_responses_max = 16;

bool is_idempotent(http::Method method) {
    return method != http::Method::post && method != http::Method::patch;
}

bool usually_has_body(http::Method method) {
    return method == http::Method::post || method == http::Method::put || method == http::Method::patch;
}

std::chrono::seconds round_up(std::chrono::milliseconds time) {
    return std::max(std::chrono::seconds(1), std::chrono::ceil<std::chrono::seconds>(time));
}

}  // namespace

ProxyExchange::ProxyExchange(ProxyContext& proxy_context, const http::ProxyRequest& request_to_forward,
                             UpstreamPools& all_pools)
    : context(proxy_context),
      proxy_request(request_to_forward),
      pools(all_pools),
      pool(all_pools.pool(request_to_forward.upstream, all_pools.now())),
      watch(proxy_context.client),
      started_(pool.last_used),
      now_(started_),
      buffers_(all_pools.acquire_buffers()) {
    ++pool.active_requests;
    pools.add_watch(watch);
}

ProxyExchange::~ProxyExchange() {
    pools.remove_watch(watch);
    pools.release_buffers(std::move(buffers_));
    --pool.active_requests;
}

void ProxyExchange::fail(UpstreamFailure failure, std::string_view cause) {
    failure_ = failure;
    context.call.cause.assign("upstream ").append(proxy_request.upstream->key).append(": ").append(cause);
}

CircuitBreakerSettings ProxyExchange::breaker_settings() const {
    return {.failures = proxy_request.upstream->breaker_failures,
            .open = proxy_request.upstream->breaker_open};
}

bool ProxyExchange::begin() {
    permit_ = pool.state->breaker.try_acquire(now_);
    if (!permit_) {
        fail(UpstreamFailure::circuit_open, "the circuit is open");
        return false;
    }
    pool.state->retries.deposit();
    context.body.set_limit(proxy_request.max_body_bytes);
    context.body.set_deadline(context.call.deadline);
    return true;
}

void ProxyExchange::set_first_chunk(BodyChunk chunk) {
    first_chunk_ = std::move(chunk);
    if (!first_chunk_.problem) return;
    body_problem = std::move(first_chunk_.problem);
    fail(UpstreamFailure::request_body, "the request's body did not arrive");
}

bool ProxyExchange::reuse_connection() {
    nothing_sent_ = true;
    request_failed_ = false;
    begin_ = end_ = 0;
    connection = fresh_only_ ? nullptr : pools.acquire(pool, now_, !is_idempotent(context.request.method));
    watch.set_upstream(connection ? &connection->stream : nullptr);
    return connection != nullptr;
}

bool ProxyExchange::create_connection() {
    connection = pools.create(pool, proxy_request.upstream->max_connections);
    if (!connection) {
        fail(UpstreamFailure::busy, "max_connections are open");
        return false;
    }
    watch.set_upstream(&connection->stream);
    return true;
}

void ProxyExchange::on_connect_failure(error_code error, std::string_view doing) {
    bool late = connection->stream.expired() || error == asio::error::timed_out;
    auto cause = std::string(doing).append(": ").append(late ? "timed out" : error.message());
    fail(watch.disconnected() ? UpstreamFailure::client_disconnected
         : late               ? UpstreamFailure::timeout
                              : UpstreamFailure::unreachable,
         cause);
    connection.reset();
    watch.set_upstream(nullptr);
}

bool ProxyExchange::send_request() {
    const auto& request = context.request;
    RequestFraming framing;
    if (!first_chunk_.finished) {
        framing.content_length = context.body.length();
        framing.chunked = !framing.content_length;
    } else if (!first_chunk_.bytes.empty() || !context.body.is_absent() || usually_has_body(request.method)) {
        framing.content_length = first_chunk_.bytes.size();
    }
    chunked_request_ = framing.chunked;

    auto& out = buffers_->out;
    out.clear();
    append_request_head(out, request, proxy_request, framing);
    if (framing.chunked) append_chunk_size(out, first_chunk_.bytes.size());
    unsent_ = {asio::buffer(out), asio::buffer(first_chunk_.bytes)};

    error_code error;
    auto sent = connection->stream.try_write(unsent_, error);
    nothing_sent_ = error && sent == 0;
    for (auto& buffer : unsent_) {
        auto skipped = std::min(sent, buffer.size());
        buffer += skipped;
        sent -= skipped;
    }
    on_request_sent(error);
    return error || (unsent_[0].size() + unsent_[1].size() == 0 && first_chunk_.finished);
}

// Sets the response deadline even if sending failed: the upstream may have responded (with 413, for example)
// before it closed the connection. The time for a response begins when the request is whole, as Envoy's
// RouteAction.timeout does. Until then the pump sets the deadlines: a slow client is no failure of the
// upstream.
void ProxyExchange::on_request_sent(error_code error) {
    request_failed_ = request_failed_ || error;
    if (!error && !context.body.finished()) return connection->stream.expire_never();
    auto now = body_streamed_ ? pools.now() : now_;
    connection->stream.expire_at(
        std::min(now + proxy_request.upstream->response_timeout, context.call.deadline));
}

Buffers ProxyExchange::frame_chunk(const BodyChunk& chunk) {
    body_streamed_ = true;
    pump_buffer.clear();
    if (chunked_request_ && !chunk.bytes.empty()) {
        pump_buffer.append("\r\n");
        append_chunk_size(pump_buffer, chunk.bytes.size());
    }
    return {asio::buffer(pump_buffer), asio::buffer(chunk.bytes)};
}

Buffers ProxyExchange::frame_body_end() {
    pump_buffer.assign(chunked_request_ ? "\r\n0\r\n\r\n" : "");
    return {asio::buffer(pump_buffer), {}};
}

asio::mutable_buffer ProxyExchange::prepare_read() {
    return {buffers_->in.get() + end_, ProxyBuffers::in_bytes - end_};
}

asio::mutable_buffer ProxyExchange::prepare_body_read() {
    begin_ = end_ = 0;
    return prepare_read();
}

void ProxyExchange::on_read(std::size_t size, error_code error) {
    if (!error) {
        end_ += size;
        nothing_sent_ = false;
        parse_head();
    } else if (watch.disconnected()) {
        fail(UpstreamFailure::client_disconnected, "the client disconnected before the response arrived");
    } else if (body_problem) {
        fail(UpstreamFailure::request_body, "the request's body did not arrive");
    } else if (connection->stream.expired()) {
        fail(UpstreamFailure::timeout, "no response in time");
    } else {
        fail(UpstreamFailure::connection_closed,
             "the connection ended before the response: " + error.message());
    }
}

void ProxyExchange::parse_head() {
    for (;;) {
        std::string_view bytes(buffers_->in.get() + begin_, end_ - begin_);
        auto parse = parse_response_head(bytes, context.request.method == http::Method::head, head());
        if (parse.state == ResponseParseResult::State::malformed)
            return fail(UpstreamFailure::malformed, parse.error);
        if (parse.state == ResponseParseResult::State::incomplete) {
            if (begin_ > 0) std::memmove(buffers_->in.get(), bytes.data(), bytes.size());
            begin_ = 0;
            end_ = bytes.size();
            if (end_ == ProxyBuffers::in_bytes)
                fail(UpstreamFailure::malformed, "the head is longer than 32 KiB");
            return;
        }
        begin_ += parse.size;
        auto status = head().status;
        if (status == 101 &&
            !(is_websocket_upgrade(context.request) && iequals(head().upgrade, "websocket"))) {
            return fail(UpstreamFailure::malformed, "101 for a protocol that was not requested");
        }
        has_head_ = status >= 200 || status == 101;
        if (has_head_) return;
        // The proxy handles 100 Continue itself, and API clients have no use for 103 Early Hints.
        if (++interim_responses_ > interim_responses_max)
            return fail(UpstreamFailure::malformed, "too many 1xx responses");
    }
}

// A request that did not reach the upstream may be sent again; one that may have reached it, only if it is
// idempotent.
bool ProxyExchange::may_retry() const {
    if (body_streamed_ || pump_running) return false;
    if (failure_ == UpstreamFailure::unreachable) return true;
    if (failure_ != UpstreamFailure::connection_closed || end_ > 0) return false;
    return nothing_sent_ || is_idempotent(context.request.method);
}

bool ProxyExchange::retry() {
    if (failure_ == UpstreamFailure::none) return false;
    now_ = pools.now();
    bool again = may_retry();
    bool stale = again && connection && connection->reused;
    bool upstream_fault = failure_ == UpstreamFailure::unreachable || failure_ == UpstreamFailure::timeout ||
                          failure_ == UpstreamFailure::connection_closed ||
                          failure_ == UpstreamFailure::malformed;
    if (!pump_running) connection.reset();
    if (!stale && upstream_fault) {
        pool.state->breaker.record_failure(permit_, now_, breaker_settings());
        again = again && retries_ < proxy_request.upstream->max_retries && now_ < context.call.deadline &&
                pool.state->retries.try_withdraw(now_);
        if (again) permit_ = pool.state->breaker.try_acquire(now_);
        again = again && permit_;
        ++retries_;
    }
    if (!again) return false;
    fresh_only_ = true;
    failure_ = UpstreamFailure::none;
    context.call.cause.clear();
    return true;
}

ResponseFraming ProxyExchange::make_framing() {
    ResponseFraming framing{.content_length = head().content_length,
                            .chunked = false,
                            .keep_alive = context.keep_alive && !context.draining && context.body.finished(),
                            .http_1_0 = context.http_1_0};
    if (head().body == ResponseBodyFraming::chunked || head().body == ResponseBodyFraming::close) {
        framing.chunked = !context.http_1_0;
        framing.keep_alive = framing.keep_alive && framing.chunked;
    }
    framing.keep_alive = framing.keep_alive && !is_upgraded();
    remaining_ = head().body == ResponseBodyFraming::length ? *head().content_length : 0;
    chunked_response_ = framing.chunked;
    result.keep_alive = framing.keep_alive;
    return framing;
}

Buffers ProxyExchange::begin_response() {
    auto now = pools.now();
    result.outcome.upstream_duration = now - started_;
    result.outcome.status = head().status;
    if (counts_as_failure(head().status)) {
        pool.state->breaker.record_failure(permit_, now, breaker_settings());
    } else {
        pool.state->breaker.record_success(permit_);
    }
    now_ = now;
    auto& out = buffers_->out;
    out.clear();
    auto framing = make_framing();
    append_proxied_response_head(out, head(), context.call, framing,
                                 context.date.at(pools.sweeper().clock().now()));
    return frame_payload(next_payload());
}

std::string_view ProxyExchange::decode_chunks(std::string_view bytes) {
    char* start = nullptr;
    std::size_t size = 0;
    while (!bytes.empty() && !decoder_.finished() && decoder_.error().empty()) {
        auto chunk = decoder_.decode(bytes);
        if (chunk.empty()) continue;
        // Small chunks are merged into one by moving them together; a single large one is not moved.
        if (!start) start = mutable_data(chunk);
        if (start + size != chunk.data()) std::memmove(start + size, chunk.data(), chunk.size());
        size += chunk.size();
    }
    begin_ = end_ - bytes.size();
    complete_ = decoder_.finished();
    if (!decoder_.error().empty()) {
        aborted_ = true;
        context.call.cause = "upstream " + proxy_request.upstream->key + ": " + std::string(decoder_.error());
    }
    return {start, size};
}

std::string_view ProxyExchange::next_payload() {
    std::string_view bytes(buffers_->in.get() + begin_, end_ - begin_);
    switch (head().body) {
        case ResponseBodyFraming::none:
            complete_ = true;
            if (!is_upgraded()) return {};
            begin_ = end_;  // The first bytes of the upgraded protocol.
            return bytes;
        case ResponseBodyFraming::length:
            bytes =
                bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, bytes.size())));
            begin_ += bytes.size();
            remaining_ -= bytes.size();
            complete_ = remaining_ == 0;
            return bytes;
        case ResponseBodyFraming::chunked: return decode_chunks(bytes);
        case ResponseBodyFraming::close: begin_ = end_; return bytes;
    }
    return {};
}

// Frames the payload for the client. The bytes behind the payload in the buffer are already consumed (the
// upstream's own framing, at least as long as ours) or are the slack at its end, so they may be overwritten.
Buffers ProxyExchange::frame_payload(std::string_view payload) {
    auto& out = buffers_->out;
    result.outcome.response_body_bytes += payload.size();
    if (chunked_response_) {
        constexpr std::string_view last = "\r\n0\r\n\r\n";
        if (payload.empty()) {
            if (complete_) out.append(last.substr(2));
        } else {
            append_chunk_size(out, payload.size());
            auto tail = complete_ ? last : last.substr(0, 2);
            std::memcpy(mutable_data(payload) + payload.size(), tail.data(), tail.size());
            payload = {payload.data(), payload.size() + tail.size()};
        }
    }
    return {asio::buffer(out), asio::buffer(payload)};
}

Buffers ProxyExchange::on_body_read(std::size_t size, error_code error) {
    buffers_->out.clear();
    begin_ = 0;
    end_ = size;
    if (!error) return frame_payload(next_payload());
    complete_ = head().body == ResponseBodyFraming::close && error == asio::error::eof;
    aborted_ = !complete_;
    if (aborted_ && !watch.disconnected()) {
        context.call.cause = "upstream " + proxy_request.upstream->key + ": the response ended early: " +
                             (connection->stream.expired() ? "timed out" : error.message());
    }
    return frame_payload({});
}

void ProxyExchange::finish() {
    auto& outcome = result.outcome;
    outcome.request_body_bytes += context.body.bytes_read();
    outcome.complete = complete_ && !aborted_;
    result.keep_alive = result.keep_alive && outcome.complete && context.body.finished();
    bool reusable = outcome.complete && head().keep_alive && !is_upgraded() && begin_ == end_ &&
                    !request_failed_ && !pump_stopping && connection && connection->stream.open();
    if (reusable) pools.release(pool, std::move(connection), head(), now_);
    if (outcome.complete) return;
    // A reset, so that a response delimited by the end of the connection cannot look complete.
    error_code ignored;
    context.client.socket().set_option(asio::socket_base::linger(true, 0), ignored);
    context.client.close();
}

void ProxyExchange::reject() {
    result.outcome.request_body_bytes = context.body.bytes_read();
    result.outcome.complete = failure_ != UpstreamFailure::client_disconnected;
    result.keep_alive =
        context.keep_alive && context.body.finished() && failure_ != UpstreamFailure::client_disconnected;
    if (failure_ == UpstreamFailure::client_disconnected) return;
    result.problem = problem();
    if (result.problem->status != 0) return;
    result.problem.reset();
    result.outcome.complete = result.keep_alive = false;
}

http::Problem ProxyExchange::problem() const {
    const auto& name = proxy_request.upstream->name;
    auto subject = "The server \"" + name + "\" behind this route ";
    switch (failure_) {
        case UpstreamFailure::request_body: return *body_problem;
        case UpstreamFailure::circuit_open:
            return http::problem(http::ProblemType::upstream_circuit_open,
                                 subject + "failed repeatedly. Its circuit breaker is open; try again later.",
                                 round_up(permit_.retry_after()));
        case UpstreamFailure::busy:
            return http::problem(http::ProblemType::upstream_busy,
                                 subject + "has reached its connection limit. Try again shortly.",
                                 std::chrono::seconds(1));
        case UpstreamFailure::timeout:
            return http::problem(http::ProblemType::upstream_timeout, subject + "did not respond in time.");
        case UpstreamFailure::malformed:
            return http::problem(http::ProblemType::upstream_malformed,
                                 subject + "sent a response that is not well-formed HTTP/1.1.");
        case UpstreamFailure::none:
        case UpstreamFailure::unreachable:
        case UpstreamFailure::connection_closed:
        case UpstreamFailure::client_disconnected: break;
    }
    return http::problem(http::ProblemType::upstream_unreachable,
                         subject + (failure_ == UpstreamFailure::connection_closed
                                        ? "closed the connection without a response."
                                        : "does not accept connections."));
}

}  // namespace integreat::net
