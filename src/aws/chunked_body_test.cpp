// SPDX-License-Identifier: Apache-2.0
#include "aws/chunked_body.h"

#include <gtest/gtest.h>

namespace integreat::aws {
namespace {

using Kind = ChunkedBodyError::Kind;

// Examples of the S3 API reference: 66560 letters "a" in chunks of 64 KiB.
constexpr std::string_view seed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
constexpr std::string_view seed_with_trailer =
    "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e";
constexpr std::uint64_t length = 66'560;

ChunkedBodySigning signing(std::string_view from) {
    SigV4Claim claim{
        .date = "20130524", .region = "us-east-1", .service = "s3", .timestamp = "20130524T000000Z"};
    return {.signing_key = derive_signing_key(Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), claim),
            .seed = std::string(from),
            .timestamp = claim.timestamp,
            .scope = claim.scope()};
}

std::string chunk(std::string_view head, std::size_t size) {
    return std::string(head) + "\r\n" + std::string(size, 'a') + "\r\n";
}

const std::string signed_body =
    chunk("10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648", 65536) +
    chunk("400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497", 1024) +
    "0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n";
const std::string body_with_trailer =
    chunk("10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2", 65536) +
    chunk("400;chunk-signature=1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7", 1024) +
    "0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n"
    "x-amz-checksum-crc32c:sOO8/Q==\r\n"
    "x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n";

std::string decode(ChunkedBodyDecoder& chunks, std::string_view body, std::size_t chunk_bytes) {
    std::string decoded;
    while (!body.empty() && !chunks.error()) {
        auto part = body.substr(0, chunk_bytes);
        body.remove_prefix(part.size());
        for (auto piece = chunks.decode(part); !piece.empty(); piece = chunks.decode(part))
            decoded += piece;
    }
    return decoded;
}

TEST(ChunkedBodyDecoder, DoesNotDependOnBufferBoundaries) {
    for (std::size_t chunk_bytes : {1u, 7u, 1000u, 100'000u}) {
        ChunkedBodyDecoder chunks(ChunkedBodyFormat::signed_chunks, length, signing(seed));
        EXPECT_EQ(decode(chunks, signed_body, chunk_bytes), std::string(length, 'a'));
        EXPECT_TRUE(chunks.finished());
        EXPECT_FALSE(chunks.error()) << chunks.error()->part;
    }
}

TEST(ChunkedBodyDecoder, VerifiesTheExampleWithATrailer) {
    ChunkedBodyDecoder chunks(ChunkedBodyFormat::signed_chunks_with_trailer, length,
                              signing(seed_with_trailer));
    EXPECT_EQ(decode(chunks, body_with_trailer, 500).size(), length);
    EXPECT_FALSE(chunks.error()) << chunks.error()->part;
    ASSERT_EQ(chunks.trailers().size(), 1u);
    EXPECT_EQ(chunks.trailers()[0].first, "x-amz-checksum-crc32c");
    EXPECT_EQ(chunks.trailers()[0].second, "sOO8/Q==");
}

TEST(ChunkedBodyDecoder, DecodesUnsignedChunksOfTheJavaScriptSdk) {
    ChunkedBodyDecoder chunks(ChunkedBodyFormat::unsigned_chunks_with_trailer, 340);
    std::string body = "154\r\n" + std::string(340, 'x') + "\r\n0\r\nx-amz-checksum-crc32:+HLNRg==\r\n\r\n";
    EXPECT_EQ(decode(chunks, body, 64).size(), 340u);
    EXPECT_TRUE(chunks.finished());
    EXPECT_EQ(chunks.trailers()[0].second, "+HLNRg==");
}

Kind mistake_of(ChunkedBodyFormat form, const std::string& body, std::uint64_t decoded_length = length,
                std::string_view from = seed) {
    ChunkedBodyDecoder chunks(form, decoded_length, signing(from));
    decode(chunks, body, 333);
    EXPECT_TRUE(chunks.error()) << body.substr(0, 100);
    return chunks.error() ? chunks.error()->kind : Kind::malformed;
}

TEST(ChunkedBodyDecoder, RejectsChangesOfAnyPart) {
    auto form = ChunkedBodyFormat::signed_chunks;
    auto changed = signed_body;
    changed[90] = 'b';
    EXPECT_EQ(mistake_of(form, changed), Kind::chunk_signature);
    changed = signed_body;
    changed[changed.size() - 5] = 'e';
    EXPECT_EQ(mistake_of(form, changed), Kind::chunk_signature);
    EXPECT_EQ(mistake_of(form, signed_body, length, seed_with_trailer), Kind::chunk_signature);
    EXPECT_EQ(mistake_of(form, signed_body, length + 1), Kind::length);
    EXPECT_EQ(mistake_of(form, signed_body, length - 1), Kind::length);
    EXPECT_EQ(mistake_of(form, signed_body + "x"), Kind::malformed);

    form = ChunkedBodyFormat::signed_chunks_with_trailer;
    changed = body_with_trailer;
    changed.replace(changed.find("sOO8"), 4, "sOO9");
    EXPECT_EQ(mistake_of(form, changed, length, seed_with_trailer), Kind::trailer_signature);
    changed = body_with_trailer;
    auto at = changed.find("x-amz-trailer-signature");
    changed.erase(at, changed.size() - at - 2);
    EXPECT_EQ(mistake_of(form, changed, length, seed_with_trailer), Kind::trailer_signature);
}

TEST(ChunkedBodyDecoder, RejectsMalformedChunks) {
    auto form = ChunkedBodyFormat::unsigned_chunks_with_trailer;
    EXPECT_EQ(mistake_of(form, "xyz\r\n", 10), Kind::malformed);
    EXPECT_EQ(mistake_of(form, "\r\n", 10), Kind::malformed);
    EXPECT_EQ(mistake_of(form, "3\nabc\r\n", 10), Kind::malformed);
    EXPECT_EQ(mistake_of(form, "3;x=y\r\nabc\r\n", 10), Kind::malformed);
    EXPECT_EQ(mistake_of(form, "3\r\nabcd", 10), Kind::malformed);
    EXPECT_EQ(mistake_of(form, "ffffffffffffffff\r\n", 10), Kind::malformed);
    EXPECT_EQ(mistake_of(form, std::string(600, '0'), 10), Kind::malformed);
    EXPECT_EQ(mistake_of(form, "b\r\n", 10), Kind::length);
    EXPECT_EQ(mistake_of(form, "1\r\na\r\n1\r\nb\r\n0\r\n\r\n", 2), Kind::chunk_too_small);
    EXPECT_EQ(mistake_of(form, "0\r\nno colon\r\n", 0), Kind::trailer_malformed);
    std::string many = "0\r\n";
    for (int i = 0; i < 17; ++i)
        many += "a:b\r\n";
    EXPECT_EQ(mistake_of(form, many, 0), Kind::trailer_malformed);
    EXPECT_EQ(mistake_of(ChunkedBodyFormat::signed_chunks, "3\r\nabc\r\n"), Kind::malformed) << "not signed";
}

TEST(ChunkedBodyDecoder, IsNotFinishedIfTheBodyIsTruncated) {
    for (std::size_t cut : {std::size_t(10), std::size_t(70'000), signed_body.size() - 1}) {
        ChunkedBodyDecoder chunks(ChunkedBodyFormat::signed_chunks, length, signing(seed));
        decode(chunks, std::string_view(signed_body).substr(0, std::min(cut, signed_body.size() - 1)), 1000);
        EXPECT_FALSE(chunks.finished());
    }
}

}  // namespace
}  // namespace integreat::aws
