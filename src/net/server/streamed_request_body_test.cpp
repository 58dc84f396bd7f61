// SPDX-License-Identifier: Apache-2.0
// Bodies that the application consumes piece by piece.
#include <memory>

#include "net/testing/test_server.h"

namespace integreat::net {
namespace {

struct Consumed {
    std::string bytes;
    int pieces = 0;
    bool may_wait = true;
    bool whole = false;
};

class StreamBodyTest : public ServerTest {
protected:
    StreamBodyTest() {
        settings.body_bytes_max = 64 * 1024 * 1024;
        application.admit = [this](const http::Request& request, http::Call& call) -> http::Admission {
            auto ended = std::shared_ptr<void>(nullptr, [this](void*) { gone_.fetch_add(1); });
            auto refuse_at = request.path() == "/early" ? 1 : 0;
            return http::StreamBody{
                .bytes_max = bytes_max,
                .consume = [this, ended, refuse_at, &call](std::string_view piece,
                                                           bool last) -> std::optional<http::Response> {
                    auto consumed = consumed_.lock();
                    consumed->bytes += piece;
                    consumed->may_wait = consumed->may_wait && call.may_wait;
                    consumed->whole = last;
                    if (++consumed->pieces == refuse_at) return http::Reply{.status = 403, .body = "no"};
                    if (!last) return std::nullopt;
                    return http::Reply{.body = std::to_string(consumed->bytes.size())};
                }};
        };
    }
    Consumed consumed() { return *consumed_.lock(); }
    // A consumer is gone before its request is reported as finished.
    void expect_gone(std::size_t count) {
        finished(count);
        EXPECT_EQ(gone_.load(), static_cast<int>(count));
    }

    std::uint64_t bytes_max = 32 * 1024 * 1024;
    Guarded<Consumed> consumed_;
    std::atomic<int> gone_{0};
};

std::string put(std::string_view path, std::size_t length) {
    return "PUT " + std::string(path) + " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(length) +
           "\r\n\r\n";
}

TEST_F(StreamBodyTest, HandsALargeBodyOverInOrderInPiecesOfBoundedSize) {
    start();
    std::string body;
    for (int i = 0; body.size() < 3'000'000; ++i)
        body += std::to_string(i) + ",";
    TestClient client(port());
    auto answer = client.ask(put("/", body.size()) + body);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, std::to_string(body.size()));
    EXPECT_EQ(consumed().bytes, body);
    EXPECT_GE(consumed().pieces, 10);
    EXPECT_TRUE(consumed().may_wait);
    expect_gone(1);
    EXPECT_EQ(client.ask(put("/", 0)).status, 200) << "the connection stays open";
}

TEST_F(StreamBodyTest, GivesASmallBodyInOnePiece) {
    start();
    EXPECT_EQ(TestClient(port()).ask(put("/", 2) + "ab").body, "2");
    EXPECT_EQ(consumed().pieces, 1);
    EXPECT_TRUE(consumed().whole);
}

TEST_F(StreamBodyTest, RemovesTheChunkedCoding) {
    start();
    auto answer = TestClient(port()).ask(
        "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    EXPECT_EQ(answer.body, "5");
    EXPECT_EQ(consumed().bytes, "abcde");
}

TEST_F(StreamBodyTest, EndsTheBodyWhereAnAnswerComesEarly) {
    start();
    TestClient client(port());
    auto answer = client.ask(put("/early", 20'000'000) + std::string(300'000, 'x'));
    EXPECT_EQ(answer.status, 403);
    EXPECT_FALSE(consumed().whole);
    EXPECT_EQ(answer.field("Connection"), "close");
    expect_gone(1);
}

TEST_F(StreamBodyTest, RefusesWhatIsTooLargeBeforeAndInTheMiddle) {
    bytes_max = 1'000'000;
    start();
    EXPECT_EQ(TestClient(port()).ask(put("/", 1'000'001)).status, 413);
    std::string chunked = "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (int i = 0; i < 11; ++i)
        chunked += "186a0\r\n" + std::string(100'000, 'x') + "\r\n";
    EXPECT_EQ(TestClient(port()).ask(chunked).status, 413);
    EXPECT_FALSE(consumed().whole);
    expect_gone(2);
}

TEST_F(StreamBodyTest, ForgetsTheConsumerWhenTheClientGoesAway) {
    start();
    {
        TestClient client(port());
        client.send(put("/", 2'000'000) + std::string(600'000, 'x'));
    }
    expect_gone(1);
    EXPECT_FALSE(consumed().whole);
    EXPECT_FALSE(finished(1)[0].outcome.complete);
}

}  // namespace
}  // namespace integreat::net
