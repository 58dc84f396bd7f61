// SPDX-License-Identifier: Apache-2.0
// Endless streams: idle most of the time, woken from other threads, and ended by either side at any time.
#include "http/message/event_stream.h"

#include <latch>
#include <thread>

#include "net/testing/stream_fixture.h"

namespace integreat::net {
namespace {

using namespace std::chrono_literals;
using http::ReadStatus;

constexpr std::string_view direct = "GET /direct HTTP/1.1\r\nHost: h\r\n\r\n";

// The published notices and the wakers of the streams.
struct Board {
    std::vector<std::string> notices;
    std::vector<http::Waker> wakes;
};

class EventStreamTest : public StreamTest {
protected:
    EventStreamTest() {
        application.admit = [this](const http::Request& request, http::RequestContext&) -> http::Admission {
            if (request.path() == "/direct") return http::FullResponse{.body = "direct"};
            if (request.path() == "/wait") return http::ReadBody{.execution = http::Execution::blocking};
            auto response =
                http::make_event_stream(std::make_unique<LambdaSource>(make_stream(), live_streams));
            response.blocking = blocking;
            response.until = until;
            return response;
        };
    }
    // Returns a body stream that delivers each notice once.
    LambdaSource::Produce make_stream() {
        return [this, next = std::size_t(0)](std::string& to, const http::ReadRequest& request) mutable {
            auto all = board.lock();
            if (next == 0) all->wakes.push_back(request.waker);
            for (; next < all->notices.size(); ++next)
                http::append_event(to, {.data = all->notices[next]});
            return ReadStatus::pending;
        };
    }
    void post(std::string notice) {
        std::vector<http::Waker> wakes;
        {
            auto all = board.lock();
            all->notices.push_back(std::move(notice));
            wakes = all->wakes;
        }
        for (const auto& wake : wakes)
            wake();
    }
    void expect_event(TestClient& client, const std::string& data) {
        EXPECT_FALSE(client.read_until("data: " + data + "\n\n\r\n").empty()) << data;
    }

