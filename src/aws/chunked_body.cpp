// SPDX-License-Identifier: Apache-2.0
#include "aws/chunked_body.h"

#include <algorithm>
#include <charconv>

#include "aws/sigv4_text.h"
#include "crypto/encoding.h"

namespace integreat::aws {

using Kind = AwsChunksMistake::Kind;

std::optional<AwsChunksForm> aws_chunks_form(std::string_view content_sha256) {
    if (content_sha256 == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD") return AwsChunksForm::signed_chunks;
    if (content_sha256 == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER") {
        return AwsChunksForm::signed_chunks_with_trailer;
    }
    if (content_sha256 == "STREAMING-UNSIGNED-PAYLOAD-TRAILER") {
        return AwsChunksForm::unsigned_chunks_with_trailer;
    }
    return std::nullopt;
}

void AwsChunks::refuse(Kind kind, std::string part) {
    mistake_ = AwsChunksMistake{kind, std::move(part)};
}

std::string_view AwsChunks::take(std::string_view& bytes) {
    while (!bytes.empty() && !mistake_ && state_ != State::finished) {
        if (state_ == State::payload) {
            auto piece =
                bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, bytes.size())));
            bytes.remove_prefix(piece.size());
            remaining_ -= piece.size();
            decoded_ += piece.size();
            if (form_ != AwsChunksForm::unsigned_chunks_with_trailer) hash_.update(piece);
            if (remaining_ == 0) state_ = State::payload_cr;
            return piece;
        }
        char byte = bytes.front();
        bytes.remove_prefix(1);
        switch (state_) {
            case State::head:
                if (line_is_complete(byte)) read_head();
                break;
            case State::trailer:
                if (line_is_complete(byte)) read_trailer();
                break;
            case State::payload_cr:
            case State::last_cr:
                if (byte != '\r') refuse(Kind::malformed, "CR LF is missing behind a chunk");
                state_ = state_ == State::payload_cr ? State::payload_lf : State::last_lf;
                break;
            case State::payload_lf:
            case State::last_lf:
                if (byte != '\n') refuse(Kind::malformed, "LF is missing behind a chunk");
                if (mistake_) break;
                if (state_ == State::last_lf) {
                    state_ = State::finished;
                } else {
                    end_chunk();
                    state_ = State::head;
                }
                break;
            case State::payload:
            case State::finished: break;
        }
    }
    if (state_ == State::finished && !bytes.empty() && !mistake_) {
        refuse(Kind::malformed, "bytes follow the last chunk");
    }
    return {};
}

// Lines end in LF; the CR before it is not part of them, and not every client sends it in trailers.
bool AwsChunks::line_is_complete(char byte) {
    if (byte != '\n') {
        if (line_.size() == line_bytes_max) {
            refuse(state_ == State::head ? Kind::malformed : Kind::trailer_malformed,
                   "a line of the chunked coding is longer than 512 bytes");
            return false;
        }
        line_ += byte;
        return false;
    }
    bool with_cr = !line_.empty() && line_.back() == '\r';
    if (with_cr) line_.pop_back();
    if (!with_cr && state_ == State::head) {
        refuse(Kind::malformed, "the head of a chunk does not end in CR LF");
        return false;
    }
    return true;
}

void AwsChunks::read_head() {
    std::string_view line = line_;
    auto digits = line.substr(0, line.find(';'));
    std::uint64_t size = 0;
    auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), size, 16);
    if (failure != std::errc() || end != digits.data() + digits.size() || digits.size() > 12) {
        return refuse(Kind::malformed, "the size of a chunk is not 1 to 12 hexadecimal digits");
    }
    read_extension(line.substr(digits.size()));
    line_.clear();
    if (mistake_) return;
    ++chunk_number_;
    chunk_size_ = size;
    if (size > decoded_length_ - decoded_) {
        return refuse(Kind::length, "the chunks have more bytes than x-amz-decoded-content-length says (" +
                                        std::to_string(decoded_length_) + ")");
    }
    if (size == 0) {
        if (decoded_ != decoded_length_) {
            return refuse(Kind::length, "the chunks have " + std::to_string(decoded_) +
                                            " bytes, x-amz-decoded-content-length says " +
                                            std::to_string(decoded_length_));
        }
        end_chunk();
        state_ = form_ == AwsChunksForm::signed_chunks ? State::last_cr : State::trailer;
        return;
    }
    if (small_chunk_seen_) {
        return refuse(Kind::chunk_too_small, "a chunk of less than 8192 bytes is not the last");
    }
    small_chunk_seen_ = size < chunk_bytes_min;
    remaining_ = size;
    state_ = State::payload;
}

void AwsChunks::read_extension(std::string_view extension) {
    constexpr std::string_view name = ";chunk-signature=";
    if (form_ == AwsChunksForm::unsigned_chunks_with_trailer) {
        if (!extension.empty()) refuse(Kind::malformed, "an unsigned chunk has an extension");
        return;
    }
    if (!extension.starts_with(name) || extension.size() != name.size() + 64) {
        return refuse(Kind::malformed, "the chunk has no chunk-signature of 64 digits");
    }
    chunk_signature_ = extension.substr(name.size());
}

std::string AwsChunks::sign(std::string_view kind, std::string_view hash, bool of_chunk) const {
    auto text =
        std::string(kind) + "\n" + signing_.timestamp + "\n" + signing_.scope + "\n" + previous_ + "\n";
    if (of_chunk) text += std::string(sha256_of_nothing) + "\n";
    return sign_text(signing_.signing_key, text + crypto::hex_encode(hash));
}

void AwsChunks::end_chunk() {
    if (form_ == AwsChunksForm::unsigned_chunks_with_trailer) return;
    auto expected = sign("AWS4-HMAC-SHA256-PAYLOAD", hash_.finish(), true);
    if (!equal_in_constant_time(expected, chunk_signature_)) {
        return refuse(Kind::chunk_signature, "the signature of chunk " + std::to_string(chunk_number_) +
                                                 ", " + std::to_string(chunk_size_) + " bytes up to byte " +
                                                 std::to_string(decoded_));
    }
    previous_ = std::move(expected);
}

void AwsChunks::read_trailer() {
    if (line_.empty()) return end_trailers();
    auto colon = line_.find(':');
    if (colon == std::string::npos || colon == 0 || trailers_.size() == trailers_max) {
        return refuse(Kind::trailer_malformed,
                      "a trailer is not of the form name:value, or there are too many");
    }
    auto name = lower_case(trim(std::string_view(line_).substr(0, colon)));
    auto value = std::string(trim(std::string_view(line_).substr(colon + 1)));
    line_.clear();
    if (name == "x-amz-trailer-signature") {
        trailer_signature_ = std::move(value);
        return;
    }
    if (!trailer_signature_.empty()) {
        return refuse(Kind::trailer_malformed, "a trailer follows x-amz-trailer-signature");
    }
    trailers_.emplace_back(std::move(name), std::move(value));
}

void AwsChunks::end_trailers() {
    state_ = State::finished;
    if (form_ != AwsChunksForm::signed_chunks_with_trailer) return;
    std::string canonical;
    for (const auto& [name, value] : trailers_)
        canonical += name + ":" + value + "\n";
    auto expected = sign("AWS4-HMAC-SHA256-TRAILER", crypto::hash_of(crypto::Hash::sha256, canonical), false);
    if (!equal_in_constant_time(expected, trailer_signature_)) {
        refuse(Kind::trailer_signature, trailer_signature_.empty() ? "x-amz-trailer-signature is missing"
                                                                   : "the signature of the trailers");
    }
}

}  // namespace integreat::aws
