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

void respond_to_all(TestConnection& connection, const std::string& response) {
    while (connection.read_head().ends_with("\r\n\r\n"))
        connection.send(response);
}

TEST(CurlHttpClient, SendsMethodFieldsAndBodyAndReadsTheResponse) {
    std::string head;
    std::string body;
    LoopbackServer server([&](TestConnection& connection) {
        head = connection.read_head();
        body = connection.read(11);
        connection.send("HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\n");
        connection.send(
            "HTTP/1.1 201 Created\r\nX-Id:  7 \r\nSet-Cookie: a\r\nSet-Cookie: b\r\nContent-Length: "
            "2\r\n\r\nok");
    });
    CurlHttpClient client;
    auto response = client.fetch({.method = http::Method::put,
                                  .url = url(server, "/a?b=c"),
                                  .headers = {{"Content-Type", "text/plain"}, {"X-Empty", ""}},
                                  .body = std::string("hello\0world", 11)});
    ASSERT_TRUE(response) << response.error().cause;
    EXPECT_EQ(response->status, 201);
    EXPECT_EQ(response->body, "ok");
    EXPECT_EQ(response->headers.value("x-id"), "7");
    EXPECT_EQ(response->headers.count("Set-Cookie"), 2u);
    EXPECT_FALSE(response->headers.contains("X-Interim"));
    EXPECT_THAT(head, StartsWith("PUT /a?b=c HTTP/1.1\r\n"));
    EXPECT_THAT(head, HasSubstr("Content-Type: text/plain\r\n"));
    EXPECT_THAT(head, HasSubstr("X-Empty:\r\n"));
    EXPECT_THAT(head, testing::Not(HasSubstr("Expect")));
    EXPECT_EQ(body, std::string("hello\0world", 11));
}

TEST(CurlHttpClient, KeepsTheConnectionForTheNextCall) {
    LoopbackServer server([](TestConnection& connection) {
        respond_to_all(connection, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    CurlHttpClient client;
    for (int i = 0; i < 3; ++i)
        ASSERT_TRUE(client.fetch({.url = url(server)}));
    EXPECT_EQ(server.accepted(), 1);
}

TEST(CurlHttpClient, DoesNotFollowRedirects) {
    LoopbackServer server([](TestConnection& connection) {
        respond_to_all(connection, "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n");
    });
    CurlHttpClient client;
    auto response = client.fetch({.url = url(server)});
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 302);
    EXPECT_EQ(response->headers.value("Location"), "/elsewhere");
}

TEST(CurlHttpClient, ReportsNotSentWhenTheConnectionIsRefused) {
    std::uint16_t port = 0;
    {
        port = LoopbackServer([](TestConnection&) {}).port();
    }
    CurlHttpClient client;
    auto response = client.fetch({.url = "http://127.0.0.1:" + std::to_string(port)});
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().fault, Fault::unavailable);
    EXPECT_THAT(response.error().cause, StartsWith("not_sent: "));
}

TEST(CurlHttpClient, ReportsUnknownWithoutAResponse) {
    LoopbackServer server([](TestConnection& connection) { connection.read_head(); });
    CurlHttpClient client;
    auto response = client.fetch({.method = http::Method::post, .url = url(server), .body = "pay"});
    ASSERT_FALSE(response);
    EXPECT_THAT(response.error().cause, StartsWith("unknown: "));
}

TEST(CurlHttpClient, NeverSendsAPostTwice) {
    std::atomic<int> posts{0};
    LoopbackServer server([&](TestConnection& connection) {
        for (std::string head; (head = connection.read_head()).ends_with("\r\n\r\n");) {
            if (head.starts_with("POST")) {
                ++posts;
                return;  // As if the server crashed after processing the request.
            }
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        }
    });
    CurlHttpClient client;
    ASSERT_TRUE(client.fetch({.url = url(server)}));
    auto response = client.fetch({.method = http::Method::post, .url = url(server)});
    ASSERT_FALSE(response);
    EXPECT_THAT(response.error().cause, StartsWith("unknown: "));
    EXPECT_EQ(posts, 1);
}

TEST(CurlHttpClient, ReportsUnknownAfterATimeout) {
    LoopbackServer server([](TestConnection& connection) {
        connection.read_head();
        connection.read_all();
    });
    CurlHttpClient client;
    auto response = client.fetch({.method = http::Method::post, .url = url(server), .timeout = 100ms});
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().fault, Fault::unavailable);
    EXPECT_THAT(response.error().cause, StartsWith("unknown: "));
}

TEST(CurlHttpClient, RejectsResponsesOverTheLimit) {
    LoopbackServer server([](TestConnection& connection) {
        respond_to_all(connection, "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world");
    });
    CurlHttpClient client;
    EXPECT_TRUE(client.fetch({.url = url(server), .response_bytes_max = 11}));
    auto response = client.fetch({.url = url(server), .response_bytes_max = 10});
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().cause, "unknown: the response is larger than allowed");
}

TEST(CurlHttpClient, SupportsOnlyHttp) {
    CurlHttpClient client;
    for (const auto* text :
         {"file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "http://", ""}) {
        auto response = client.fetch({.url = text});
        ASSERT_FALSE(response) << text;
        EXPECT_THAT(response.error().cause, StartsWith("not_sent: ")) << text;
    }
}

TEST(CurlHttpClient, RejectsFieldsWithLineBreaks) {
    CurlHttpClient client;
    auto response = client.fetch({.url = "http://127.0.0.1:1/", .headers = {{"X-A", "b\r\nX-C: d"}}});
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().fault, Fault::invalid);
    EXPECT_EQ(response.error().cause, "not_sent: header field \"X-A\"");
}

TEST(CurlHttpClient, QueuesCallsOverTheLimitWithinTheirTimeout) {
    LoopbackServer server([](TestConnection& connection) {
        connection.read_head();
        connection.read_all();  // Does not respond before the caller gives up.
    });
    CurlHttpClient client(1);
    std::thread first([&] { EXPECT_FALSE(client.fetch({.url = url(server), .timeout = 1'000ms})); });
    while (server.accepted() == 0)
        std::this_thread::yield();
    auto second = client.fetch({.url = url(server), .timeout = 50ms});
    first.join();
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().cause, "not_sent: too many concurrent calls");
}

TEST(CurlHttpClient, MayBeCalledFromManyThreads) {
    LoopbackServer server([](TestConnection& connection) {
        respond_to_all(connection, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
    CurlHttpClient client(4);
    std::atomic<int> responses{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&] {
            for (int call = 0; call < 10; ++call) {
                if (auto response = client.fetch({.url = url(server)}); response && response->body == "ok")
                    ++responses;
            }
        });
    }
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(responses, 80);
    EXPECT_LE(server.accepted(), 4);
}

}  // namespace

}  // namespace integreat::net
