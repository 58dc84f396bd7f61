// SPDX-License-Identifier: Apache-2.0
#include <latch>
#include <thread>

#include "net/testing/loopback_server.h"
#include "net/testing/test_server.h"

namespace integreat::net {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

class DrainTest : public ServerTest {};

TEST_F(DrainTest, EndsIdleConnectionsAtOnce) {
    settings.threads = 3;
    start();
    TestClient fresh(port());
    TestClient used(port());
    EXPECT_EQ(used.ask(get).status, 200);
    EXPECT_TRUE(server->drain());
    EXPECT_TRUE(used.at_end());
    EXPECT_FALSE(TestClient(port()).connected());
}

TEST_F(DrainTest, LetsRequestsUnderWayFinish) {
    std::latch begun(1);
    std::latch release(1);
    application.answer = [&](const http::Request&, http::Call&) -> http::Response {
        begun.count_down();
        release.wait();
        return http::Reply{.body = "finished"};
    };
    start();
    TestClient client(port());
    client.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n" + std::string(get));
    TestClient sending(port());
    EXPECT_EQ(sending.ask("GET /direct HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
    sending.send("POST /direct HTTP/1.1\r\nHo");
    begun.wait();

    bool complete = false;
    std::thread draining([&] { complete = server->drain(); });
    while (TestClient(port()).connected())
        std::this_thread::yield();  // Until the listener is closed.
    release.count_down();
    auto answer = client.receive();
    EXPECT_EQ(answer.body, "finished");
    EXPECT_EQ(answer.field("Connection"), "close");
    client.rest();
    auto late = sending.ask("st: h\r\n\r\n");
    EXPECT_EQ(late.body, "direct");
    EXPECT_EQ(late.field("Connection"), "close");
    draining.join();
    EXPECT_TRUE(complete);
}

TEST_F(DrainTest, SaysInRelayedAnswersThatTheConnectionEnds) {
    std::latch begun(1);
    std::latch release(1);
    LoopbackServer behind([&](Line& line) {
        line.read_head();
        begun.count_down();
        release.wait();
        line.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
    http::Upstream upstream{.tenant = TenantId{"campus"},
                            .name = "portal",
                            .key = "campus/portal",
                            .host = "127.0.0.1",
                            .port = behind.port()};
    auto described = std::make_shared<const http::Upstream>(upstream);
    application.admit = [&](const http::Request& request, http::Call& call) -> http::Admission {
        call.deadline = Monotonic::max();
        return http::Relay{.upstream = described, .target = request.target, .headers = request.headers};
    };
    start();
    TestClient client(port());
    client.send(get);
    begun.wait();

    bool complete = false;
    std::thread draining([&] { complete = server->drain(); });
    while (TestClient(port()).connected())
        std::this_thread::yield();  // Until the listener is closed.
    release.count_down();
    auto answer = client.receive();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "ok");
    EXPECT_EQ(answer.field("Connection"), "close");
    EXPECT_TRUE(client.at_end());
    draining.join();
    EXPECT_TRUE(complete);
}

TEST_F(DrainTest, ServesConnectionsThatOnlyTheKernelHasAccepted) {
    std::latch begun(1);
    std::latch release(1);
    application.admit = [&](const http::Request& request, http::Call&) -> http::Admission {
        if (request.path() == "/stuck") {  // Holds up the thread that accepts.
            begun.count_down();
            release.wait();
        }
        return http::Reply{.body = "served"};
    };
    start();
    TestClient stuck(port());
    stuck.send("GET /stuck HTTP/1.1\r\nHost: h\r\n\r\n");
    begun.wait();
    TestClient asking(port());
    asking.send(get);
    TestClient silent(port());
    std::thread draining([&] { server->drain(); });
    release.count_down();
    EXPECT_EQ(asking.receive().body, "served");
    EXPECT_TRUE(silent.rest().empty());
    draining.join();
}

TEST_F(DrainTest, CutsOffWhatTakesTooLong) {
    settings.drain_timeout = 20ms;
    start();
    TestClient client(port());
    client.send("GET / HTTP/1.1\r\nHost: h\r\n");  // The rest never comes.
    EXPECT_EQ(TestClient(port()).ask(get).status, 200);
    EXPECT_FALSE(server->drain());
    EXPECT_TRUE(client.rest().empty());
}

TEST_F(DrainTest, LosesNoRequestOfManyClients) {
    settings.threads = 2;
    start();
    std::atomic<int> asked{0};
    std::atomic<int> answered{0};
    std::vector<std::thread> clients;
    for (int i = 0; i < 8; ++i) {
        clients.emplace_back([&] {
            TestClient client(port());
            for (std::string said; said != "close";) {
                // What the server ends while it is idle was not read by it; a client sends that
                // again elsewhere.
                auto answer = client.ask(get);
                if (answer.head.empty()) return;
                ++asked;
                answered += answer.status == 200;
                said = answer.field("Connection");
            }
        });
    }
    finished(200);
    EXPECT_TRUE(server->drain());
    for (auto& client : clients)
        client.join();
    EXPECT_GE(asked, 200);
    EXPECT_EQ(asked, answered);
    EXPECT_EQ(static_cast<int>(finished_.lock()->size()), answered);
}

}  // namespace
}  // namespace integreat::net
