// SPDX-License-Identifier: Apache-2.0
// The reverse proxy with a well-behaved upstream and client.
#include "net/proxy/reverse_proxy.h"

#include "net/testing/reverse_proxy_fixture.h"

namespace integreat::net {

namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string get_path = "GET /a?b=c HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n\r\n";
const std::string dated_response = "HTTP/1.1 200 OK\r\nDate: d\r\nContent-Length: 2\r\n\r\nok";

// Decodes the chunked body of a response; the result begins with "broken" if the last chunk is missing.
std::string unchunk(std::string_view response) {
    auto body = response.substr(response.find("\r\n\r\n") + 4);
    ChunkedDecoder decoder;
    std::string text;
    while (!body.empty() && !decoder.finished() && decoder.error().empty())
        text += decoder.decode(body);
    return decoder.finished() && body.empty() ? text : "broken: " + text;
}

std::string pattern(std::size_t size) {
    std::string text;
    while (text.size() < size)
        text.append(std::to_string(text.size())).append(" ");
    text.resize(size);
    return text;
}

TEST_F(ReverseProxyTest, ForwardsOnlyEndToEndFieldsToTheUpstream) {
    std::string received;
    start([&](TestConnection& connection) {
        received = connection.read_head();
        connection.send(dated_response);
    });
    auto response = fetch(
        "GET /a?b=c HTTP/1.1\r\nHost: api.example\r\nX-Kept: 1\r\nX-Forwarded-For: 6.6.6.6\r\nX-Named: 2\r\n"
        "TE: trailers\r\nProxy-Authorization: x\r\nKeep-Alive: 1\r\nUpgrade: h2c\r\nForwarded: for=x\r\n"
        "Connection: close, X-Named, upgrade\r\n\r\n");
    EXPECT_THAT(received, StartsWith("GET /base/a?b=c HTTP/1.1\r\nHost: 127.0.0.1:"));
    EXPECT_THAT(received, HasSubstr("\r\nX-Kept: 1\r\n"));
    EXPECT_THAT(received, HasSubstr("\r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\n"
                                    "X-Forwarded-Host: api.example\r\n"));
    for (const auto* name : {"6.6.6.6", "X-Named", "TE:", "Proxy-", "Keep-Alive", "Upgrade",
                             "Forwarded: ", "Connection", "Content-Length"}) {
        EXPECT_THAT(received, Not(HasSubstr(name)));
    }
    EXPECT_EQ(response,
              "HTTP/1.1 200 OK\r\nDate: d\r\nIntegreat-Request-Id: req_1\r\nContent-Length: 2\r\n"
              "Connection: close\r\n\r\nok");
}

TEST_F(ReverseProxyTest, ReplacesTheUpstreamsFieldsWithTheGatewaysFields) {
    response_headers.add("Access-Control-Allow-Origin", "https://campus.example");
    response_headers.add("Vary", "Origin");
    response_headers.add("X-Bad", "a\r\nX-Injected: b");
    start([&](TestConnection& connection) {
        connection.read_head();
        connection.send(
            "HTTP/1.1 200 Fine\r\naccess-control-allow-origin: *\r\nVary: Accept\r\nServer: x\r\nKeep-Alive: "
            "timeout=5\r\nContent-Length: 0\r\n\r\n");
    });
    auto response = fetch(get_path);
    EXPECT_THAT(response,
                StartsWith("HTTP/1.1 200 Fine\r\nVary: Accept\r\nServer: x\r\nIntegreat-Request-Id: req_1\r\n"
                           "Access-Control-Allow-Origin: https://campus.example\r\nVary: Origin\r\nDate: "));
    EXPECT_THAT(response, Not(HasSubstr("X-Injected")));
    EXPECT_THAT(response, Not(HasSubstr("Keep-Alive")));
}

TEST_F(ReverseProxyTest, RemovesCorsFieldsOfTheUpstream) {
    start([&](TestConnection& connection) {
        connection.read_head();
        connection.send(
            "HTTP/1.1 200 Fine\r\nAccess-Control-Allow-Origin: *\r\naccess-control-allow-credentials: "
            "true\r\n"
            "Access-Control-Expose-Headers: *\r\nAccess: x\r\nContent-Length: 0\r\n\r\n");
    });
    auto response = fetch(get_path);
    EXPECT_THAT(response,
                StartsWith("HTTP/1.1 200 Fine\r\nAccess: x\r\nIntegreat-Request-Id: req_1\r\nDate: "));
    EXPECT_THAT(response, Not(HasSubstr("ontrol-")));
}

TEST_F(ReverseProxyTest, ReusesConnectionsOnBothSides) {
    start([&](TestConnection& connection) {
        while (!connection.read_head().empty())
            connection.send(dated_response);
    });
    TestConnection client(connect());
    for (int i = 0; i < 5; ++i) {
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        EXPECT_THAT(client.read_until("\r\n\r\nok"), EndsWith("\r\n\r\nok"));
    }
    EXPECT_EQ(server->accepted(), 1);
    auto health = upstreams.health(clock.monotonic());
    ASSERT_EQ(health.size(), 1u);
    EXPECT_EQ(health[0].name, "portal");
    EXPECT_EQ(health[0].connections, 1);
    EXPECT_EQ(health[0].state, CircuitBreaker::State::closed);
}

TEST_F(ReverseProxyTest, ForwardsABodyWithContentLength) {
    std::string received;
    start([&](TestConnection& connection) {
        received = connection.read_head();
        received += connection.read(5);
        connection.send(dated_response);
    });
    EXPECT_THAT(fetch("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"),
                EndsWith("ok"));
    EXPECT_THAT(received, HasSubstr("\r\nContent-Length: 5\r\n"));
    EXPECT_THAT(received, EndsWith("\r\n\r\nhello"));
    EXPECT_EQ(last_result().outcome.request_body_bytes, 5u);
    EXPECT_EQ(last_result().outcome.response_body_bytes, 2u);
}

TEST_F(ReverseProxyTest, SendsContentLengthZeroForAPostWithoutBody) {
    std::string received;
    start([&](TestConnection& connection) {
        received = connection.read_head();
        connection.send(dated_response);
    });
    fetch("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(received, HasSubstr("\r\nContent-Length: 0\r\n"));
}

TEST_F(ReverseProxyTest, StreamsALongBodyWithContentLength) {
    auto body = pattern(3'000'000);
    std::string received;
    start([&](TestConnection& connection) {
        connection.read_head();
        received = connection.read(body.size());
        connection.send(dated_response);
    });
    TestConnection client(connect());
    client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\nConnection: close\r\n\r\n");
    client.send(body);
    EXPECT_THAT(client.read_all(), EndsWith("\r\n\r\nok"));
    EXPECT_TRUE(received == body);
}

TEST_F(ReverseProxyTest, StreamsAChunkedBody) {
    auto body = pattern(300'000);
    std::string received;
    start([&](TestConnection& connection) {
        auto head = connection.read_head();
        EXPECT_THAT(head, HasSubstr("\r\nTransfer-Encoding: chunked\r\n"));
        received = connection.read_until("0\r\n\r\n");
        connection.send(dated_response);
    });
    TestConnection client(connect());
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
    for (std::size_t at = 0; at < body.size(); at += 10'000)
        client.send("2710\r\n" + body.substr(at, 10'000) + "\r\n");
    client.send("0\r\n\r\n");
    EXPECT_THAT(client.read_all(), EndsWith("\r\n\r\nok"));
    EXPECT_TRUE(unchunk("\r\n\r\n" + received) == body);
}

TEST_F(ReverseProxyTest, Sends100ContinueToTheClient) {
    start([&](TestConnection& connection) {
        auto head = connection.read_head();
        EXPECT_THAT(head, Not(HasSubstr("Expect")));
        EXPECT_EQ(connection.read(5), "hello");
        connection.send("HTTP/1.1 100 Continue\r\n\r\n" + dated_response);
    });
    TestConnection client(connect());
    client.send(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\nConnection: "
        "close\r\n\r\n");
    EXPECT_EQ(client.read_head(), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("hello");
    EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(ReverseProxyTest, DropsInterimResponses) {
    start([&](TestConnection& connection) {
        connection.read_head();
        connection.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" +
                        dated_response);
    });
    auto response = fetch(get_path);
    EXPECT_THAT(response, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(response, Not(HasSubstr("Link")));
}

TEST_F(ReverseProxyTest, ReframesChunksAndDropsTrailers) {
    start([&](TestConnection& connection) {
        connection.read_head();
        connection.send(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n"
            "5;ext=1\r\nhello\r\n7\r\n, world\r\n0\r\nX-T: 1\r\n\r\n");
    });
    auto response = fetch(get_path);
    EXPECT_THAT(response, EndsWith("\r\n\r\nc\r\nhello, world\r\n0\r\n\r\n"));
    EXPECT_THAT(response, HasSubstr("\r\nTransfer-Encoding: chunked\r\n"));
    EXPECT_THAT(response, Not(HasSubstr("X-T")));
}

TEST_F(ReverseProxyTest, StreamsLongResponsesOfEachFraming) {
    auto body = pattern(3'000'000);
    start([&](TestConnection& connection) {
        for (std::string head; !(head = connection.read_head()).empty();) {
            if (head.find("/length") != std::string::npos) {
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + body);
            } else if (head.find("/chunked") != std::string::npos) {
                connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
                for (std::size_t at = 0; at < body.size(); at += 100'000) {
                    connection.send("186a0\r\n" + body.substr(at, 100'000) + "\r\n");
                }
                connection.send("0\r\n\r\n");
            } else {
                connection.send("HTTP/1.1 200 OK\r\n\r\n" + body);
                return;
            }
        }
    });
    auto fetch_path = [&](const std::string& path) {
        return fetch("GET " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    };
    EXPECT_TRUE(fetch_path("/length").ends_with("\r\n\r\n" + body));
    EXPECT_TRUE(unchunk(fetch_path("/chunked")) == body);
    EXPECT_TRUE(unchunk(fetch_path("/close")) == body);
    auto old = fetch("GET /chunked HTTP/1.0\r\n\r\n");
    EXPECT_TRUE(old.ends_with("\r\n\r\n" + body)) << "a client of HTTP/1.0 knows no chunks";
    EXPECT_THAT(old.substr(0, 200), HasSubstr("Connection: close\r\n"));
}

TEST_F(ReverseProxyTest, CoalescesManySmallChunks) {
    start([&](TestConnection& connection) {
        connection.read_head();
        std::string all = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        for (int i = 0; i < 20'000; ++i)
            all += "1\r\na\r\n";
        connection.send(all + "0\r\n\r\n");
    });
    auto response = fetch(get_path);
    EXPECT_EQ(unchunk(response), std::string(20'000, 'a'));
    EXPECT_LT(response.size(), 21'000u);
}

TEST_F(ReverseProxyTest, ForwardsResponsesWithoutBody) {
    start([&](TestConnection& connection) {
        for (std::string head; !(head = connection.read_head()).empty();) {
            if (head.starts_with("HEAD")) connection.send("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n");
            if (head.starts_with("DELETE")) connection.send("HTTP/1.1 204 No Content\r\n\r\n");
            if (head.starts_with("GET")) connection.send("HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\n");
        }
    });
    TestConnection client(connect());
    client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_THAT(client.read_head(), HasSubstr("\r\nContent-Length: 99\r\n"));
    client.send("DELETE / HTTP/1.1\r\nHost: a\r\n\r\n");
    auto deleted = client.read_head();
    EXPECT_THAT(deleted, StartsWith("HTTP/1.1 204 No Content\r\n"));
    EXPECT_THAT(deleted, Not(HasSubstr("Content-Length")));
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_THAT(client.read_head(), StartsWith("HTTP/1.1 304 Not Modified\r\n"));
    EXPECT_EQ(server->accepted(), 1);
}

TEST_F(ReverseProxyTest, ForwardsEventsAsTheyArrive) {
    std::atomic<bool> first_arrived{false};
    start([&](TestConnection& connection) {
        connection.read_head();
        connection.send(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n\r\ndata: "
            "1\n\n");
        while (!first_arrived)
            std::this_thread::yield();
        connection.send("data: 2\n\n");
    });
    TestConnection client(connect());
    client.send(get_path);
    EXPECT_THAT(client.read_until("data: 1\n\n"), EndsWith("data: 1\n\n"));
    first_arrived = true;
    EXPECT_THAT(client.read_until("data: 2\n\n"), EndsWith("data: 2\n\n"));
    EXPECT_EQ(client.read_all(), "\r\n0\r\n\r\n");
}

TEST_F(ReverseProxyTest, TunnelsAWebSocketAndItsHalfClose) {
    start([&](TestConnection& connection) {
        auto head = connection.read_head();
        EXPECT_THAT(head, HasSubstr("\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"));
        EXPECT_THAT(head, HasSubstr("\r\nSec-WebSocket-Key: k\r\n"));
        connection.send(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Accept: v\r\n\r\nhello");
        while (true) {
            auto frame = connection.read(4);
            if (frame.size() < 4) break;
            connection.send(frame);
        }
        connection.send("bye");
    });
    TestConnection client(connect());
    client.send(
        "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
        "Sec-WebSocket-Key: k\r\nSec-WebSocket-Version: 13\r\n\r\nsent");
    auto head = client.read_head();
    EXPECT_THAT(head, StartsWith("HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: v\r\n"));
    EXPECT_THAT(head, EndsWith("Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"));
    EXPECT_EQ(client.read(9), "hellosent");
    client.send("ping");
    EXPECT_EQ(client.read(4), "ping");
    client.finish_sending();
    EXPECT_EQ(client.read_all(), "bye");
    EXPECT_TRUE(last_result().outcome.complete);
    EXPECT_EQ(last_result().outcome.request_body_bytes, 8u);
    EXPECT_EQ(last_result().outcome.response_body_bytes, 5u + 8u + 3u);
}

TEST_F(ReverseProxyTest, RespondsWhileTheBodyIsStillArriving) {
    start([&](TestConnection& connection) {
        connection.read_head();
        connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (int i = 0; i < 3; ++i)
            connection.send("4\r\n" + connection.read(4) + "\r\n");
        connection.send("0\r\n\r\n");
    });
    TestConnection client(connect());
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\nping");
    EXPECT_THAT(client.read_until("ping"), EndsWith("4\r\nping"));
    client.send("pong");
    EXPECT_EQ(client.read_until("pong"), "\r\n4\r\npong");
    client.send("pung");
    EXPECT_THAT(client.read_all(), EndsWith("pung\r\n0\r\n\r\n"));
}

}  // namespace

}  // namespace integreat::net
