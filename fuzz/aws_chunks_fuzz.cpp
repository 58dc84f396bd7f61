// SPDX-License-Identifier: Apache-2.0
// Any bytes as an aws-chunked body; the first byte chooses the form, the second how it is cut. However it is
// cut, the same is decoded and the same is wrong; a signed body is never finished: nobody here can sign.
#include "aws/chunked_body.h"

using namespace integreat::crypto;

namespace {

struct Decoded {
    std::string bytes;
    bool finished = false;
    bool wrong = false;
    std::vector<std::pair<std::string, std::string>> trailers;

    friend bool operator==(const Decoded&, const Decoded&) = default;
};

Decoded decode(std::string_view body, AwsChunksForm form, std::uint64_t length, std::size_t at_once) {
    AwsChunks chunks(form, length,
                     {.signing_key = {}, .seed = std::string(64, '0'), .timestamp = "t", .scope = "s"});
    Decoded decoded;
    while (!body.empty() && !chunks.mistake()) {
        auto part = body.substr(0, at_once);
        body.remove_prefix(part.size());
        for (auto piece = chunks.take(part); !piece.empty(); piece = chunks.take(part))
            decoded.bytes += piece;
    }
    decoded.finished = chunks.finished() && !chunks.mistake();
    decoded.wrong = chunks.mistake().has_value();
    if (decoded.finished) decoded.trailers = chunks.trailers();
    ASSERT(decoded.bytes.size() <= length);
    ASSERT(!decoded.finished || decoded.bytes.size() == length);
    return decoded;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    if (size < 3) return 0;
    auto form = static_cast<AwsChunksForm>(bytes[0] % 3);
    std::string_view body(reinterpret_cast<const char*>(bytes) + 3, size - 3);
    auto whole = decode(body, form, bytes[2], body.size() + 1);
    auto cut = decode(body, form, bytes[2], 1 + bytes[1]);
    ASSERT(whole == cut);
    if (form != AwsChunksForm::unsigned_chunks_with_trailer) ASSERT(!whole.finished);
    return 0;
}
