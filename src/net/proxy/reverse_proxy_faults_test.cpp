// SPDX-License-Identifier: Apache-2.0
// The reverse proxy with a misbehaving upstream or client.
#include "net/proxy/reverse_proxy.h"
#include "net/testing/reverse_proxy_fixture.h"

namespace integreat::net {

namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string get_root = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
const std::string post_root =
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: close\r\n\r\npay";
const std::string ok_response = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

std::uint16_t unused_port() {
    return LoopbackServer([](TestConnection&) {}).port();
}

class ReverseProxyFaultTest : public ReverseProxyTest {
protected:
    std::string last_cause() {
        last_result();
        return causes.lock()->back();
    }
    CircuitBreaker::State circuit() { return upstreams.health(clock.monotonic()).at(0).state; }
};

TEST_F(ReverseProxyFaultTest, RejectsResponsesWithAmbiguousFraming) {
    Synchronized<std::string> response;
    start([&](TestConnection& connection) {
        connection.read_head();
        std::string now = *response.lock();
        connection.send(now);
    });
    for (std::string head : {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok",
                             "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
                             "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", "SSH-2.0-OpenSSH\r\n",
                             "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"}) {
        *response.lock() = head;
        auto rejected = fetch(post_root);
        EXPECT_THAT(rejected, StartsWith("HTTP/1.1 502 Bad Gateway\r\n")) << head;
        EXPECT_THAT(rejected, HasSubstr("/problems/upstream-malformed")) << head;
    }
    EXPECT_THAT(last_cause(), EndsWith(": 101 for a protocol that was not requested"));
}

TEST_F(ReverseProxyFaultTest, RejectsAHeadOverTheLimit) {
    start([&](TestConnection& connection) {
        connection.read_head();
        connection.send("HTTP/1.1 200 OK\r\nX: " + std::string(40'000, 'x') + "\r\n\r\n");
    });
    EXPECT_THAT(fetch(get_root), StartsWith("HTTP/1.1 502 "));
    EXPECT_THAT(last_cause(), EndsWith(": the head is longer than 32 KiB"));
}

TEST_F(ReverseProxyFaultTest, RejectsEndlessInterimResponses) {
    start([&](TestConnection& connection) {
        connection.read_head();
        while (connection.send("HTTP/1.1 100 Continue\r\n\r\n")) {
        }
    });
    EXPECT_THAT(fetch(get_root), StartsWith("HTTP/1.1 502 "));
    EXPECT_THAT(last_cause(), EndsWith(": too many 1xx responses"));
}

TEST_F(ReverseProxyFaultTest, ResetsTheConnectionAfterAnIncompleteResponse) {
    Synchronized<std::string> response;
    start([&](TestConnection& connection) {
        connection.read_head();
        std::string now = *response.lock();
        connection.send(now);
        connection.reset();
    });
    const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (std::string part :
         {std::string("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart"), chunked + "4\r\npart\r\n",
          chunked + "4\r\npart\r\nxyz\r\n", std::string("HTTP/1.1 200 OK\r\n\r\npart")}) {
        *response.lock() = part;
        for (auto version : {"1.1", "1.0"}) {
            TestConnection client(connect());
            client.send(std::string("GET / HTTP/") + version + "\r\nHost: a\r\n\r\n");
            auto got = client.read_all();
            EXPECT_TRUE(client.was_reset()) << part;
            EXPECT_THAT(got, Not(HasSubstr("\r\n0\r\n\r\n")));
            client.close();
            EXPECT_FALSE(last_result().outcome.complete);
        }
    }
}

TEST_F(ReverseProxyFaultTest, RespondsWith502WhenTheConnectionIsRefusedAndOpensTheCircuit) {
    upstream.breaker_failures = 3;
    upstream.max_retries = 0;
    start_with_port(unused_port());
    for (int i = 0; i < 3; ++i) {
        auto rejected = fetch(get_root);
        EXPECT_THAT(rejected, StartsWith("HTTP/1.1 502 Bad Gateway\r\n"));
        EXPECT_THAT(rejected, HasSubstr("/problems/upstream-unreachable\""));
        EXPECT_THAT(rejected,
                    HasSubstr("The server \\\"portal\\\" behind this route does not accept connections."));
    }
    EXPECT_THAT(last_cause(), StartsWith("upstream campus/portal http://127.0.0.1:"));
    EXPECT_THAT(last_cause(), EndsWith(": connecting: Connection refused"));
    EXPECT_EQ(circuit(), CircuitBreaker::State::open);
    auto rejected = fetch(get_root);
    EXPECT_THAT(rejected, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
    EXPECT_THAT(rejected, HasSubstr("Retry-After: 5\r\n"));
    EXPECT_THAT(rejected, HasSubstr("/problems/upstream-circuit-open\""));
}

TEST_F(ReverseProxyFaultTest, ClosesTheCircuitAfterASuccessfulProbe) {
    upstream.breaker_failures = 2;
    std::atomic<bool> well{false};
    start([&](TestConnection& connection) {
        connection.read_head();
        connection.send(well ? ok_response : "HTTP/1.1 503 Down\r\nContent-Length: 0\r\n\r\n");
    });
    EXPECT_THAT(fetch(get_root), StartsWith("HTTP/1.1 503 Down\r\n"))
        << "the upstream's own answer is passed on";
    fetch(get_root);
    EXPECT_EQ(circuit(), CircuitBreaker::State::open);
    well = true;
    clock.advance(5s);
    EXPECT_EQ(circuit(), CircuitBreaker::State::half_open);
    EXPECT_THAT(fetch(get_root), EndsWith("ok"));
    EXPECT_EQ(circuit(), CircuitBreaker::State::closed);
}

TEST_F(ReverseProxyFaultTest, RespondsWith504WhenTheHeadIsLate) {
    start([&](TestConnection& connection) {
        connection.read_head();
        clock.advance(31s);
        connection.read_all();
    });
    auto rejected = fetch(get_root);
    EXPECT_THAT(rejected, StartsWith("HTTP/1.1 504 Gateway Timeout\r\n"));
    EXPECT_THAT(rejected, HasSubstr("/problems/upstream-timeout\""));
}

TEST_F(ReverseProxyFaultTest, RespectsTheRequestDeadline) {
    deadline = clock.monotonic() + 1s;
    start([&](TestConnection& connection) {
        connection.read_head();
        clock.advance(2s);
        connection.read_all();
    });
    EXPECT_THAT(fetch(get_root), StartsWith("HTTP/1.1 504 "));
}

TEST_F(ReverseProxyFaultTest, AbortsAStalledResponse) {
    start([&](TestConnection& connection) {
        connection.read_head();
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart");
        connection.read_until("never");
    });
    TestConnection client(connect());
    client.send(get_root);
    client.read_until("part");
    EXPECT_FALSE(result_after_timeout().outcome.complete);
    client.read_all();
    EXPECT_TRUE(client.was_reset());
    EXPECT_THAT(last_cause(), EndsWith(": the response ended early: timed out"));
}

TEST_F(ReverseProxyFaultTest, RetriesAGetOnceWhenTheConnectionClosesBeforeTheResponse) {
    start([&](TestConnection& connection) {
        connection.read_head();
        if (server->accepted() == 1) return connection.reset();
        connection.send(ok_response);
    });
    EXPECT_THAT(fetch(get_root), EndsWith("ok"));
    EXPECT_EQ(server->accepted(), 2);
    EXPECT_EQ(last_cause(), "");
}

TEST_F(ReverseProxyFaultTest, NeverRetriesAPost) {
    start([&](TestConnection& connection) {
        connection.read_head();
        connection.reset();
    });
    EXPECT_THAT(fetch(post_root), StartsWith("HTTP/1.1 502 "));
    EXPECT_EQ(server->accepted(), 1);
}

TEST_F(ReverseProxyFaultTest, RetriesWithinTheBudget) {
    upstream.breaker_failures = 1'000;
    upstream.max_retries = 100;
    start([&](TestConnection& connection) {
        connection.read_head();
        connection.reset();
    });
    EXPECT_THAT(fetch(get_root), StartsWith("HTTP/1.1 502 "));
    EXPECT_EQ(server->accepted(), 1 + 3) << "three a second are free, and one request has earned none";
}

TEST_F(ReverseProxyFaultTest, DoesNotRetryAfterTheFirstByteOfTheResponse) {
    start([&](TestConnection& connection) {
        connection.read_head();
        connection.send("HTTP");
        connection.finish_sending();
        connection.read_all();
    });
    EXPECT_THAT(fetch(get_root), StartsWith("HTTP/1.1 502 "));
    EXPECT_EQ(server->accepted(), 1);
}

TEST_F(ReverseProxyFaultTest, ReplacesAStaleConnectionWithoutCountingAFailure) {
    upstream.max_retries = 0;
    start([&](TestConnection& connection) {
        connection.read_head();
        connection.send(ok_response);
        connection.read_head();  // Reads the second request and closes, like an idle timeout.
    });
    TestConnection client(connect());
    for (int i = 0; i < 3; ++i) {
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        EXPECT_THAT(client.read_until("\r\n\r\nok"), EndsWith("ok"));
    }
    EXPECT_EQ(server->accepted(), 3);
    EXPECT_EQ(upstreams.health(clock.monotonic())[0].failures, 0);
}

TEST_F(ReverseProxyFaultTest, ProbesAPooledConnectionBeforeAPost) {
    std::atomic<int> ended{0};
    start([&](TestConnection& connection) {
        connection.read_head();
        connection.send(ok_response);
        connection.finish_sending();
        ++ended;
        connection.read_all();
    });
    TestConnection client(connect());
    for (int i = 0; i < 3; ++i) {
        while (ended != i)
            std::this_thread::yield();
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
        EXPECT_THAT(client.read_until("\r\n\r\nok"), EndsWith("ok"));
    }
    while (ended != 3)
        std::this_thread::yield();
}

TEST_F(ReverseProxyFaultTest, ClosesIdleConnectionsBeforeTheUpstreamDoes) {
    std::atomic<int> closed{0};
    start([&](TestConnection& connection) {
        connection.read_head();
        connection.send("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\nContent-Length: 2\r\n\r\nok");
        connection.read_all();
        ++closed;
    });
    fetch(get_root);
    last_result();
    clock.advance(4600ms);
    while (closed == 0)
        std::this_thread::yield();
    while (upstreams.health(clock.monotonic())[0].connections != 0)
        std::this_thread::yield();
}

TEST_F(ReverseProxyFaultTest, RespondsWith503WhenAllConnectionsAreBusy) {
    upstream.max_connections = 1;
    std::atomic<bool> busy{false};
    std::atomic<bool> go{false};
    start([&](TestConnection& connection) {
        connection.read_head();
        busy = true;
        while (!go)
            std::this_thread::yield();
        connection.send(ok_response);
    });
    TestConnection first(connect());
    first.send(get_root);
    while (!busy)
        std::this_thread::yield();
    auto rejected = fetch(get_root);
    EXPECT_THAT(rejected, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
    EXPECT_THAT(rejected, HasSubstr("Retry-After: 1\r\n"));
    EXPECT_THAT(rejected, HasSubstr("/problems/upstream-busy\""));
    go = true;
    EXPECT_THAT(first.read_all(), EndsWith("ok"));
}

TEST_F(ReverseProxyFaultTest, AbortsWhenTheClientDisconnects) {
    std::atomic<bool> waiting{false};
    std::atomic<bool> closed{false};
    start([&](TestConnection& connection) {
        connection.read_head();
        waiting = true;
        connection.read_all();
        closed = true;
    });
    {
        TestConnection client(connect());
        client.send(get_root);
        while (!waiting)
            std::this_thread::yield();
    }
    while (!closed)
        std::this_thread::yield();
    EXPECT_FALSE(last_result().problem);
    EXPECT_FALSE(last_result().outcome.complete);
    EXPECT_EQ(last_result().outcome.status, 0);
    EXPECT_EQ(circuit(), CircuitBreaker::State::closed);
}

TEST_F(ReverseProxyFaultTest, RejectsABodyOverTheLimitBeforeContactingTheUpstream) {
    max_body_bytes = 2;
    start([](TestConnection& connection) { connection.read_head(); });
    EXPECT_THAT(fetch(post_root), StartsWith("HTTP/1.1 413 "));
    EXPECT_EQ(server->accepted(), 0);
}

TEST_F(ReverseProxyFaultTest, AbortsTheUpstreamRequestWhenAStreamedBodyIsTooLarge) {
    max_body_bytes = 5;
    std::string received;
    start([&](TestConnection& connection) {
        connection.read_head();
        received = connection.read_all();
    });
    TestConnection client(connect());
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    while (server->accepted() == 0)
        std::this_thread::yield();
    client.send("3\r\ndef\r\n0\r\n\r\n");
    EXPECT_THAT(client.read_head(), StartsWith("HTTP/1.1 413 "));
    client.close();
    server.reset();
    EXPECT_THAT(received, Not(HasSubstr("0\r\n\r\n"))) << "a body that was cut must not look whole";
}

// The error is in the read buffer before the head is sent to the upstream, and is found before the response
// is awaited.
TEST_F(ReverseProxyFaultTest, RejectsAnInvalidChunkedBodyReceivedInOneRead) {
    Synchronized<std::vector<std::string>> received;
    start([&](TestConnection& connection) {
        auto request = connection.read_head();
        request += connection.read_all();
        received.lock()->push_back(request);
    });
    const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    const std::string next = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";
    const std::vector<std::string> bodies{"3\r\nabcd\r\n0\r\n\r\n", "3\r\nabc\n0\r\n\r\n",
                                          "3\r\nabc\r\nx\r\n\r\n"};
    for (const auto& body : bodies) {
        auto response = fetch(head + body + next);
        EXPECT_THAT(response, StartsWith("HTTP/1.1 400 Bad Request\r\n")) << body;
        EXPECT_THAT(response, HasSubstr("/problems/malformed-request")) << body;
        EXPECT_THAT(response, HasSubstr("Connection: close\r\n")) << body;
        EXPECT_EQ(response.find("HTTP/1.1 ", 1), std::string::npos) << "nothing behind it is a request";
        EXPECT_FALSE(last_result().keep_alive);
    }
    EXPECT_EQ(upstreams.health(clock.monotonic()).at(0).connections, 0);
    EXPECT_EQ(circuit(), CircuitBreaker::State::closed);
    while (received.lock()->size() < bodies.size())
        std::this_thread::yield();
    EXPECT_EQ(server->accepted(), static_cast<int>(bodies.size())) << "nothing else was sent";
    for (const auto& request : *received.lock())
        EXPECT_THAT(request, EndsWith("\r\n\r\n3\r\nabc")) << "a body that was cut must not look whole";
}

TEST_F(ReverseProxyFaultTest, DoesNotCountASlowBodyAsAFailureOfTheUpstream) {
    upstream.response_timeout = 2s;
    upstream.idle_timeout = 2s;
    upstream.breaker_failures = 1;
    std::atomic<int> heads{0};
    start([&](TestConnection& connection) {
        connection.read_head();
        ++heads;
        connection.read_all();
    });
    for (int i = 1; i <= 8; ++i) {
        TestConnection client(connect());
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n1");
        while (heads < i)
            std::this_thread::yield();
        while (results.lock()->size() < static_cast<std::size_t>(i)) {
            clock.advance(1s);
            std::this_thread::yield();
        }
        EXPECT_THAT(client.read_head(), StartsWith("HTTP/1.1 408 "));
    }
    EXPECT_EQ(circuit(), CircuitBreaker::State::closed);
}

TEST_F(ReverseProxyFaultTest, WaitsForTheResponseFromTheEndOfTheRequestOn) {
    upstream.response_timeout = 2s;
    upstream.idle_timeout = 2s;
    upstream.breaker_failures = 1;
    upstream.max_retries = 0;
    Synchronized<std::string> received;
    std::atomic<bool> begun{false};
    start([&](TestConnection& connection) {
        connection.read_head();
        begun = true;
        *received.lock() = connection.read(3);
        connection.read_all();
    });
    TestConnection client(connect());
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n1");
    while (!begun)
        std::this_thread::yield();
    clock.advance(3s);  // Longer than response_timeout, shorter than the body's timeout.
    client.send("23");
    while (received.lock()->empty())
        std::this_thread::yield();
    EXPECT_EQ(*received.lock(), "123");
    EXPECT_TRUE(results.lock()->empty());
    while (results.lock()->empty()) {
        clock.advance(1s);
        std::this_thread::yield();
    }
    EXPECT_THAT(client.read_head(), StartsWith("HTTP/1.1 504 "));
    EXPECT_NE(circuit(), CircuitBreaker::State::closed) << "now the upstream was late";
}

TEST_F(ReverseProxyFaultTest, ForwardsAnEarlyErrorWhileTheBodyIsStillArriving) {
    start([&](TestConnection& connection) {
        connection.read_head();
        connection.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        connection.read_all();
    });
    TestConnection client(connect());
    client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nbegin");
    auto head = client.read_head();
    EXPECT_THAT(head, StartsWith("HTTP/1.1 413 Content Too Large\r\n"));
    EXPECT_THAT(head, HasSubstr("Connection: close\r\n"));
    client.close();
    EXPECT_FALSE(last_result().keep_alive);
}

TEST_F(ReverseProxyFaultTest, ClosesAnIdleTunnel) {
    start([&](TestConnection& connection) {
        connection.read_head();
        connection.send(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
        connection.read_all();
    });
    TestConnection client(connect());
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    client.read_head();
    EXPECT_FALSE(result_after_timeout().outcome.complete);
    client.read_all();
}

TEST_F(ReverseProxyFaultTest, AbortsAllRequestsWhenThePoolsStop) {
    std::atomic<int> waiting{0};
    start([&](TestConnection& connection) {
        connection.read_head();
        ++waiting;
        connection.read_all();
    });
    TestConnection client(connect());
    client.send(get_root);
    while (waiting == 0)
        std::this_thread::yield();
    asio::post(io_context, [this] { pools.stop(); });
    EXPECT_EQ(client.read_all(), "");
    EXPECT_FALSE(last_result().outcome.complete);
}

}  // namespace

}  // namespace integreat::net
