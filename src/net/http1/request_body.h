// SPDX-License-Identifier: Apache-2.0
// Reads the body of one request chunk by chunk from the client's connection: the session appends it to
// Request::body, the reverse proxy forwards it to the upstream. The first read sends 100 Continue (RFC 9110
// section 10.1.1) if the client expects it. A body over the limit is rejected, also in the middle of a
// chunked body.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "http/message/problem.h"
#include "net/http1/chunked_decoder.h"
#include "net/http1/request_parser.h"
#include "net/io/minimum_rate.h"
#include "net/io/read_buffer.h"
#include "net/io/socket_stream.h"

namespace integreat::net {

struct BodyChunk {
    std::string_view bytes;  // Valid until the next read; empty at the end and on failure.
    bool finished = false;   // These bytes are the last of the body.
    // The error if the body ended early: too large, malformed, too slow, or (with status 0) the client
    // disconnected. The connection cannot carry another request then.
    std::optional<http::Problem> problem;
};

class RequestBody {
public:
    RequestBody(SocketStream& client, ReadBuffer& read_buffer, MinimumRate rate)
        : client_(&client), read_buffer_(&read_buffer), rate_(rate) {}

    void begin(const Framing& framing);  // Resets the state for the next request on the connection.

    bool is_absent() const {
        return framing_.body == BodyFraming::none;
    }                                             // Neither Content-Length nor Transfer-Encoding.
    std::optional<std::uint64_t> length() const;  // Unknown for a chunked body.
    bool finished() const { return finished_; }
    std::uint64_t bytes_read() const { return bytes_read_; }

    // Sets the maximum body size; call before the first read. A larger Content-Length makes the first read
    // fail before 100 Continue is sent.
    void set_limit(std::size_t max_bytes) { bytes_max_ = max_bytes; }
    // Sets the time at which every read ends at the latest.
    void set_deadline(Monotonic deadline) { deadline_ = deadline; }

    Awaitable<BodyChunk> read();

    // Consumes the last chunk: read_buffer() begins behind it.
    void release() { read_buffer_->consume(std::exchange(chunk_bytes_, 0)); }

    // Returns whether the client still waits for 100 Continue before it sends the body.
    bool awaits_continue() const { return framing_.expects_continue && !finished_; }

    // Returns the bytes behind the body: the next request, or the protocol the connection was upgraded to.
    ReadBuffer& read_buffer() { return *read_buffer_; }

private:
    BodyChunk read_buffered();
    BodyChunk fail(http::Problem problem);
    Awaitable<error_code> fill_buffer();

    SocketStream* client_;
    ReadBuffer* read_buffer_;
    MinimumRate rate_;
    Framing framing_;
    ChunkedDecoder decoder_;
    std::uint64_t bytes_read_ = 0;
    std::size_t chunk_bytes_ = 0;  // Bytes of read_buffer_ that the last chunk occupies.
    std::size_t bytes_max_ = 0;
    Monotonic deadline_ = Monotonic::max();
    bool finished_ = true;
};

}  // namespace integreat::net
