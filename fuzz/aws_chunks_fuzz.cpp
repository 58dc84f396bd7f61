// SPDX-License-Identifier: Apache-2.0
// Decodes any bytes as an aws-chunked body; the first byte chooses the format, the second the buffer size.
// The result must not depend on the buffer size, and a signed body is never finished, since the fuzzer cannot
// sign.
#include "aws/chunked_body.h"

using namespace integreat;
using namespace integreat::aws;

namespace {

struct Decoded {
    std::string bytes;
    bool finished = false;
    bool failed = false;
    std::vector<std::pair<std::string, std::string>> trailers;

    friend bool operator==(const Decoded&, const Decoded&) = default;
};

Decoded decode(std::string_view body, ChunkedBodyFormat format, std::uint64_t length,
               std::size_t buffer_bytes) {
    ChunkedBodyDecoder chunks(
        format, length, {.signing_key = {}, .seed = std::string(64, '0'), .timestamp = "t", .scope = "s"});
    Decoded decoded;
    while (!body.empty() && !chunks.error()) {
        auto part = body.substr(0, buffer_bytes);
        body.remove_prefix(part.size());
        for (auto payload = chunks.decode(part); !payload.empty(); payload = chunks.decode(part))
            decoded.bytes += payload;
    }
    decoded.finished = chunks.finished() && !chunks.error();
    decoded.failed = chunks.error().has_value();
    if (decoded.finished) decoded.trailers = chunks.trailers();
    ASSERT(decoded.bytes.size() <= length);
    ASSERT(!decoded.finished || decoded.bytes.size() == length);
    return decoded;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    if (size < 3) return 0;
    auto format = static_cast<ChunkedBodyFormat>(bytes[0] % 3);
    std::string_view body(reinterpret_cast<const char*>(bytes) + 3, size - 3);
    auto whole = decode(body, format, bytes[2], body.size() + 1);
    auto split = decode(body, format, bytes[2], 1 + bytes[1]);
    ASSERT(whole == split);
    if (format != ChunkedBodyFormat::unsigned_chunks_with_trailer) ASSERT(!whole.finished);
    return 0;
}