    Synchronized<Board> board{{.notices = {"welcome"}, .wakes = {}}};
    Monotonic until = Monotonic::max();
};

TEST_F(EventStreamTest, SendsTheHeadImmediatelyAndEventsAsTheyHappen) {
    start();
    TestClient client(port());
    client.send(get);
    auto head = client.read_until("\r\n\r\n");
    EXPECT_NE(head.find("Content-Type: text/event-stream\r\n"), std::string::npos);
    EXPECT_NE(head.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
    expect_event(client, "welcome");
    for (int i = 0; i < 100; ++i) {
        post(std::to_string(i));
        expect_event(client, std::to_string(i));
    }
}

TEST_F(EventStreamTest, LosesNoWakeDuringAReadOrWrite) {
    blocking = true;
    start();
    TestClient client(port());
    client.send(get);
    expect_event(client, "welcome");
    std::jthread posting([&] {
        for (int i = 0; i < 1'000; ++i)
            post(std::to_string(i));
    });
    EXPECT_FALSE(client.read_until("data: 999\n\n").empty());
}

TEST_F(EventStreamTest, SendsHeartbeatsWhileNothingHappens) {
    settings.heartbeat_interval = 10ms;
    start();
    TestClient client(port());
    client.send(get);
    expect_event(client, "welcome");
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(client.read_until("\r\n:\n\n\r\n").substr(0, 1), "3");
}

TEST_F(EventStreamTest, DestroysTheStreamOfAClientThatDisconnectsWhileIdle) {
    start();
    {
        TestClient client(port());
        client.send(get);
        expect_event(client, "welcome");
        EXPECT_EQ(live_streams, 1);
        EXPECT_EQ(gauge("integreat_streams_open"), 1);
    }
    auto summary = finished(1)[0].summary;
    EXPECT_EQ(live_streams, 0);
    EXPECT_TRUE(summary.complete);  // An endless stream has no end to miss.
    EXPECT_EQ(summary.response_body_bytes, std::string_view("data: welcome\n\n").size());
    EXPECT_EQ(gauge("integreat_streams_open"), 0);
    post("no stream is open");
}

TEST_F(EventStreamTest, EndsImmediatelyDuringADrain) {
    settings.threads = 2;
    start();
    std::vector<std::unique_ptr<TestClient>> clients;
    for (int i = 0; i < 10; ++i) {
        clients.push_back(std::make_unique<TestClient>(port()));
        clients.back()->send(get);
        expect_event(*clients.back(), "welcome");
    }
    auto begun = clock.monotonic();
    EXPECT_TRUE(server->drain());
    EXPECT_LT(clock.monotonic() - begun, settings.drain_timeout / 2);
    for (auto& client : clients) {
        EXPECT_EQ(client->read_rest(), "0\r\n\r\n");
        EXPECT_FALSE(client->was_reset());
    }
    EXPECT_EQ(live_streams, 0);
    for (const auto& request : finished(10))
        EXPECT_TRUE(request.summary.complete);
    server.reset();
    post("after the server is destroyed");
}

TEST_F(EventStreamTest, EndsWithTheTokenAndKeepsTheConnection) {
    until = clock.monotonic() + 20ms;
    start();
    TestClient client(port());
    EXPECT_EQ(client.fetch(get).body, "data: welcome\n\n");
    EXPECT_EQ(client.fetch(direct).body, "direct");
    EXPECT_EQ(client.fetch(get).body, "");
}

TEST_F(EventStreamTest, BuffersPipelinedRequestsUpToALimit) {
    until = clock.monotonic() + 100ms;
    start();
    TestClient patient(port());
    patient.send(std::string(get) + std::string(direct));
    patient.read_until("welcome");
    patient.send(direct);
    patient.read_until("\r\n0\r\n\r\n");
    EXPECT_EQ(patient.receive().body, "direct");
    EXPECT_EQ(patient.receive().body, "direct");

    until = Monotonic::max();
    TestClient flooding(port());
    flooding.send(get);
    flooding.send(std::string(100'000, 'x'));
    flooding.read_rest();
    EXPECT_EQ(finished(4).size(), 4u);
    EXPECT_EQ(live_streams, 0);
}

TEST_F(EventStreamTest, CountsTowardsTheLimitPerClient) {
    settings.max_connections_per_client = 2;
    start();
    TestClient first(port());
    first.send(get);
    expect_event(first, "welcome");
    TestClient second(port());
    second.send(get);
    expect_event(second, "welcome");
    EXPECT_EQ(TestClient(port()).receive().status, 503);
}

TEST_F(EventStreamTest, NeedsNoThreadWhileIdleAndWakesAThousandStreams) {
    constexpr std::size_t listeners = 1'000;
    settings.threads = 2;
    settings.max_connections_per_client = 2'000;
    blocking = true;
    start();
    std::vector<std::unique_ptr<TestClient>> clients;
    for (std::size_t i = 0; i < listeners; ++i) {
        clients.push_back(std::make_unique<TestClient>(port()));
        ASSERT_TRUE(clients.back()->connected());
        clients.back()->send(get);
    }
    for (auto& client : clients)
        expect_event(*client, "welcome");
    EXPECT_EQ(gauge("integreat_streams_open"), 1'000);
    // The single thread of the blocking pool is free.
    EXPECT_EQ(TestClient(port()).fetch("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n").body, "waited");

    std::jthread posting([&] { post("all of you"); });
    EXPECT_EQ(TestClient(port()).fetch("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n").body, "waited");
    for (auto& client : clients)
        expect_event(*client, "all of you");
    posting.join();
    clients.clear();
    EXPECT_TRUE(eventually([&] { return live_streams == 0; }));
    EXPECT_EQ(finished(listeners + 2).size(), listeners + 2);
}

}  // namespace
}  // namespace integreat::net
