// SPDX-License-Identifier: Apache-2.0
#include "net/http1/chunked_decoder.h"

#include <algorithm>

namespace integreat::net {

namespace {

constexpr int digits_max = 15;  // Cannot overflow 64 bits; limits on the body are far lower.

int hex_value(char byte) {
    if (byte >= '0' && byte <= '9') return byte - '0';
    if (byte >= 'a' && byte <= 'f') return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F') return byte - 'A' + 10;
    return -1;
}

bool is_control(char byte) {
    return (static_cast<unsigned char>(byte) < 0x20 && byte != '\t') || byte == 0x7f;
}

}  // namespace

std::string_view ChunkedDecoder::decode(std::string_view& bytes) {
    while (!bytes.empty() && error_.empty() && state_ != State::finished) {
        if (state_ == State::payload) {
            auto length = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, bytes.size()));
            auto chunk = bytes.substr(0, length);
            bytes.remove_prefix(length);
            remaining_ -= length;
            if (remaining_ == 0) state_ = State::payload_cr;
            return chunk;
        }
        decode_byte(bytes.front());
        bytes.remove_prefix(1);
    }
    return {};
}

void ChunkedDecoder::decode_size_digit(char byte) {
    if (int value = hex_value(byte); value >= 0) {
        if (++digits_ > digits_max) return fail("a chunk size has too many digits");
        remaining_ = remaining_ * 16 + static_cast<std::uint64_t>(value);
        return;
    }
    if (digits_ == 0) return fail("a chunk does not begin with its size in hexadecimal digits");
    if (byte == ';') {
        state_ = State::extension;
        extension_bytes_ = 0;
    } else if (byte == '\r') {
        state_ = State::size_lf;
    } else {
        fail("a chunk size is followed by something other than CR LF or an extension");
    }
}

void ChunkedDecoder::count_overhead() {
    if (++overhead_bytes_ > overhead_bytes_max) fail("chunk extensions and trailers are too long");
}

void ChunkedDecoder::decode_byte(char byte) {
    switch (state_) {
        case State::size: return decode_size_digit(byte);
        case State::extension:
            if (byte == '\r') {
                state_ = State::size_lf;
            } else if (is_control(byte)) {
                fail("a chunk extension has a control byte");
            } else if (++extension_bytes_ > extension_bytes_max) {
                fail("a chunk extension is too long");
            } else {
                count_overhead();
            }
            return;
        case State::size_lf:
            if (byte != '\n') return fail("a chunk size is followed by CR without LF");
            state_ = remaining_ > 0 ? State::payload : State::trailer_start;
            digits_ = 0;
            return;
        case State::payload_cr:
            if (byte != '\r') return fail("a chunk is longer than its size, or CR LF is missing behind it");
            state_ = State::payload_lf;
            return;
        case State::payload_lf:
            if (byte != '\n') return fail("a chunk is followed by CR without LF");
            state_ = State::size;
            return;
        case State::trailer_start:
            if (byte == '\r') {
                state_ = State::last_lf;
                return;
            }
            state_ = State::trailer;
            if (byte == ' ' || byte == '\t' || byte == ':')
                return fail("a trailer does not begin with a name");
            [[fallthrough]];
        case State::trailer:
            if (byte == '\r') {
                state_ = State::trailer_lf;
            } else if (is_control(byte)) {
                fail("a trailer has a control byte or a bare LF");
            } else {
                count_overhead();
            }
            return;
        case State::trailer_lf:
            if (byte != '\n') return fail("a trailer has CR without LF");
            state_ = State::trailer_start;
            return;
        case State::last_lf:
            if (byte != '\n') return fail("the last line of a chunked body has CR without LF");
            state_ = State::finished;
            return;
        case State::payload:
        case State::finished: return;
    }
}

}  // namespace integreat::net
