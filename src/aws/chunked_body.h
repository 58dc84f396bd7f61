// SPDX-License-Identifier: Apache-2.0
// A decoder for the content coding aws-chunked of S3 clients
// (https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and -trailers.html):
//
//     10000;chunk-signature=ad80…␍␊ <65536 bytes> ␍␊ … 0;chunk-signature=b6c6…␍␊ [trailer:value␍␊ …] ␍␊
//
// Decoded bytes are returned as they arrive; a chunk's signature is verified only at its end, so decoded
// bytes must not be trusted before finished(). Memory is constant; every line and number is bounded.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/sigv4.h"
#include "crypto/hash.h"

namespace integreat::aws {

// The variant declared by x-amz-content-sha256.
enum class ChunkedBodyFormat : std::uint8_t {
    signed_chunks,                // STREAMING-AWS4-HMAC-SHA256-PAYLOAD
    signed_chunks_with_trailer,   // …-TRAILER
    unsigned_chunks_with_trailer  // STREAMING-UNSIGNED-PAYLOAD-TRAILER
};
std::optional<ChunkedBodyFormat> parse_chunked_body_format(std::string_view content_sha256);

struct ChunkedBodyError {
    enum class Kind : std::uint8_t {
        malformed,
        chunk_too_small,    // Only the last chunk may have less than 8 KiB.
        chunk_signature,    // The signature of a chunk does not match.
        trailer_malformed,  // A trailer is malformed, or its signature is missing.
        trailer_signature,
        length,  // Differs from x-amz-decoded-content-length.
    };
    Kind kind;
    std::string part;  // For the log: "the signature of chunk 3, bytes 131072 to 139263".
};

// The inputs of the chunk signatures, which form a chain; not needed for unsigned chunks.
struct ChunkedBodySigning {
    crypto::Sha256 signing_key;
    std::string seed;  // Signature of the request.
    std::string timestamp;
    std::string scope;
};

class ChunkedBodyDecoder {
public:
    static constexpr std::size_t line_bytes_max = 512;
    static constexpr std::size_t trailers_max = 16;
    static constexpr std::uint64_t chunk_bytes_min = 8 * 1024;

    ChunkedBodyDecoder(ChunkedBodyFormat format, std::uint64_t decoded_length,
                       ChunkedBodySigning signing = {})
        : format_(format),
          decoded_length_(decoded_length),
          signing_(std::move(signing)),
          previous_signature_(signing_.seed) {}

    // Consumes bytes at the front of `bytes` until some payload is decoded (returned; it points into
    // `bytes`), the body ends, an error is found, or all are consumed. Call it again until it returns an
    // empty view.
    std::string_view decode(std::string_view& bytes);

    bool finished() const { return state_ == State::finished; }
    const std::optional<ChunkedBodyError>& error() const { return error_; }
    // Returns the trailers in order, names in lower case; without x-amz-trailer-signature.
    const std::vector<std::pair<std::string, std::string>>& trailers() const { return trailers_; }

private:
    enum class State : std::uint8_t {
        chunk_header,
        payload,
        payload_cr,
        payload_lf,
        trailer,
        last_cr,
        last_lf,
        finished
    };

    void fail(ChunkedBodyError::Kind kind, std::string part);
    bool append_to_line(char byte);
    void parse_chunk_header();
    void parse_chunk_extension(std::string_view extension);
    void verify_chunk();
    void parse_trailer();
    void verify_trailers();
    std::string sign(std::string_view kind, std::string_view hash, bool is_chunk) const;

    ChunkedBodyFormat format_;
    std::uint64_t decoded_length_;
    ChunkedBodySigning signing_;
    State state_ = State::chunk_header;
    std::string line_;
    std::uint64_t chunk_size_ = 0;
    std::uint64_t remaining_ = 0;  // Bytes left of the current chunk.
    std::uint64_t decoded_ = 0;
    std::uint64_t chunk_number_ = 0;
    bool has_small_chunk_ = false;
    std::string chunk_signature_;
    std::string trailer_signature_;
    std::string previous_signature_;
    crypto::Hasher hash_{crypto::HashAlgorithm::sha256};
    std::vector<std::pair<std::string, std::string>> trailers_;
    std::optional<ChunkedBodyError> error_;
};

}  // namespace integreat::aws
