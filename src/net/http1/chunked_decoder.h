// SPDX-License-Identifier: Apache-2.0
// A strict decoder of the chunked transfer coding (RFC 9112 section 7.1): sizes are 1 to 15 hex digits, every
// line ends in CR LF, chunk extensions and trailers are bounded and dropped. Anything that a proxy in front
// of this server might read differently is rejected, because such differences enable request smuggling.
#pragma once

#include <cstdint>
#include <string_view>

namespace integreat::net {

class ChunkedDecoder {
public:
    static constexpr std::size_t extension_bytes_max = 256;  // Maximum per chunk.
    static constexpr std::size_t overhead_bytes_max =
        16 * 1024;  // Maximum of all extensions and trailers together.

    // Consumes bytes from the front of `bytes` until some body bytes are decoded (returned as a view into
    // `bytes`), the body ends, it is malformed, or all bytes are consumed.
    std::string_view decode(std::string_view& bytes);

    bool finished() const { return state_ == State::finished; }
    // Returns the error as a sentence; empty if there is none.
    std::string_view error() const { return error_; }

private:
    enum class State {
        size,
        extension,
        size_lf,
        payload,
        payload_cr,
        payload_lf,
        trailer_start,
        trailer,
        trailer_lf,
        last_lf,
        finished
    };
    void decode_byte(char byte);
    void decode_size_digit(char byte);
    void fail(std::string_view error) { error_ = error; }
    void count_overhead();

    State state_ = State::size;
    int digits_ = 0;
    std::uint64_t remaining_ = 0;  // Remaining bytes of the current chunk.
    std::size_t extension_bytes_ = 0;
    std::size_t overhead_bytes_ = 0;
    std::string_view error_;
};

}  // namespace integreat::net
