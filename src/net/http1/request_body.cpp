// SPDX-License-Identifier: Apache-2.0
#include "net/http1/request_body.h"

#include <algorithm>

namespace integreat::net {

namespace {

http::Problem too_large(std::size_t bytes_max) {
    return {.status = 413,
            .type = "body-too-large",
            .title = "The body is too large",
            .detail = "At most " + std::to_string(bytes_max) + " bytes are accepted here."};
}

http::Problem too_slow() {
    return {.status = 408,
            .type = "request-timeout",
            .title = "The request took too long to arrive",
            .detail = "The body stopped arriving; send it without long pauses."};
}

http::Problem malformed(std::string_view mistake) {
    return {.status = 400,
            .type = "malformed-request",
            .title = "The request is not well-formed HTTP/1.1",
            .detail = "In the chunked body: " + std::string(mistake) + "."};
}

}  // namespace

void RequestBody::begin(const Framing& framing) {
    framing_ = framing;
    chunks_ = {};
    received_ = 0;
    taken_ = 0;
    bytes_max_ = 0;
    deadline_ = Monotonic::max();
    finished_ = framing.body == BodyFraming::none ||
                (framing.body == BodyFraming::length && framing.content_length == 0);
}

std::optional<std::uint64_t> RequestBody::length() const {
    if (framing_.body == BodyFraming::chunked) return std::nullopt;
    return framing_.body == BodyFraming::none ? 0 : framing_.content_length;
}

BodyPiece RequestBody::fail(http::Problem problem) {
    return {.bytes = {}, .finished = false, .problem = std::move(problem)};
}

BodyPiece RequestBody::take_buffered() {
    auto unread = input_->unread();
    std::string_view bytes;
    if (framing_.body == BodyFraming::length) {
        auto remaining = framing_.content_length - received_;
        bytes = unread.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(remaining, unread.size())));
        taken_ = bytes.size();
        finished_ = remaining == bytes.size();
    } else {
        auto rest = unread;
        bytes = chunks_.take(rest);
        taken_ = unread.size() - rest.size();
        finished_ = chunks_.finished();
        if (!chunks_.mistake().empty()) return fail(malformed(chunks_.mistake()));
        if (bytes.size() > bytes_max_ - received_) return fail(too_large(bytes_max_));
    }
    received_ += bytes.size();
    if (bytes.empty()) release();
    return {.bytes = bytes, .finished = finished_, .problem = std::nullopt};
}

Awaitable<error_code> RequestBody::receive() {
    auto room = input_->room(Input::streaming_bytes);
    client_->expire_at(std::min(deadline_, client_->sweeper().clock().monotonic() + read_timeout_));
    error_code error;
    auto bytes = co_await client_->read_some(room, error);
    input_->received(bytes);
    co_return error;
}

Awaitable<BodyPiece> RequestBody::read() {
    release();
    if (finished_) co_return BodyPiece{.bytes = {}, .finished = true, .problem = std::nullopt};
    if (framing_.body == BodyFraming::length && framing_.content_length > bytes_max_) {
        co_return fail(too_large(bytes_max_));
    }
    if (std::exchange(framing_.expects_continue, false) && input_->unread().empty()) {
        static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
        Buffers buffers{asio::buffer(go_on), {}};
        client_->expire_at(client_->sweeper().clock().monotonic() + read_timeout_);
        error_code error;
        co_await client_->write(buffers, error);
        if (error) co_return fail({.status = 0});
    }
    for (;;) {
        auto piece = take_buffered();
        if (!piece.bytes.empty() || piece.finished || piece.problem) co_return piece;
        auto error = co_await receive();
        if (error) co_return fail(client_->expired() ? too_slow() : http::Problem{.status = 0});
    }
}

}  // namespace integreat::net
