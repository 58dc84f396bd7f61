// SPDX-License-Identifier: Apache-2.0
#include "gateway/docs/shared_document.h"

#include <gtest/gtest.h>
#include <zlib.h>

namespace integreat::gateway {
namespace {

std::string decompress(std::string bytes) {
    z_stream stream{};
    EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
    std::string text(1'000'000, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(bytes.data());
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(text.data());
    stream.avail_out = static_cast<uInt>(text.size());
    EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
    text.resize(stream.total_out);
    inflateEnd(&stream);
    return text;
}

http::FullResponse respond(const SharedDocument& document, http::Headers headers) {
    return make_document_response(document, {.headers = std::move(headers)},
                                  {{"Content-Type", "text/plain"}});
}

const std::string text(100'000, 'x');

TEST(SharedDocument, IsSentWithoutACopy) {
    auto document = make_shared_document(text);
    auto first = respond(document, {}), second = respond(document, {});
    EXPECT_EQ(first.bytes(), text);
    EXPECT_TRUE(first.body.empty());
    EXPECT_EQ(first.shared_body.get(), second.shared_body.get());
}

TEST(SharedDocument, IsCompressedForClientsThatAcceptIt) {
    auto document = make_shared_document(text);
    for (const char* accepted : {"gzip", "br, gzip;q=0.5", "GZIP", "*", "deflate;q=0, *;q=0.1"}) {
        auto response = respond(document, {{"Accept-Encoding", accepted}});
        EXPECT_EQ(response.headers.value("Content-Encoding"), "gzip") << accepted;
        EXPECT_EQ(response.headers.value("Vary"), "Accept-Encoding");
        EXPECT_LT(response.bytes().size(), text.size() / 10);
        EXPECT_EQ(decompress(std::string(response.bytes())), text);
    }
    for (const char* accepted : {"br", "gzip;q=0", "identity", "*, gzip;q=0", "*;q=0", ""}) {
        auto response = respond(document, {{"Accept-Encoding", accepted}});
        EXPECT_FALSE(response.headers.contains("Content-Encoding")) << accepted;
        EXPECT_EQ(response.bytes(), text);
    }
}

TEST(SharedDocument, IsRevalidatedByAnETagPerCoding) {
    auto document = make_shared_document(text);
    std::string plain(respond(document, {}).headers.value("ETag"));
    std::string gzip(respond(document, {{"Accept-Encoding", "gzip"}}).headers.value("ETag"));
    EXPECT_NE(plain, gzip);
    for (const auto& sent : {plain, "W/" + plain, "\"other\", " + plain, std::string("*")}) {
        auto response = respond(document, {{"If-None-Match", sent}});
        EXPECT_EQ(response.status, 304) << sent;
        EXPECT_EQ(response.headers.value("ETag"), plain);
        EXPECT_TRUE(response.bytes().empty());
    }
    EXPECT_EQ(respond(document, {{"If-None-Match", gzip}}).status, 200) << "the ETag of the other coding";
    EXPECT_NE(respond(make_shared_document("other"), {}).headers.value("ETag"), plain);
}

TEST(DocumentCache, RendersOncePerGeneration) {
    DocumentCache cache;
    int rendered = 0;
    auto render = [&] { return std::to_string(++rendered); };
    EXPECT_FALSE(cache.find(1));
    EXPECT_EQ(*cache.render(1, render).identity, "1");
    EXPECT_EQ(*cache.find(1)->identity, "1");
    EXPECT_FALSE(cache.find(2));
    EXPECT_EQ(*cache.render(2, render).identity, "2");
}

}  // namespace
}  // namespace integreat::gateway
