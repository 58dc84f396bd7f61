// SPDX-License-Identifier: Apache-2.0
#include "aws/chunked_body.h"

#include <algorithm>
#include <charconv>

#include "aws/sigv4_canonical.h"
#include "base/text/ascii.h"
#include "crypto/encoding.h"

namespace integreat::aws {

using Kind = ChunkedBodyError::Kind;

std::optional<ChunkedBodyFormat> parse_chunked_body_format(std::string_view content_sha256) {
    if (content_sha256 == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD") return ChunkedBodyFormat::signed_chunks;
    if (content_sha256 == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER") {
        return ChunkedBodyFormat::signed_chunks_with_trailer;
    }
    if (content_sha256 == "STREAMING-UNSIGNED-PAYLOAD-TRAILER") {
        return ChunkedBodyFormat::unsigned_chunks_with_trailer;
    }
    return std::nullopt;
}

void ChunkedBodyDecoder::fail(Kind kind, std::string part) {
    error_ = ChunkedBodyError{kind, std::move(part)};
}

std::string_view ChunkedBodyDecoder::decode(std::string_view& bytes) {
    while (!bytes.empty() && !error_ && state_ != State::finished) {
        if (state_ == State::payload) {
            auto payload =
                bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, bytes.size())));
            bytes.remove_prefix(payload.size());
            remaining_ -= payload.size();
            decoded_ += payload.size();
            if (format_ != ChunkedBodyFormat::unsigned_chunks_with_trailer) hash_.update(payload);
            if (remaining_ == 0) state_ = State::payload_cr;
            return payload;
        }
        char byte = bytes.front();
        bytes.remove_prefix(1);
        switch (state_) {
            case State::chunk_header:
                if (append_to_line(byte)) parse_chunk_header();
                break;
            case State::trailer:
                if (append_to_line(byte)) parse_trailer();
                break;
            case State::payload_cr:
            case State::last_cr:
                if (byte != '\r') fail(Kind::malformed, "CR LF is missing after a chunk");
                state_ = state_ == State::payload_cr ? State::payload_lf : State::last_lf;
                break;
            case State::payload_lf:
            case State::last_lf:
                if (byte != '\n') fail(Kind::malformed, "LF is missing after a chunk");
                if (error_) break;
                if (state_ == State::last_lf) {
                    state_ = State::finished;
                } else {
                    verify_chunk();
                    state_ = State::chunk_header;
                }
                break;
            case State::payload:
            case State::finished: break;
        }
    }
    if (state_ == State::finished && !bytes.empty() && !error_) {
        fail(Kind::malformed, "bytes follow the last chunk");
    }
    return {};
}

// Appends a byte to the line; returns whether the line is complete. Lines end in LF; the CR before it is not
// part of the line, and some clients omit it in trailers.
bool ChunkedBodyDecoder::append_to_line(char byte) {
    if (byte != '\n') {
        if (line_.size() == line_bytes_max) {
            fail(state_ == State::chunk_header ? Kind::malformed : Kind::trailer_malformed,
                 "a line of the chunked coding is longer than 512 bytes");
            return false;
        }
        line_ += byte;
        return false;
    }
    bool with_cr = !line_.empty() && line_.back() == '\r';
    if (with_cr) line_.pop_back();
    if (!with_cr && state_ == State::chunk_header) {
        fail(Kind::malformed, "the head of a chunk does not end in CR LF");
        return false;
    }
    return true;
}

