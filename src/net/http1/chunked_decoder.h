// SPDX-License-Identifier: Apache-2.0
// The chunked transfer coding, read strictly (RFC 9112 section 7.1): sizes are 1 to 15 hex digits, every line
// ends in CR LF, chunk extensions and trailers are bounded, and dropped. Anything a proxy before us might
// read differently is refused, because then request smuggling begins.
#pragma once

#include <cstdint>
#include <string_view>

namespace integreat::net {

class ChunkDecoder {
public:
    static constexpr std::size_t extension_bytes_max = 256;       // Of one chunk.
    static constexpr std::size_t overhead_bytes_max = 16 * 1024;  // All extensions and trailers together.

    // Takes bytes from the front of `bytes` until a piece of the body was found (returned; it points into
    // `bytes`), the body ended, it is malformed, or all bytes are used up.
    std::string_view take(std::string_view& bytes);

    bool finished() const { return state_ == State::finished; }
    // What is wrong, for a person; empty while all is well.
    std::string_view mistake() const { return mistake_; }

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
    void step(char byte);
    void size_digit(char byte);
    void refuse(std::string_view mistake) { mistake_ = mistake; }
    void count_overhead();

    State state_ = State::size;
    int digits_ = 0;
    std::uint64_t remaining_ = 0;  // Of the present chunk.
    std::size_t extension_bytes_ = 0;
    std::size_t overhead_bytes_ = 0;
    std::string_view mistake_;
};

}  // namespace integreat::net
