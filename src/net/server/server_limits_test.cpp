// SPDX-License-Identifier: Apache-2.0
// Slow clients, many clients, and more work than there are threads: each costs whoever causes it.
#include <latch>

#include "net/testing/test_server.h"

namespace integreat::net {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr std::string_view wait = "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n";

class LimitsTest : public ServerTest {
protected:
    std::uint64_t count(const char* name, const metrics::Labels& labels = {}) {
        return registry.counter(name, "", labels).value();
    }
    std::uint64_t timeouts(const char* stage) {
        return count("integreat_http_timeouts_total", {{"stage", stage}});
    }
};

TEST_F(LimitsTest, EndsConnectionsThatSendNothing) {
    settings.header_timeout = 20ms;
    start();
    TestClient client(port());
    EXPECT_TRUE(client.at_end());
    EXPECT_EQ(timeouts("idle"), 1u);
    EXPECT_TRUE(finished_.lock()->empty());
}

TEST_F(LimitsTest, EndsConnectionsThatStayIdleBetweenRequests) {
    settings.idle_timeout = 20ms;
    start();
    TestClient client(port());
    EXPECT_EQ(client.ask(get).status, 200);
    EXPECT_TRUE(client.at_end());
    EXPECT_EQ(timeouts("idle"), 1u);
}

TEST_F(LimitsTest, AnswersAHeadThatTricklesIn) {
    settings.header_timeout = 50ms;
    start();
    TestClient client(port());
    int sent = 0;
    while (client.send("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(sent == 0 ? 0 : 1, 'x')) &&
           ++sent < 1'000 &&
           recv(client.socket(), std::string(1, '.').data(), 1, MSG_PEEK | MSG_DONTWAIT) < 0) {
        usleep(2'000);  // A client that always has one more byte to send.
    }
    auto answer = client.receive();
    EXPECT_TRUE(answer.status == 408 || answer.status == 400) << answer.status;
    EXPECT_TRUE(client.at_end());
}

TEST_F(LimitsTest, AnswersAHalfHeadWith408) {
    settings.header_timeout = 20ms;
    start();
    TestClient client(port());
    auto answer = client.ask("GET / HTTP/1.1\r\nHost: h\r\n");
    EXPECT_EQ(answer.status, 408);
    EXPECT_TRUE(client.at_end());
    EXPECT_EQ(timeouts("header"), 1u);
    EXPECT_EQ(finished(1)[0].type, "request-timeout");
}

TEST_F(LimitsTest, AnswersABodyThatStopsWith408) {
    settings.body_timeout = 20ms;
    start();
    TestClient client(port());
    auto answer = client.ask("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab");
    EXPECT_EQ(answer.status, 408);
    EXPECT_TRUE(client.at_end());
    EXPECT_EQ(timeouts("body"), 1u);
}

TEST_F(LimitsTest, EndsBodiesAtTheDeadlineOfTheCall) {
    application.admit = [this](const http::Request&, http::Call& call) -> http::Admission {
        call.deadline = clock.monotonic() + 20ms;
        return http::ReadBody{.bytes_max = 100};
    };
    start();
    EXPECT_EQ(TestClient(port()).ask("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab").status,
              408);
}

TEST_F(LimitsTest, EndsConnectionsThatDoNotRead) {
    settings.write_timeout = 20ms;
    application.answer = [&](const http::Request&, http::Call&) -> http::Response {
        return http::Reply{.body = std::string(50'000'000, 'x')};
    };
    start();
    TestClient client(port());
    client.send(get);
    EXPECT_FALSE(finished(1)[0].outcome.complete);
    EXPECT_EQ(timeouts("write"), 1u);
}

TEST_F(LimitsTest, RefusesConnectionsBeyondTheMost) {
    settings.connections_max = 2;
    start();
    auto first = std::make_unique<TestClient>(port());
    TestClient second(port());
    EXPECT_EQ(first->ask(get).status, 200);
    EXPECT_EQ(second.ask(get).status, 200);
    auto refusal = TestClient(port()).receive();
    EXPECT_EQ(refusal.status, 503);
    EXPECT_EQ(refusal.field("Retry-After"), "1");
    EXPECT_NE(refusal.body.find("/problems/overloaded"), std::string::npos);
    EXPECT_EQ(count("integreat_connections_refused_total", {{"reason", "server"}}), 1u);

    first.reset();
    int status = 503;
    for (int i = 0; i < 1'000 && status != 200; ++i)
        status = TestClient(port()).ask(get).status;
    EXPECT_EQ(status, 200);
}

TEST_F(LimitsTest, RefusesConnectionsBeyondTheMostOfOneClient) {
    settings.connections_per_client_max = 1;
    settings.trusted_proxies = {"127.0.0.3"};
    start();
    TestClient first(port());
    EXPECT_EQ(first.ask(get).status, 200);
    EXPECT_EQ(TestClient(port()).receive().status, 503);
    EXPECT_EQ(count("integreat_connections_refused_total", {{"reason", "client"}}), 1u);

    TestClient other(port(), "127.0.0.2");
    EXPECT_EQ(other.ask(get).status, 200);
    TestClient proxy(port(), "127.0.0.3");
    EXPECT_EQ(proxy.ask(get).status, 200);
    TestClient proxy_again(port(), "127.0.0.3");
    EXPECT_EQ(proxy_again.ask(get).status, 200);
}

TEST_F(LimitsTest, EndsConnectionsAfterTheMostRequests) {
    settings.requests_per_connection_max = 2;
    start();
    TestClient client(port());
    EXPECT_EQ(client.ask(get).field("Connection"), "");
    EXPECT_EQ(client.ask(get).field("Connection"), "close");
    EXPECT_TRUE(client.at_end());
}

TEST_F(LimitsTest, KeepsFewBytesOfBodiesInMemory) {
    settings.body_bytes_in_flight_max = 10;
    start();
    TestClient hoarder(port());
    hoarder.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n");
    EXPECT_EQ(hoarder.receive().status, 100);
    hoarder.send("12345678");
    Answer answer;
    for (int i = 0; i < 1'000 && answer.status != 503;
         ++i) {  // Until the server has read the hoarder's bytes.
        answer = TestClient(port()).ask("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
    }
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.field("Retry-After"), "1");
    EXPECT_EQ(hoarder.ask("9").body, "POST 123456789");
    EXPECT_EQ(TestClient(port()).ask("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc").body,
              "POST abc");
}

TEST_F(LimitsTest, AnswersWhatWaitsOnAnotherThreadAndTheRestMeanwhile) {
    std::latch release(1);
    application.answer = [&](const http::Request& request, http::Call& call) -> http::Response {
        if (request.path() == "/wait") release.wait();
        return http::Reply{.body = call.may_wait ? "may wait" : "may not"};
    };
    start();
    TestClient waiting(port());
    waiting.send(wait);
    EXPECT_EQ(TestClient(port()).ask(get).body, "may not");
    release.count_down();
    EXPECT_EQ(waiting.receive().body, "may wait");
}

TEST_F(LimitsTest, AsksAgainWhereItMayWaitWhenAdmissionIsDeferred) {
    application.admit = [](const http::Request&, http::Call& call) -> http::Admission {
        if (!call.may_wait) return http::Defer{};
        return http::ReadBody{.bytes_max = 10};
    };
    application.answer = [](const http::Request& request, http::Call& call) -> http::Response {
        return http::Reply{.body = request.body + (call.may_wait ? " may wait" : " may not")};
    };
    start();
    EXPECT_EQ(TestClient(port()).ask("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi").body,
              "hi may not");
}

TEST_F(LimitsTest, ShedsWhatFindsTheQueueFull) {
    settings.waiting_queue_max = 1;
    std::latch release(1);
    std::latch begun(1);
    application.answer = [&](const http::Request& request, http::Call&) -> http::Response {
        if (request.query() == "first") begun.count_down();
        release.wait();
        return http::Reply{};
    };
    start();
    TestClient working(port());
    working.send("GET /wait?first HTTP/1.1\r\nHost: h\r\n\r\n");
    begun.wait();
    TestClient queued(port());
    queued.send(wait);
    auto& depth = registry.gauge("integreat_waiting_pool_queued", "");
    while (depth.value() < 1)
        std::this_thread::yield();

    TestClient shed(port());
    auto answer = shed.ask(wait);
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.field("Retry-After"), "1");
    EXPECT_EQ(finished(1)[0].type, "overloaded");
    EXPECT_EQ(count("integreat_waiting_pool_refused_total"), 1u);
    release.count_down();
    EXPECT_EQ(working.receive().status, 200);
    EXPECT_EQ(queued.receive().status, 200);
    EXPECT_EQ(shed.ask(wait).status, 200);
}

TEST_F(LimitsTest, DoesNotBeginWhatWaitedBeyondItsDeadline) {
    std::latch release(1);
    std::latch begun(1);
    application.admit = [this](const http::Request& request, http::Call& call) -> http::Admission {
        if (request.query() == "late") call.deadline = clock.monotonic();
        return http::ReadBody{.waits = true};
    };
    application.answer = [&](const http::Request& request, http::Call&) -> http::Response {
        EXPECT_NE(request.query(), "late");
        begun.count_down();
        release.wait();
        return http::Reply{};
    };
    start();
    TestClient working(port());
    working.send(get);
    begun.wait();
    TestClient late(port());
    late.send("GET /?late HTTP/1.1\r\nHost: h\r\n\r\n");
    while (registry.gauge("integreat_waiting_pool_queued", "").value() < 1)
        std::this_thread::yield();
    release.count_down();
    EXPECT_EQ(late.receive().status, 503);
    EXPECT_EQ(count("integreat_waiting_pool_expired_total"), 1u);
}

}  // namespace
}  // namespace integreat::net
