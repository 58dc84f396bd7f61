// SPDX-License-Identifier: Apache-2.0
// What a relay does when the upstream or the client misbehaves.
#include "net/proxy/reverse_proxy.h"
#include "net/testing/reverse_proxy_fixture.h"

namespace integreat::net {

namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string get = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
const std::string post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: close\r\n\r\npay";
const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

std::uint16_t port_nobody_listens_on() {
    return LoopbackServer([](Line&) {}).port();
}

class RelayFaultTest : public RelayTest {
protected:
    std::string last_cause() {
        last_end();
        return causes.lock()->back();
    }
    Breaker::State circuit() { return upstreams.health(clock.monotonic()).at(0).state; }
};

TEST_F(RelayFaultTest, RefusesAnswersWithDoubtfulFraming) {
    Guarded<std::string> answer;
    start([&](Line& line) {
        line.read_head();
        std::string now = *answer.lock();
        line.send(now);
    });
    for (std::string head : {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok",
                             "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
                             "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", "SSH-2.0-OpenSSH\r\n",
                             "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"}) {
        *answer.lock() = head;
        auto refused = ask(post);
        EXPECT_THAT(refused, StartsWith("HTTP/1.1 502 Bad Gateway\r\n")) << head;
        EXPECT_THAT(refused, HasSubstr("/problems/upstream-malformed")) << head;
    }
    EXPECT_THAT(last_cause(), EndsWith(": 101 for a protocol nobody asked for"));
}

TEST_F(RelayFaultTest, RefusesAHeadBeyondTheLimit) {
    start([&](Line& line) {
        line.read_head();
        line.send("HTTP/1.1 200 OK\r\nX: " + std::string(40'000, 'x') + "\r\n\r\n");
    });
    EXPECT_THAT(ask(get), StartsWith("HTTP/1.1 502 "));
    EXPECT_THAT(last_cause(), EndsWith(": the head is longer than 32 KiB"));
}

TEST_F(RelayFaultTest, RefusesAnEndlessRowOfInterimAnswers) {
    start([&](Line& line) {
        line.read_head();
        while (line.send("HTTP/1.1 100 Continue\r\n\r\n")) {
        }
    });
    EXPECT_THAT(ask(get), StartsWith("HTTP/1.1 502 "));
    EXPECT_THAT(last_cause(), EndsWith(": too many 1xx answers"));
}

TEST_F(RelayFaultTest, NeverEndsABrokenAnswerAsIfItWereWhole) {
    Guarded<std::string> answer;
    start([&](Line& line) {
        line.read_head();
        std::string now = *answer.lock();
        line.send(now);
        line.reset();
    });
    const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (std::string part :
         {std::string("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart"), chunked + "4\r\npart\r\n",
          chunked + "4\r\npart\r\nxyz\r\n", std::string("HTTP/1.1 200 OK\r\n\r\npart")}) {
        *answer.lock() = part;
        for (auto version : {"1.1", "1.0"}) {
            Line client(connect());
            client.send(std::string("GET / HTTP/") + version + "\r\nHost: a\r\n\r\n");
            auto got = client.read_all();
            EXPECT_TRUE(client.was_reset()) << part;
            EXPECT_THAT(got, Not(HasSubstr("\r\n0\r\n\r\n")));
            client.close();
            EXPECT_FALSE(last_end().outcome.complete);
        }
    }
}

TEST_F(RelayFaultTest, Answers502WhenNobodyListensAndOpensTheCircuit) {
    upstream.breaker_failures = 3;
    upstream.retries_max = 0;
    start_towards(port_nobody_listens_on());
    for (int i = 0; i < 3; ++i) {
        auto refused = ask(get);
        EXPECT_THAT(refused, StartsWith("HTTP/1.1 502 Bad Gateway\r\n"));
        EXPECT_THAT(refused, HasSubstr("\"type\":\"/problems/upstream-unreachable\""));
        EXPECT_THAT(refused,
                    HasSubstr("The server \\\"portal\\\" behind this route does not accept connections."));
    }
    EXPECT_THAT(last_cause(), StartsWith("upstream campus/portal http://127.0.0.1:"));
    EXPECT_THAT(last_cause(), EndsWith(": connecting: Connection refused"));
    EXPECT_EQ(circuit(), Breaker::State::open);
    auto refused = ask(get);
    EXPECT_THAT(refused, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
    EXPECT_THAT(refused, HasSubstr("Retry-After: 5\r\n"));
    EXPECT_THAT(refused, HasSubstr("\"type\":\"/problems/upstream-circuit-open\""));
}

TEST_F(RelayFaultTest, ClosesTheCircuitAfterAGoodProbe) {
    upstream.breaker_failures = 2;
    std::atomic<bool> well{false};
    start([&](Line& line) {
        line.read_head();
        line.send(well ? ok : "HTTP/1.1 503 Down\r\nContent-Length: 0\r\n\r\n");
    });
    EXPECT_THAT(ask(get), StartsWith("HTTP/1.1 503 Down\r\n")) << "the upstream's own answer is passed on";
    ask(get);
    EXPECT_EQ(circuit(), Breaker::State::open);
    well = true;
    clock.advance(5s);
    EXPECT_EQ(circuit(), Breaker::State::half_open);
    EXPECT_THAT(ask(get), EndsWith("ok"));
    EXPECT_EQ(circuit(), Breaker::State::closed);
}

TEST_F(RelayFaultTest, Answers504WhenTheHeadDoesNotComeInTime) {
    start([&](Line& line) {
        line.read_head();
        clock.advance(31s);
        line.read_all();
    });
    auto refused = ask(get);
    EXPECT_THAT(refused, StartsWith("HTTP/1.1 504 Gateway Timeout\r\n"));
    EXPECT_THAT(refused, HasSubstr("\"type\":\"/problems/upstream-timeout\""));
}

TEST_F(RelayFaultTest, EndsWithTheRequestsOwnDeadline) {
    deadline = clock.monotonic() + 1s;
    start([&](Line& line) {
        line.read_head();
        clock.advance(2s);
        line.read_all();
    });
    EXPECT_THAT(ask(get), StartsWith("HTTP/1.1 504 "));
}

TEST_F(RelayFaultTest, BreaksOffAnAnswerThatStopsComing) {
    start([&](Line& line) {
        line.read_head();
        line.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart");
        line.read_until("never");
    });
    Line client(connect());
    client.send(get);
    client.read_until("part");
    EXPECT_FALSE(end_when_time_passes().outcome.complete);
    client.read_all();
    EXPECT_TRUE(client.was_reset());
    EXPECT_THAT(last_cause(), EndsWith(": ended in the middle of its answer: timed out"));
}

TEST_F(RelayFaultTest, RepeatsAGetOnceWhenTheConnectionBreaksBeforeTheAnswer) {
    start([&](Line& line) {
        line.read_head();
        if (server->accepted() == 1) return line.reset();
        line.send(ok);
    });
    EXPECT_THAT(ask(get), EndsWith("ok"));
    EXPECT_EQ(server->accepted(), 2);
    EXPECT_EQ(last_cause(), "");
}

TEST_F(RelayFaultTest, NeverRepeatsAPost) {
    start([&](Line& line) {
        line.read_head();
        line.reset();
    });
    EXPECT_THAT(ask(post), StartsWith("HTTP/1.1 502 "));
    EXPECT_EQ(server->accepted(), 1);
}

TEST_F(RelayFaultTest, RepeatsNoMoreThanTheBudgetAllows) {
    upstream.breaker_failures = 1'000;
    upstream.retries_max = 100;
    start([&](Line& line) {
        line.read_head();
        line.reset();
    });
    EXPECT_THAT(ask(get), StartsWith("HTTP/1.1 502 "));
    EXPECT_EQ(server->accepted(), 1 + 3) << "three a second are free, and one request has earned none";
}

TEST_F(RelayFaultTest, DoesNotRepeatOnceAByteOfTheAnswerCame) {
    start([&](Line& line) {
        line.read_head();
        line.send("HTTP");
        line.finish_sending();
        line.read_all();
    });
    EXPECT_THAT(ask(get), StartsWith("HTTP/1.1 502 "));
    EXPECT_EQ(server->accepted(), 1);
}

TEST_F(RelayFaultTest, ReplacesAStaleConnectionWithoutBlame) {
    upstream.retries_max = 0;
    start([&](Line& line) {
        line.read_head();
        line.send(ok);
        line.read_head();  // Takes the second request and closes, as a server whose patience ended just now.
    });
    Line client(connect());
    for (int i = 0; i < 3; ++i) {
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        EXPECT_THAT(client.read_until("\r\n\r\nok"), EndsWith("ok"));
    }
    EXPECT_EQ(server->accepted(), 3);
    EXPECT_EQ(upstreams.health(clock.monotonic())[0].failures, 0);
}

TEST_F(RelayFaultTest, LooksBeforeItSendsAPostOnAKeptConnection) {
    std::atomic<int> ended{0};
    start([&](Line& line) {
        line.read_head();
        line.send(ok);
        line.finish_sending();
        ++ended;
        line.read_all();
    });
    Line client(connect());
    for (int i = 0; i < 3; ++i) {
        while (ended != i)
            std::this_thread::yield();
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
        EXPECT_THAT(client.read_until("\r\n\r\nok"), EndsWith("ok"));
    }
    while (ended != 3)
        std::this_thread::yield();
}

TEST_F(RelayFaultTest, ClosesIdleConnectionsBeforeTheUpstreamDoes) {
    std::atomic<int> closed{0};
    start([&](Line& line) {
        line.read_head();
        line.send("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\nContent-Length: 2\r\n\r\nok");
        line.read_all();
        ++closed;
    });
    ask(get);
    last_end();
    clock.advance(4600ms);
    while (closed == 0)
        std::this_thread::yield();
    while (upstreams.health(clock.monotonic())[0].connections != 0)
        std::this_thread::yield();
}

TEST_F(RelayFaultTest, Answers503WhenAllConnectionsAreBusy) {
    upstream.connections_max = 1;
    std::atomic<bool> taken{false};
    std::atomic<bool> go{false};
    start([&](Line& line) {
        line.read_head();
        taken = true;
        while (!go)
            std::this_thread::yield();
        line.send(ok);
    });
    Line first(connect());
    first.send(get);
    while (!taken)
        std::this_thread::yield();
    auto refused = ask(get);
    EXPECT_THAT(refused, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
    EXPECT_THAT(refused, HasSubstr("Retry-After: 1\r\n"));
    EXPECT_THAT(refused, HasSubstr("\"type\":\"/problems/upstream-busy\""));
    go = true;
    EXPECT_THAT(first.read_all(), EndsWith("ok"));
}

TEST_F(RelayFaultTest, GivesUpWhenTheClientLeaves) {
    std::atomic<bool> waiting{false};
    std::atomic<bool> closed{false};
    start([&](Line& line) {
        line.read_head();
        waiting = true;
        line.read_all();
        closed = true;
    });
    {
        Line client(connect());
        client.send(get);
        while (!waiting)
            std::this_thread::yield();
    }
    while (!closed)
        std::this_thread::yield();
    EXPECT_FALSE(last_end().problem);
    EXPECT_FALSE(last_end().outcome.complete);
    EXPECT_EQ(last_end().outcome.status, 0);
    EXPECT_EQ(circuit(), Breaker::State::closed);
}

TEST_F(RelayFaultTest, RefusesABodyOverTheLimitBeforeTheUpstreamHearsOfIt) {
    body_bytes_max = 2;
    start([](Line& line) { line.read_head(); });
    EXPECT_THAT(ask(post), StartsWith("HTTP/1.1 413 "));
    EXPECT_EQ(server->accepted(), 0);
}

TEST_F(RelayFaultTest, BreaksOffTowardsTheUpstreamWhenAStreamedBodyIsTooLarge) {
    body_bytes_max = 5;
    std::string seen;
    start([&](Line& line) {
        line.read_head();
        seen = line.read_all();
    });
    Line client(connect());
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    while (server->accepted() == 0)
        std::this_thread::yield();
    client.send("3\r\ndef\r\n0\r\n\r\n");
    EXPECT_THAT(client.read_head(), StartsWith("HTTP/1.1 413 "));
    client.close();
    server.reset();
    EXPECT_THAT(seen, Not(HasSubstr("0\r\n\r\n"))) << "a body that was cut must not look whole";
}

// The mistake is in the input before the head is on its way to the upstream, and found before its answer is
// waited for.
TEST_F(RelayFaultTest, RefusesAMistakeInAChunkedBodyThatCameInOneWrite) {
    Guarded<std::vector<std::string>> seen;
    start([&](Line& line) {
        auto request = line.read_head();
        request += line.read_all();
        seen.lock()->push_back(request);
    });
    const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    const std::string next = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";
    const std::vector<std::string> bodies{"3\r\nabcd\r\n0\r\n\r\n", "3\r\nabc\n0\r\n\r\n",
                                          "3\r\nabc\r\nx\r\n\r\n"};
    for (const auto& body : bodies) {
        auto answer = ask(head + body + next);
        EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 Bad Request\r\n")) << body;
        EXPECT_THAT(answer, HasSubstr("/problems/malformed-request")) << body;
        EXPECT_THAT(answer, HasSubstr("Connection: close\r\n")) << body;
        EXPECT_EQ(answer.find("HTTP/1.1 ", 1), std::string::npos) << "nothing behind it is a request";
        EXPECT_FALSE(last_end().keep_alive);
    }
    EXPECT_EQ(upstreams.health(clock.monotonic()).at(0).connections, 0);
    EXPECT_EQ(circuit(), Breaker::State::closed);
    while (seen.lock()->size() < bodies.size())
        std::this_thread::yield();
    EXPECT_EQ(server->accepted(), static_cast<int>(bodies.size())) << "nothing else was sent";
    for (const auto& request : *seen.lock())
        EXPECT_THAT(request, EndsWith("\r\n\r\n3\r\nabc")) << "a body that was cut must not look whole";
}

TEST_F(RelayFaultTest, PassesAnEarlyRefusalOnWhileTheBodyIsStillComing) {
    start([&](Line& line) {
        line.read_head();
        line.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        line.read_all();
    });
    Line client(connect());
    client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nbegin");
    auto head = client.read_head();
    EXPECT_THAT(head, StartsWith("HTTP/1.1 413 Content Too Large\r\n"));
    EXPECT_THAT(head, HasSubstr("Connection: close\r\n"));
    client.close();
    EXPECT_FALSE(last_end().keep_alive);
}

TEST_F(RelayFaultTest, EndsATunnelThatFellSilent) {
    start([&](Line& line) {
        line.read_head();
        line.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
        line.read_all();
    });
    Line client(connect());
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    client.read_head();
    EXPECT_FALSE(end_when_time_passes().outcome.complete);
    client.read_all();
}

TEST_F(RelayFaultTest, EndsAllRelaysWhenThePoolsStop) {
    std::atomic<int> waiting{0};
    start([&](Line& line) {
        line.read_head();
        ++waiting;
        line.read_all();
    });
    Line client(connect());
    client.send(get);
    while (waiting == 0)
        std::this_thread::yield();
    asio::post(context, [this] { pools.stop(); });
    EXPECT_EQ(client.read_all(), "");
    EXPECT_FALSE(last_end().outcome.complete);
}

}  // namespace

}  // namespace integreat::net
