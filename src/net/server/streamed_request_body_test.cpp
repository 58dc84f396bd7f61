// SPDX-License-Identifier: Apache-2.0
// Request bodies that the application consumes chunk by chunk.
#include <memory>

#include "net/testing/test_server.h"

namespace integreat::net {
namespace {

struct Consumed {
    std::string bytes;
    int chunks = 0;
    bool may_block = true;
    bool complete = false;
};

class StreamBodyTest : public ServerTest {
protected:
    StreamBodyTest() {
        settings.max_body_bytes = 64 * 1024 * 1024;
        application.admit = [this](const http::Request& request,
                                   http::RequestContext& context) -> http::Admission {
            auto guard = std::shared_ptr<void>(nullptr, [this](void*) { destroyed_.fetch_add(1); });
            auto reject_at = request.path() == "/early" ? 1 : 0;
            return http::StreamBody{
                .max_bytes = max_bytes,
                .consume = [this, guard, reject_at, &context](std::string_view chunk,
                                                              bool last) -> std::optional<http::Response> {
                    auto consumed = consumed_.lock();
                    consumed->bytes += chunk;
                    consumed->may_block = consumed->may_block && context.may_block;
                    consumed->complete = last;
                    if (++consumed->chunks == reject_at)
                        return http::FullResponse{.status = 403, .body = "no"};
                    if (!last) return std::nullopt;
                    return http::FullResponse{.body = std::to_string(consumed->bytes.size())};
                }};
        };
    }
    Consumed consumed() { return *consumed_.lock(); }
    // Checks that each consumer is destroyed before its request is reported as finished.
    void expect_destroyed(std::size_t count) {
        finished(count);
        EXPECT_EQ(destroyed_.load(), static_cast<int>(count));
    }

    std::uint64_t max_bytes = 32 * 1024 * 1024;
    Synchronized<Consumed> consumed_;
    std::atomic<int> destroyed_{0};
};

std::string put(std::string_view path, std::size_t length) {
    return "PUT " + std::string(path) + " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(length) +
           "\r\n\r\n";
}

TEST_F(StreamBodyTest, PassesALargeBodyInOrderInChunksOfBoundedSize) {
    start();
    std::string body;
    for (int i = 0; body.size() < 3'000'000; ++i)
        body += std::to_string(i) + ",";
    TestClient client(port());
    auto response = client.fetch(put("/", body.size()) + body);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, std::to_string(body.size()));
    EXPECT_EQ(consumed().bytes, body);
    EXPECT_GE(consumed().chunks, 10);
    EXPECT_TRUE(consumed().may_block);
    expect_destroyed(1);
    EXPECT_EQ(client.fetch(put("/", 0)).status, 200) << "the connection stays open";
}

TEST_F(StreamBodyTest, PassesASmallBodyInOneChunk) {
    start();
    EXPECT_EQ(TestClient(port()).fetch(put("/", 2) + "ab").body, "2");
    EXPECT_EQ(consumed().chunks, 1);
    EXPECT_TRUE(consumed().complete);
}

TEST_F(StreamBodyTest, RemovesTheChunkedCoding) {
    start();
    auto response = TestClient(port()).fetch(
        "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    EXPECT_EQ(response.body, "5");
    EXPECT_EQ(consumed().bytes, "abcde");
}

TEST_F(StreamBodyTest, StopsReadingTheBodyAfterAnEarlyResponse) {
    start();
    TestClient client(port());
    auto response = client.fetch(put("/early", 20'000'000) + std::string(300'000, 'x'));
    EXPECT_EQ(response.status, 403);
    EXPECT_FALSE(consumed().complete);
    EXPECT_EQ(response.field("Connection"), "close");
    expect_destroyed(1);
}

TEST_F(StreamBodyTest, RejectsALargeBodyBeforeAndDuringTheTransfer) {
    max_bytes = 1'000'000;
    start();
    EXPECT_EQ(TestClient(port()).fetch(put("/", 1'000'001)).status, 413);
    std::string chunked = "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (int i = 0; i < 11; ++i)
        chunked += "186a0\r\n" + std::string(100'000, 'x') + "\r\n";
    EXPECT_EQ(TestClient(port()).fetch(chunked).status, 413);
    EXPECT_FALSE(consumed().complete);
    expect_destroyed(2);
}

TEST_F(StreamBodyTest, DestroysTheConsumerWhenTheClientDisconnects) {
    start();
    {
        TestClient client(port());
        client.send(put("/", 2'000'000) + std::string(600'000, 'x'));
    }
    expect_destroyed(1);
    EXPECT_FALSE(consumed().complete);
    EXPECT_FALSE(finished(1)[0].summary.complete);
}

}  // namespace
}  // namespace integreat::net
