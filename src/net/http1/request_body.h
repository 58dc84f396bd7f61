// SPDX-License-Identifier: Apache-2.0
// The body of one request, read piece by piece from the client's connection: by the session into
// Request::body, by a relay straight on to the upstream. Asks for it with 100 Continue (RFC 9110 section
// 10.1.1) on the first read if the client waits for that, and refuses what exceeds the limit, also in the
// middle of a chunked body.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "http/message/problem.h"
#include "net/http1/chunked_decoder.h"
#include "net/http1/framing.h"
#include "net/io/read_buffer.h"
#include "net/io/socket_stream.h"

namespace integreat::net {

struct BodyPiece {
    std::string_view bytes;  // Valid until the next read; empty at the end and on failure.
    bool finished = false;   // Nothing follows these bytes.
    // Why it ended early: too large, malformed, too slow, or (with status 0) the client is gone. The
    // connection cannot carry another request then.
    std::optional<http::Problem> problem;
};

class RequestBody {
public:
    RequestBody(Stream& client, Input& input, std::chrono::milliseconds read_timeout)
        : client_(&client), input_(&input), read_timeout_(read_timeout) {}

    void begin(const Framing& framing);  // For the next request on the connection.

    bool absent() const { return framing_.body == BodyFraming::none; }  // Neither length nor chunks.
    std::optional<std::uint64_t> length() const;                        // Unknown for a chunked body.
    bool finished() const { return finished_; }
    std::uint64_t received() const { return received_; }

    // Before the first read. A Content-Length above it makes the first read fail, before 100 Continue.
    void limit(std::size_t bytes_max) { bytes_max_ = bytes_max; }
    // Every read ends here at the latest.
    void expire_at(Monotonic deadline) { deadline_ = deadline; }

    Awaitable<BodyPiece> read();

    // The last piece was used: input() begins behind it.
    void release() { input_->consume(std::exchange(taken_, 0)); }

    // True if the client still waits for 100 Continue: it will not send the body unless asked.
    bool withheld() const { return framing_.expects_continue && !finished_; }

    // Bytes behind the body: of the next request, or of the protocol the connection was upgraded to.
    Input& input() { return *input_; }

private:
    BodyPiece take_buffered();
    BodyPiece fail(http::Problem problem);
    Awaitable<error_code> receive();

    Stream* client_;
    Input* input_;
    std::chrono::milliseconds read_timeout_;
    Framing framing_;
    ChunkDecoder chunks_;
    std::uint64_t received_ = 0;
    std::size_t taken_ = 0;  // Bytes of input_ that the last piece points into.
    std::size_t bytes_max_ = 0;
    Monotonic deadline_ = Monotonic::max();
    bool finished_ = true;
};

}  // namespace integreat::net
