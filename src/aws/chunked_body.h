// SPDX-License-Identifier: Apache-2.0
// The content coding aws-chunked, as S3's clients send large bodies
// (https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and -trailers.html):
//
//     10000;chunk-signature=ad80…␍␊ <65536 bytes> ␍␊ … 0;chunk-signature=b6c6…␍␊ [trailer:value␍␊ …] ␍␊
//
// Bytes are handed on as they come; a chunk's signature is known to be right only at its end, so what was
// received must not be believed before finished(). Memory is constant, every line and number is bounded.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/sigv4.h"
#include "crypto/hasher.h"

namespace integreat::aws {

// What x-amz-content-sha256 announces.
enum class AwsChunksForm : std::uint8_t {
    signed_chunks,                // STREAMING-AWS4-HMAC-SHA256-PAYLOAD
    signed_chunks_with_trailer,   // …-TRAILER
    unsigned_chunks_with_trailer  // STREAMING-UNSIGNED-PAYLOAD-TRAILER
};
std::optional<AwsChunksForm> aws_chunks_form(std::string_view content_sha256);

struct AwsChunksMistake {
    enum class Kind : std::uint8_t {
        malformed,
        chunk_too_small,    // Only the last may have less than 8 KiB.
        chunk_signature,    // Does not match.
        trailer_malformed,  // Or its signature is missing.
        trailer_signature,
        length,  // Not what x-amz-decoded-content-length says.
    };
    Kind kind;
    std::string part;  // For our log: "the signature of chunk 3, bytes 131072 to 139263".
};

// What the chunks' signatures are a chain from; not needed for unsigned ones.
struct AwsChunksSigning {
    crypto::Sha256 signing_key;
    std::string seed;  // The signature of the head.
    std::string timestamp;
    std::string scope;
};

class AwsChunks {
public:
    static constexpr std::size_t line_bytes_max = 512;
    static constexpr std::size_t trailers_max = 16;
    static constexpr std::uint64_t chunk_bytes_min = 8 * 1024;

    AwsChunks(AwsChunksForm form, std::uint64_t decoded_length, AwsChunksSigning signing = {})
        : form_(form),
          decoded_length_(decoded_length),
          signing_(std::move(signing)),
          previous_(signing_.seed) {}

    // Takes bytes from the front of `bytes` until a piece was decoded (returned; it points into `bytes`), the
    // coding ended, a mistake was found, or all are used up. Call it again until it returns nothing.
    std::string_view take(std::string_view& bytes);

    bool finished() const { return state_ == State::finished; }
    const std::optional<AwsChunksMistake>& mistake() const { return mistake_; }
    // Names in lower case, in their order; without x-amz-trailer-signature.
    const std::vector<std::pair<std::string, std::string>>& trailers() const { return trailers_; }

private:
    enum class State : std::uint8_t {
        head,
        payload,
        payload_cr,
        payload_lf,
        trailer,
        last_cr,
        last_lf,
        finished
    };

    void refuse(AwsChunksMistake::Kind kind, std::string part);
    bool line_is_complete(char byte);
    void read_head();
    void read_extension(std::string_view extension);
    void end_chunk();
    void read_trailer();
    void end_trailers();
    std::string sign(std::string_view kind, std::string_view hash, bool of_chunk) const;

    AwsChunksForm form_;
    std::uint64_t decoded_length_;
    AwsChunksSigning signing_;
    State state_ = State::head;
    std::string line_;
    std::uint64_t chunk_size_ = 0;
    std::uint64_t remaining_ = 0;  // Of the present chunk.
    std::uint64_t decoded_ = 0;
    std::uint64_t chunk_number_ = 0;
    bool small_chunk_seen_ = false;
    std::string chunk_signature_;
    std::string trailer_signature_;
    std::string previous_;
    crypto::Hasher hash_{crypto::Hash::sha256};
    std::vector<std::pair<std::string, std::string>> trailers_;
    std::optional<AwsChunksMistake> mistake_;
};

}  // namespace integreat::aws
