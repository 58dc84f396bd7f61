// SPDX-License-Identifier: Apache-2.0
#include "net/server/server.h"

#include "net/testing/test_server.h"

namespace integreat::net {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view get_with_query = "GET /a?b HTTP/1.1\r\nHost: h\r\n\r\n";

TEST_F(ServerTest, ServesConsecutiveRequestsOnOneConnection) {
    start();
    TestClient client(port());
    for (int i = 0; i < 3; ++i) {
        auto response = client.fetch(get_with_query);
        EXPECT_EQ(response.status, 200);
        EXPECT_EQ(response.body, "GET ");
        EXPECT_EQ(response.field("Target"), "/a?b");
        EXPECT_EQ(response.field("Connection"), "");
        EXPECT_EQ(response.field("Date").size(), 29u);
        EXPECT_TRUE(response.field("Date").ends_with(" GMT"));
    }
    auto records = finished(3);
    ASSERT_EQ(records.size(), 3u);
    EXPECT_EQ(records[2].target, "/a?b");
    EXPECT_EQ(records[2].summary.status, 200);
    EXPECT_EQ(records[2].summary.response_body_bytes, 4u);
    EXPECT_TRUE(records[2].summary.complete);
    EXPECT_GT(records[2].summary.duration.count(), 0);
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
    start();
    TestClient client(port());
    std::string bytes;
    for (int i = 0; i < 200; ++i) {
        auto target = "/" + std::to_string(i);
        bytes += "POST " + target + (i % 7 == 0 ? "?wait" : "") +
                 " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(target.size()) + "\r\n\r\n" +
                 target;
    }
    client.send(bytes);
    for (int i = 0; i < 200; ++i) {
        auto response = client.receive();
        ASSERT_EQ(response.status, 200) << i;
        EXPECT_EQ(response.body, "POST /" + std::to_string(i));
    }
}

TEST_F(ServerTest, KeepsTheOrderOfPipelinedBlockingRequests) {
    settings.blocking_threads = 3;
    start();
    TestClient client(port());
    std::string wait = "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n";
    client.send(wait + std::string(get_with_query) + wait + std::string(get_with_query));
    for (std::string_view target : {"/wait", "/a?b", "/wait", "/a?b"}) {
        EXPECT_EQ(client.receive().field("Target"), target);
    }
}

TEST_F(ServerTest, ClosesTheConnectionOnRequest) {
    start();
    TestClient client(port());
    auto response = client.fetch("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(response.field("Connection"), "close");
    EXPECT_TRUE(client.at_end());
}

TEST_F(ServerTest, ServesHttp10) {
    start();
    TestClient once(port());
    EXPECT_EQ(once.fetch("GET / HTTP/1.0\r\n\r\n").field("Connection"), "close");
    EXPECT_TRUE(once.at_end());

    TestClient kept(port());
    for (int i = 0; i < 2; ++i) {
        auto response = kept.fetch("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        EXPECT_EQ(response.status, 200);
        EXPECT_EQ(response.field("Connection"), "keep-alive");
    }
}

TEST_F(ServerTest, SendsNoBodyForHeadAndBodilessStatuses) {
    application.handle = [](const http::Request& request, http::RequestContext&) -> http::Response {
        return http::FullResponse{.status = request.path() == "/none" ? 204 : 200, .body = "12345"};
    };
    start();
    TestClient client(port());
    client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(client.receive(true).field("Content-Length"), "5");
    auto none = client.fetch("GET /none HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(none.status, 204);
    EXPECT_EQ(none.field("Content-Length"), "");
    EXPECT_EQ(client.fetch(get_with_query).body, "12345");
}

TEST_F(ServerTest, ReadsChunkedBodies) {
    start();
    TestClient client(port());
    std::string head = "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    EXPECT_EQ(client.fetch(head + "5\r\nhello\r\n7;x=y\r\n, world\r\n0\r\nT: t\r\n\r\n").body,
              "PUT hello, world");
    client.send(head + "5\r\nhel");
    client.send("lo\r\n0\r");
    client.send("\n\r\n" + std::string(get_with_query));
    EXPECT_EQ(client.receive().body, "PUT hello");
    EXPECT_EQ(client.receive().body, "GET ");
    EXPECT_EQ(finished(3)[1].summary.request_body_bytes, 5u);
}

TEST_F(ServerTest, Sends100ContinueBeforeReadingABody) {
    start();
    TestClient client(port());
    std::string head = "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
    client.send(head);
    EXPECT_EQ(client.receive().status, 100);
    EXPECT_EQ(client.fetch("hello").body, "POST hello");
    // A body sent without waiting needs no 100 Continue.
    EXPECT_EQ(client.fetch(head + "hello").body, "POST hello");
}

TEST_F(ServerTest, SendsNo100ContinueForAnUnusedBody) {
    start();
    TestClient early(port());
    auto response =
        early.fetch("POST /direct HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.field("Connection"),
              "close");  // The client may or may not send the body, so the next bytes are ambiguous.

    TestClient large(port());
    EXPECT_EQ(
        large.fetch("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n")
            .status,
        413);
}

TEST_F(ServerTest, DiscardsSmallUnusedBodies) {
    start();
    TestClient client(port());
    client.send("POST /direct HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nGE");
    EXPECT_EQ(client.receive().body, "direct");
    EXPECT_EQ(client.fetch("T /x\n" + std::string(get_with_query)).status,
              400);  // "/x\n" is not a valid head: the body had one byte too many.

    TestClient exact(port());
    exact.send("POST /direct HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nGE");
    EXPECT_EQ(exact.receive().body, "direct");
    EXPECT_EQ(exact.fetch("T /x" + std::string(get_with_query)).body, "GET ");
}

TEST_F(ServerTest, RejectsBodiesOverTheLimitOfTheRoute) {
    start();
    TestClient client(port());
    auto response = client.fetch("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n");
    EXPECT_EQ(response.status, 413);
    EXPECT_NE(response.body.find("At most 1000 bytes"), std::string::npos);

    TestClient chunked(port());
    std::string kilobyte(500, 'x');
    std::string chunk = "1f4\r\n" + kilobyte + "\r\n";
    response = chunked.fetch("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk +
                             chunk + "1\r\nx\r\n");
    EXPECT_EQ(response.status, 413);
    EXPECT_EQ(response.field("Connection"), "close");
    EXPECT_TRUE(chunked.at_end());
    EXPECT_EQ(finished(2)[1].type, "body-too-large");
}

TEST_F(ServerTest, LetsAClientReadTheErrorWhileItIsStillSending) {
    start();
    TestClient client(port());
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n" + std::string(200'000, 'x'));
    EXPECT_EQ(client.receive().status, 413);
    EXPECT_TRUE(client.at_end());  // Ended without a reset.
}

TEST_F(ServerTest, SendsLargeResponsesToSlowClients) {
    std::string large(20'000'000, 'x');
    application.handle = [&](const http::Request&, http::RequestContext&) -> http::Response {
        return http::FullResponse{.body = large};
    };
    start();
    TestClient client(port());
    auto response = client.fetch(std::string(get_with_query) + std::string(get_with_query));
    EXPECT_EQ(response.body.size(), large.size());
    EXPECT_EQ(client.receive().body, large);
}

TEST_F(ServerTest, ReportsDisconnectedClientsToTheApplication) {
    application.handle = [&](const http::Request&, http::RequestContext&) -> http::Response {
        return http::FullResponse{.body = std::string(20'000'000, 'x')};
    };
    start();
    {
        TestClient client(port());
        client.send(get_with_query);
        EXPECT_NE(recv(client.socket(), std::string(1, '.').data(), 1, 0), 0);
    }
    auto records = finished(1);
    ASSERT_EQ(records.size(), 1u);
    EXPECT_FALSE(records[0].summary.complete);

    { TestClient(port()).send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab"); }
    EXPECT_FALSE(finished(2)[1].summary.complete);
}

TEST_F(ServerTest, WritesTheContextsFieldsWithEveryResponse) {
    application.handle = [](const http::Request&, http::RequestContext& context) -> http::Response {
        context.response_headers.add("Integreat-Request-Id", "req_1");
        return http::FullResponse{
            .headers = {{"Content-Length", "999"}, {"Bad", "a\r\nInjected: b"}, {"Good", "c"}}, .body = "ok"};
    };
    start();
    auto response = TestClient(port()).fetch(get_with_query);
    EXPECT_EQ(response.field("Integreat-Request-Id"), "req_1");
    EXPECT_EQ(response.field("Content-Length"), "2");
    EXPECT_EQ(response.field("Good"), "c");
    EXPECT_EQ(response.head.find("Injected"), std::string::npos);
}

TEST_F(ServerTest, RespondsWith500WhenTheApplicationThrows) {
    application.handle = [](const http::Request&, http::RequestContext&) -> http::Response {
        throw std::runtime_error("a bug");
    };
    start();
    TestClient client(port());
    EXPECT_EQ(client.fetch(get_with_query).status, 500);
    EXPECT_EQ(client.fetch("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n").status, 500);
    EXPECT_EQ(finished(2)[0].type, "internal");
}

TEST_F(ServerTest, ServesOnSeveralThreadsBehindOnePort) {
    settings.threads = 4;
    start();
    std::vector<std::unique_ptr<TestClient>> clients;
    for (int i = 0; i < 32; ++i)
        clients.push_back(std::make_unique<TestClient>(port()));
    for (int round = 0; round < 3; ++round) {
        for (auto& client : clients)
            client->send(get_with_query);
        for (auto& client : clients)
            EXPECT_EQ(client->receive().status, 200);
    }
    EXPECT_EQ(finished(96).size(), 96u);
}

TEST_F(ServerTest, ReportsWhyItCannotStart) {
    start();
    auto invalid = settings;
    invalid.address = "192.0.2.1";  // TEST-NET-1: never a local address.
    auto failed = Server::start(invalid, application, upstreams, registry, clock);
    ASSERT_FALSE(failed);
    EXPECT_NE(failed.error().message.find("cannot listen on 192.0.2.1 port 0"), std::string::npos);

    invalid.address = "localhost";
    failed = Server::start(invalid, application, upstreams, registry, clock);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().message, "\"localhost\" is not an IP address to listen on");
}

TEST_F(ServerTest, NamesTheProcessThatListensOnItsPort) {
    start();
    auto second = settings;
    second.port = port();
    auto failed = Server::start(second, application, upstreams, registry, clock);
    ASSERT_FALSE(failed);
    std::string holder = "(process " + std::to_string(::getpid()) + ") listens there; stop it";
    EXPECT_NE(failed.error().message.find(holder), std::string::npos) << failed.error().message;
}

}  // namespace
}  // namespace integreat::net