void ChunkedBodyDecoder::parse_chunk_header() {
    std::string_view line = line_;
    auto digits = line.substr(0, line.find(';'));
    std::uint64_t size = 0;
    auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), size, 16);
    if (failure != std::errc() || end != digits.data() + digits.size() || digits.size() > 12) {
        return fail(Kind::malformed, "the size of a chunk is not 1 to 12 hexadecimal digits");
    }
    parse_chunk_extension(line.substr(digits.size()));
    line_.clear();
    if (error_) return;
    ++chunk_number_;
    chunk_size_ = size;
    if (size > decoded_length_ - decoded_) {
        return fail(Kind::length, "the chunks have more bytes than x-amz-decoded-content-length (" +
                                      std::to_string(decoded_length_) + ")");
    }
    if (size == 0) {
        if (decoded_ != decoded_length_) {
            return fail(Kind::length, "the chunks have " + std::to_string(decoded_) +
                                          " bytes, x-amz-decoded-content-length is " +
                                          std::to_string(decoded_length_));
        }
        verify_chunk();
        state_ = format_ == ChunkedBodyFormat::signed_chunks ? State::last_cr : State::trailer;
        return;
    }
    if (has_small_chunk_) {
        return fail(Kind::chunk_too_small, "a chunk of less than 8192 bytes is not the last");
    }
    has_small_chunk_ = size < chunk_bytes_min;
    remaining_ = size;
    state_ = State::payload;
}

void ChunkedBodyDecoder::parse_chunk_extension(std::string_view extension) {
    constexpr std::string_view name = ";chunk-signature=";
    if (format_ == ChunkedBodyFormat::unsigned_chunks_with_trailer) {
        if (!extension.empty()) fail(Kind::malformed, "an unsigned chunk has an extension");
        return;
    }
    if (!extension.starts_with(name) || extension.size() != name.size() + 64) {
        return fail(Kind::malformed, "the chunk has no chunk-signature of 64 digits");
    }
    chunk_signature_ = extension.substr(name.size());
}

std::string ChunkedBodyDecoder::sign(std::string_view kind, std::string_view hash, bool is_chunk) const {
    auto text = std::string(kind) + "\n" + signing_.timestamp + "\n" + signing_.scope + "\n" +
                previous_signature_ + "\n";
    if (is_chunk) text += std::string(empty_payload_sha256) + "\n";
    return sign_string(signing_.signing_key, text + crypto::hex_encode(hash));
}

void ChunkedBodyDecoder::verify_chunk() {
    if (format_ == ChunkedBodyFormat::unsigned_chunks_with_trailer) return;
    auto expected = sign("AWS4-HMAC-SHA256-PAYLOAD", hash_.finish(), true);
    if (!equal_in_constant_time(expected, chunk_signature_)) {
        return fail(Kind::chunk_signature, "the signature of chunk " + std::to_string(chunk_number_) + ", " +
                                               std::to_string(chunk_size_) + " bytes up to byte " +
                                               std::to_string(decoded_));
    }
    previous_signature_ = std::move(expected);
}

void ChunkedBodyDecoder::parse_trailer() {
    if (line_.empty()) return verify_trailers();
    auto colon = line_.find(':');
    if (colon == std::string::npos || colon == 0 || trailers_.size() == trailers_max) {
        return fail(Kind::trailer_malformed,
                    "a trailer is not of the form name:value, or there are too many");
    }
    auto name = to_lower(trim(std::string_view(line_).substr(0, colon)));
    auto value = std::string(trim(std::string_view(line_).substr(colon + 1)));
    line_.clear();
    if (name == "x-amz-trailer-signature") {
        trailer_signature_ = std::move(value);
        return;
    }
    if (!trailer_signature_.empty()) {
        return fail(Kind::trailer_malformed, "a trailer follows x-amz-trailer-signature");
    }
    trailers_.emplace_back(std::move(name), std::move(value));
}

void ChunkedBodyDecoder::verify_trailers() {
    state_ = State::finished;
    if (format_ != ChunkedBodyFormat::signed_chunks_with_trailer) return;
    std::string canonical;
    for (const auto& [name, value] : trailers_)
        canonical += name + ":" + value + "\n";
    auto expected =
        sign("AWS4-HMAC-SHA256-TRAILER", crypto::hash(crypto::HashAlgorithm::sha256, canonical), false);
    if (!equal_in_constant_time(expected, trailer_signature_)) {
        fail(Kind::trailer_signature, trailer_signature_.empty() ? "x-amz-trailer-signature is missing"
                                                                 : "the signature of the trailers");
    }
}

}  // namespace integreat::aws
