// SPDX-License-Identifier: Apache-2.0
#include "net/http1/request_body.h"

#include <algorithm>

namespace integreat::net {

namespace {

http::Problem too_large(std::size_t max_bytes) {
    return http::problem(http::ProblemType::body_too_large,
                         "At most " + std::to_string(max_bytes) + " bytes are accepted here.");
}

http::Problem too_slow() {
    return http::problem(http::ProblemType::request_timeout,
                         "The body stopped arriving, or arrives too slowly. Send it without long pauses.");
}

http::Problem malformed_body(std::string_view error) {
    return http::problem(http::ProblemType::malformed_request,
                         "Error in the chunked body: " + std::string(error) + ".");
}

// A placeholder with status 0: the client has closed the connection, so no response can be sent.
http::Problem disconnected() {
    auto problem = http::problem(http::ProblemType::malformed_request, "");
    problem.status = 0;
    return problem;
}

}  // namespace

void RequestBody::begin(const Framing& framing) {
    framing_ = framing;
    rate_.begin();
    decoder_ = {};
    bytes_read_ = 0;
    chunk_bytes_ = 0;
    bytes_max_ = 0;
    deadline_ = Monotonic::max();
    finished_ = framing.body == BodyFraming::none ||
                (framing.body == BodyFraming::length && framing.content_length == 0);
}

std::optional<std::uint64_t> RequestBody::length() const {
    if (framing_.body == BodyFraming::chunked) return std::nullopt;
    return framing_.body == BodyFraming::none ? 0 : framing_.content_length;
}

BodyChunk RequestBody::fail(http::Problem problem) {
    return {.bytes = {}, .finished = false, .problem = std::move(problem)};
}

BodyChunk RequestBody::read_buffered() {
    auto unread = read_buffer_->unread();
    std::string_view bytes;
    if (framing_.body == BodyFraming::length) {
        auto remaining = framing_.content_length - bytes_read_;
        bytes = unread.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(remaining, unread.size())));
        chunk_bytes_ = bytes.size();
        finished_ = remaining == bytes.size();
    } else {
        auto rest = unread;
        bytes = decoder_.decode(rest);
        chunk_bytes_ = unread.size() - rest.size();
        finished_ = decoder_.finished();
        if (!decoder_.error().empty()) return fail(malformed_body(decoder_.error()));
        if (bytes.size() > bytes_max_ - bytes_read_) return fail(too_large(bytes_max_));
    }
    bytes_read_ += bytes.size();
    if (bytes.empty()) release();
    return {.bytes = bytes, .finished = finished_, .problem = std::nullopt};
}

Awaitable<error_code> RequestBody::fill_buffer() {
    auto buffer = read_buffer_->prepare(ReadBuffer::streaming_bytes);
    const auto& clock = client_->sweeper().clock();
    auto began = clock.monotonic();
    client_->expire_at(std::min(deadline_, rate_.deadline(began)));
    error_code error;
    auto bytes = co_await client_->read_some(buffer, error);
    rate_.add_wait(clock.monotonic() - began);
    rate_.add(bytes);
    read_buffer_->commit(bytes);
    co_return error;
}

Awaitable<BodyChunk> RequestBody::read() {
    release();
    if (finished_) co_return BodyChunk{.bytes = {}, .finished = true, .problem = std::nullopt};
    if (framing_.body == BodyFraming::length && framing_.content_length > bytes_max_) {
        co_return fail(too_large(bytes_max_));
    }
    if (std::exchange(framing_.expects_continue, false) && read_buffer_->unread().empty()) {
        static constexpr std::string_view continue_response = "HTTP/1.1 100 Continue\r\n\r\n";
        Buffers buffers{asio::buffer(continue_response), {}};
        client_->expire_at(rate_.deadline(client_->sweeper().clock().monotonic()));
        error_code error;
        co_await client_->write(buffers, error);
        if (error) co_return fail(disconnected());
    }
    for (;;) {
        auto chunk = read_buffered();
        if (!chunk.bytes.empty() || chunk.finished || chunk.problem) co_return chunk;
        auto error = co_await fill_buffer();
        if (error) co_return fail(client_->expired() ? too_slow() : disconnected());
    }
}

}  // namespace integreat::net
