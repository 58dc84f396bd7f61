// SPDX-License-Identifier: Apache-2.0
#include "net/http1/chunked_decoder.h"

#include <string>

#include <gtest/gtest.h>

namespace integreat::net {
namespace {

struct Decoded {
    std::string body;
    std::string rest;
    std::string error;
    bool finished = false;
};

// Feeds `step` bytes at a time.
Decoded decode(std::string_view bytes, std::size_t step) {
    ChunkedDecoder decoder;
    Decoded decoded;
    std::string_view remaining = bytes;
    while (!remaining.empty() && !decoder.finished() && decoder.error().empty()) {
        auto fragment = remaining.substr(0, step);
        remaining.remove_prefix(fragment.size());
        while (!fragment.empty() && !decoder.finished() && decoder.error().empty()) {
            decoded.body.append(decoder.decode(fragment));
        }
        decoded.rest.assign(fragment);
    }
    decoded.rest.append(remaining);
    decoded.error = decoder.error();
    decoded.finished = decoder.finished();
    return decoded;
}

TEST(ChunkedDecoder, DecodesArbitraryFragments) {
    std::string_view bytes =
        "4\r\nWiki\r\n6;name=value\r\npedia \r\nB\r\nin \r\nchunks\r\n0\r\nTrailer: x\r\n\r\nGET /next";
    for (std::size_t step = 1; step <= bytes.size(); ++step) {
        auto decoded = decode(bytes, step);
        EXPECT_EQ(decoded.body, "Wikipedia in \r\nchunks") << step;
        EXPECT_TRUE(decoded.finished) << step;
        EXPECT_EQ(decoded.rest, "GET /next") << step;
    }
}

TEST(ChunkedDecoder, RejectsAmbiguousChunks) {
    struct Case {
        std::string bytes;
        std::string_view error;
    };
    for (const auto& [bytes, error] : std::initializer_list<Case>{
             {"\r\n", "does not begin with its size"},
             {"-1\r\n", "does not begin with its size"},
             {"0x5\r\nhello\r\n", "followed by something other than CR LF"},
             {"5 \r\nhello\r\n", "followed by something other than CR LF"},
             {"5\nhello", "followed by something other than CR LF"},
             {"5\rhello", "CR without LF"},
             {"0000000000000005\r\nhello\r\n", "too many digits"},
             {"FFFFFFFFFFFFFFFFF\r\n", "too many digits"},
             {"5\r\nhello!\r\n", "longer than its size"},
             {"5\r\nhello\n0\r\n\r\n", "longer than its size"},
             {"5\r\nhello\r0\r\n\r\n", "CR without LF"},
             {"5;a\nb\r\nhello\r\n", "extension has a control byte"},
             {"0\r\nTrailer: x\n\r\n", "trailer has a control byte or a bare LF"},
             {"0\r\n folded\r\n\r\n", "trailer does not begin with a name"},
             {"0\r\nTrailer: x\rY: z\r\n\r\n", "trailer has CR without LF"},
             {"0\r\n\rX", "last line of a chunked body has CR without LF"},
         }) {
        for (std::size_t step : {std::size_t{1}, bytes.size()}) {
            auto decoded = decode(bytes, step);
            EXPECT_NE(decoded.error.find(error), std::string::npos) << bytes << " → " << decoded.error;
            EXPECT_FALSE(decoded.finished) << bytes;
        }
    }
}

TEST(ChunkedDecoder, LimitsExtensionsAndTrailers) {
    std::string longest(ChunkedDecoder::extension_bytes_max, 'x');
    EXPECT_TRUE(decode("1;" + longest + "\r\na\r\n0\r\n\r\n", 7).finished);
    EXPECT_EQ(decode("1;" + longest + "x\r\na\r\n0\r\n\r\n", 7).error, "a chunk extension is too long");

    std::string many;
    for (std::size_t i = 0; i <= ChunkedDecoder::overhead_bytes_max / longest.size(); ++i) {
        many += "1;" + longest + "\r\na\r\n";
    }
    EXPECT_EQ(decode(many, many.size()).error, "chunk extensions and trailers are too long");

    std::string trailers = "0\r\nT: " + std::string(ChunkedDecoder::overhead_bytes_max, 't') + "\r\n\r\n";
    EXPECT_EQ(decode(trailers, 1000).error, "chunk extensions and trailers are too long");
}

}  // namespace
}  // namespace integreat::net
