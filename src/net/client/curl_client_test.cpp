// SPDX-License-Identifier: Apache-2.0
#include "net/client/curl_client.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/testing/loopback_server.h"

namespace integreat::net {

namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

std::string url(const LoopbackServer& server, const std::string& path = "/") {
    return "http://127.0.0.1:" + std::to_string(server.port()) + path;
}

void answer_all(Line& line, const std::string& answer) {
    while (line.read_head().ends_with("\r\n\r\n"))
        line.send(answer);
}

TEST(CurlOutbound, SendsMethodFieldsAndBodyAndReadsTheAnswer) {
    std::string head;
    std::string body;
    LoopbackServer server([&](Line& line) {
        head = line.read_head();
        body = line.read(11);
        line.send("HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\n");
        line.send(
            "HTTP/1.1 201 Created\r\nX-Id:  7 \r\nSet-Cookie: a\r\nSet-Cookie: b\r\nContent-Length: "
            "2\r\n\r\nok");
    });
    CurlOutbound outbound;
    auto reply = outbound.fetch({.method = http::Method::put,
                                 .url = url(server, "/a?b=c"),
                                 .headers = {{"Content-Type", "text/plain"}, {"X-Empty", ""}},
                                 .body = std::string("hello\0world", 11)});
    ASSERT_TRUE(reply) << reply.error().cause;
    EXPECT_EQ(reply->status, 201);
    EXPECT_EQ(reply->body, "ok");
    EXPECT_EQ(reply->headers.value("x-id"), "7");
    EXPECT_EQ(reply->headers.count("Set-Cookie"), 2u);
    EXPECT_FALSE(reply->headers.contains("X-Interim"));
    EXPECT_THAT(head, StartsWith("PUT /a?b=c HTTP/1.1\r\n"));
    EXPECT_THAT(head, HasSubstr("Content-Type: text/plain\r\n"));
    EXPECT_THAT(head, HasSubstr("X-Empty:\r\n"));
    EXPECT_THAT(head, testing::Not(HasSubstr("Expect")));
    EXPECT_EQ(body, std::string("hello\0world", 11));
}

TEST(CurlOutbound, KeepsTheConnectionForTheNextCall) {
    LoopbackServer server(
        [](Line& line) { answer_all(line, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"); });
    CurlOutbound outbound;
    for (int i = 0; i < 3; ++i)
        ASSERT_TRUE(outbound.fetch({.url = url(server)}));
    EXPECT_EQ(server.accepted(), 1);
}

TEST(CurlOutbound, DoesNotFollowRedirects) {
    LoopbackServer server([](Line& line) {
        answer_all(line, "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n");
    });
    CurlOutbound outbound;
    auto reply = outbound.fetch({.url = url(server)});
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->status, 302);
    EXPECT_EQ(reply->headers.value("Location"), "/elsewhere");
}

TEST(CurlOutbound, SaysNotSentWhenNobodyListens) {
    std::uint16_t port = 0;
    {
        port = LoopbackServer([](Line&) {}).port();
    }
    CurlOutbound outbound;
    auto reply = outbound.fetch({.url = "http://127.0.0.1:" + std::to_string(port)});
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().fault, Fault::unavailable);
    EXPECT_THAT(reply.error().cause, StartsWith("not_sent: "));
}

TEST(CurlOutbound, SaysUnknownWhenTheAnswerNeverCame) {
    LoopbackServer server([](Line& line) { line.read_head(); });
    CurlOutbound outbound;
    auto reply = outbound.fetch({.method = http::Method::post, .url = url(server), .body = "pay"});
    ASSERT_FALSE(reply);
    EXPECT_THAT(reply.error().cause, StartsWith("unknown: "));
}

TEST(CurlOutbound, NeverSendsAPostTwice) {
    std::atomic<int> posts{0};
    LoopbackServer server([&](Line& line) {
        for (std::string head; (head = line.read_head()).ends_with("\r\n\r\n");) {
            if (head.starts_with("POST")) {
                ++posts;
                return;  // As if it had died after the deed.
            }
            line.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        }
    });
    CurlOutbound outbound;
    ASSERT_TRUE(outbound.fetch({.url = url(server)}));
    auto reply = outbound.fetch({.method = http::Method::post, .url = url(server)});
    ASSERT_FALSE(reply);
    EXPECT_THAT(reply.error().cause, StartsWith("unknown: "));
    EXPECT_EQ(posts, 1);
}

TEST(CurlOutbound, SaysUnknownWhenTheTimeIsOver) {
    LoopbackServer server([](Line& line) {
        line.read_head();
        line.read_all();
    });
    CurlOutbound outbound;
    auto reply = outbound.fetch({.method = http::Method::post, .url = url(server), .timeout = 100ms});
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().fault, Fault::unavailable);
    EXPECT_THAT(reply.error().cause, StartsWith("unknown: "));
}

TEST(CurlOutbound, RefusesAnswersOverTheLimit) {
    LoopbackServer server(
        [](Line& line) { answer_all(line, "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world"); });
    CurlOutbound outbound;
    EXPECT_TRUE(outbound.fetch({.url = url(server), .response_bytes_max = 11}));
    auto reply = outbound.fetch({.url = url(server), .response_bytes_max = 10});
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().cause, "unknown: the answer is larger than allowed");
}

TEST(CurlOutbound, SpeaksOnlyHttp) {
    CurlOutbound outbound;
    for (const auto* text :
         {"file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "http://", ""}) {
        auto reply = outbound.fetch({.url = text});
        ASSERT_FALSE(reply) << text;
        EXPECT_THAT(reply.error().cause, StartsWith("not_sent: ")) << text;
    }
}

TEST(CurlOutbound, RefusesFieldsThatEndTheirLine) {
    CurlOutbound outbound;
    auto reply = outbound.fetch({.url = "http://127.0.0.1:1/", .headers = {{"X-A", "b\r\nX-C: d"}}});
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().fault, Fault::invalid);
    EXPECT_EQ(reply.error().cause, "not_sent: header field \"X-A\"");
}

TEST(CurlOutbound, MakesCallsBeyondTheLimitWaitWithinTheirTimeout) {
    LoopbackServer server([](Line& line) {
        line.read_head();
        line.read_all();  // Answers when the caller gave up.
    });
    CurlOutbound outbound(1);
    std::thread first([&] { EXPECT_FALSE(outbound.fetch({.url = url(server), .timeout = 1'000ms})); });
    while (server.accepted() == 0)
        std::this_thread::yield();
    auto second = outbound.fetch({.url = url(server), .timeout = 50ms});
    first.join();
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().cause, "not_sent: too many calls were under way");
}

TEST(CurlOutbound, MayBeCalledFromManyThreads) {
    LoopbackServer server(
        [](Line& line) { answer_all(line, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"); });
    CurlOutbound outbound(4);
    std::atomic<int> answered{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&] {
            for (int call = 0; call < 10; ++call) {
                if (auto reply = outbound.fetch({.url = url(server)}); reply && reply->body == "ok")
                    ++answered;
            }
        });
    }
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(answered, 80);
    EXPECT_LE(server.accepted(), 4);
}

}  // namespace

}  // namespace integreat::net
