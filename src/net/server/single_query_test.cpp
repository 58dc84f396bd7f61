// SPDX-License-Identifier: Apache-2.0
// Answers that come later: the I/O thread goes on with other clients meanwhile. The lane here is an eventfd
// that the test rings.
#include <atomic>
#include <thread>

#include <sys/eventfd.h>

#include "net/testing/test_server.h"

namespace integreat::net {
namespace {

using namespace std::chrono_literals;

std::string get(const std::string& target) {
    return "GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

// One I/O thread, whose lane tells everybody when it is rung.
class NetLaneTest : public ServerTest {
protected:
    NetLaneTest() {
        application.admit = [](const http::Request& request, http::Call&) -> http::Admission {
            if (request.path() == "/direct") return http::Reply{.body = "direct"};
            return http::ReadBody{.bytes_max = 100'000, .waits = true, .in_lane = request.path() != "/pool"};
        };
        application.make_lane = [this] {
            return http::Lane{.descriptor = bell,
                              .advance = [this] { advance(); },
                              .expire = [this] { ++expired; },
                              .abandon = [this] { tell_all(); },
                              .database = reinterpret_cast<postgres::Lane*>(this)};  // Only passed on.
        };
        application.answer = [this](const http::Request& request, http::Call& call) {
            return answer(request, call);
        };
    }
    ~NetLaneTest() override {
        server.reset();
        ::close(bell);
    }

    http::Response answer(const http::Request& request, http::Call& call) {
        if (!call.lane) return http::Reply{.body = call.may_wait ? "pool" : "nowhere"};
        EXPECT_FALSE(call.may_wait);
        if (request.path() == "/defer") return http::Defer{};
        if (request.path() == "/now") return http::Reply{.body = "now"};
        bool large = request.path() == "/large";
        ++begun;
        return http::Later{.when_ready =
                               [this, large](std::function<void(bool)> ready) {
                                   waiting.push_back([ready = std::move(ready), large] { ready(large); });
                               },
                           .finish = [&request, &call]() -> http::Response {
                               if (request.path() == "/again") return http::Defer{};
                               if (request.path() == "/throws") throw std::runtime_error("on purpose");
                               std::string where = call.may_wait ? " on the pool" : " in the lane";
                               return http::Reply{.body = request.target + where};
                           }};
    }
    void ring() {
        std::uint64_t one = 1;
        EXPECT_EQ(::write(bell, &one, sizeof one), static_cast<ssize_t>(sizeof one));
    }
    void advance() {
        std::uint64_t rung = 0;
        EXPECT_EQ(::read(bell, &rung, sizeof rung), static_cast<ssize_t>(sizeof rung));
        tell_all();
    }
    void tell_all() {
        for (auto& tell : std::exchange(waiting, {}))
            tell();
    }
    void until_begun(int count) {
        while (begun < count)
            std::this_thread::yield();
    }

    int bell = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    std::vector<std::function<void()>> waiting;  // On the I/O thread.
    std::atomic<int> begun = 0;
    std::atomic<int> expired = 0;
};

TEST_F(NetLaneTest, TheThreadGoesOnWhileAnswersAreUnderWay) {
    start();
    TestClient one(port()), two(port()), third(port());
    one.send(get("/one"));
    two.send(get("/two"));
    until_begun(2);
    EXPECT_EQ(third.ask(get("/direct")).body, "direct");
    EXPECT_EQ(third.ask(get("/now")).body, "now");
    EXPECT_EQ(third.ask(get("/defer")).body, "pool");
    EXPECT_EQ(third.ask(get("/pool")).body, "pool");
    ring();
    EXPECT_EQ(one.receive().body, "/one in the lane");
    EXPECT_EQ(two.receive().body, "/two in the lane");
    while (expired == 0)
        std::this_thread::yield();
}

TEST_F(NetLaneTest, RequestsOfOneConnectionAreAnsweredInTheirOrder) {
    start();
    TestClient client(port());
    client.send(get("/one") + get("/two") + get("/direct"));
    for (int count = 1; count <= 2; ++count) {
        until_begun(count);
        ring();
        EXPECT_EQ(client.receive().body, count == 1 ? "/one in the lane" : "/two in the lane");
    }
    EXPECT_EQ(client.receive().body, "direct");
}

TEST_F(NetLaneTest, WhatIsLargeIsFinishedOnThePool) {
    start();
    TestClient client(port());
    client.send(get("/large"));
    until_begun(1);
    ring();
    EXPECT_EQ(client.receive().body, "/large on the pool");
}

TEST_F(NetLaneTest, LargeBodiesGoToThePoolAtOnce) {
    start();
    TestClient client(port());
    auto post = [&](std::size_t bytes) {
        return "POST /one HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n" +
               std::string(bytes, 'x');
    };
    EXPECT_EQ(client.ask(post(16 * 1024 + 1)).body, "pool");
    client.send(post(16 * 1024));
    until_begun(1);
    ring();
    EXPECT_EQ(client.receive().body, "/one in the lane");
}

TEST_F(NetLaneTest, WhatCannotBeFinishedIsAskedAgainOrRefused) {
    start();
    TestClient client(port());
    client.send(get("/again"));
    until_begun(1);
    ring();
    EXPECT_EQ(client.receive().body, "pool");
    client.send(get("/throws"));
    until_begun(2);
    ring();
    EXPECT_EQ(client.receive().status, 500);
}

TEST_F(NetLaneTest, AClientThatLeavesHarmsNobody) {
    start();
    {
        TestClient gone(port());
        gone.send(get("/one"));
        until_begun(1);
    }
    TestClient other(port());
    other.send(get("/two"));
    until_begun(2);
    ring();
    EXPECT_EQ(other.receive().body, "/two in the lane");
    EXPECT_EQ(finished(2).size(), 2u);
}

TEST_F(NetLaneTest, ADrainWaitsForAnswersUnderWay) {
    start();
    TestClient client(port());
    client.send(get("/one"));
    until_begun(1);
    bool whole = false;
    std::thread draining([&] { whole = server->drain(); });
    while (TestClient(port()).connected())
        std::this_thread::yield();
    ring();
    auto answer = client.receive();
    EXPECT_EQ(answer.body, "/one in the lane");
    EXPECT_EQ(answer.field("Connection"), "close");
    draining.join();
    EXPECT_TRUE(whole);
}

TEST_F(NetLaneTest, TheEndOfADrainAbandonsThem) {
    settings.drain_timeout = 50ms;
    start();
    TestClient client(port());
    client.send(get("/one"));
    until_begun(1);
    EXPECT_FALSE(server->drain());
    EXPECT_EQ(client.receive().status, 0);
    EXPECT_EQ(finished(1).size(), 1u);
}

}  // namespace
}  // namespace integreat::net
