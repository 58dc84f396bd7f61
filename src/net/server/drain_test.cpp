// SPDX-License-Identifier: Apache-2.0
#include <latch>
#include <thread>

#include "net/testing/loopback_server.h"
#include "net/testing/test_server.h"

namespace integreat::net {
namespace {

using namespace std::chrono_literals;

class DrainTest : public ServerTest {};

TEST_F(DrainTest, ClosesIdleConnectionsImmediately) {
    settings.threads = 3;
    start();
    TestClient fresh(port());
    TestClient used(port());
    EXPECT_EQ(used.fetch(get_request).status, 200);
    EXPECT_TRUE(server->drain());
    EXPECT_TRUE(used.at_end());
    EXPECT_FALSE(TestClient(port()).connected());
}

TEST_F(DrainTest, LetsRequestsInProgressFinish) {
    std::latch begun(1);
    std::latch release(1);
    application.handle = [&](const http::Request&, http::RequestContext&) -> http::Response {
        begun.count_down();
        release.wait();
        return http::FullResponse{.body = "finished"};
    };
    start();
    TestClient client(port());
    client.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n" + std::string(get_request));
    TestClient sending(port());
    EXPECT_EQ(sending.fetch("GET /direct HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
    sending.send("POST /direct HTTP/1.1\r\nHo");
    begun.wait();

    bool complete = false;
    std::thread draining([&] { complete = server->drain(); });
    while (TestClient(port()).connected())
        std::this_thread::yield();  // Until the listener is closed.
    release.count_down();
    auto response = client.receive();
    EXPECT_EQ(response.body, "finished");
    EXPECT_EQ(response.field("Connection"), "close");
    client.read_rest();
    auto late = sending.fetch("st: h\r\n\r\n");
    EXPECT_EQ(late.body, "direct");
    EXPECT_EQ(late.field("Connection"), "close");
    draining.join();
    EXPECT_TRUE(complete);
}

TEST_F(DrainTest, ClosesTheConnectionAfterAProxiedResponse) {
    std::latch begun(1);
    std::latch release(1);
    LoopbackServer behind([&](TestConnection& connection) {
        connection.read_head();
        begun.count_down();
        release.wait();
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
    http::Upstream upstream{.tenant = TenantId{"campus"},
                            .name = "portal",
                            .key = "campus/portal",
                            .host = "127.0.0.1",
                            .port = behind.port()};
    auto definition = std::make_shared<const http::Upstream>(upstream);
    application.admit = [&](const http::Request& request, http::RequestContext& context) -> http::Admission {
        context.deadline = Monotonic::max();
        return http::ProxyRequest{
            .upstream = definition, .target = request.target, .headers = request.headers};
    };
    start();
    TestClient client(port());
    client.send(get_request);
    begun.wait();

    bool complete = false;
    std::thread draining([&] { complete = server->drain(); });
    while (TestClient(port()).connected())
        std::this_thread::yield();  // Until the listener is closed.
    release.count_down();
    auto response = client.receive();
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "ok");
    EXPECT_EQ(response.field("Connection"), "close");
    EXPECT_TRUE(client.at_end());
    draining.join();
    EXPECT_TRUE(complete);
}

TEST_F(DrainTest, ServesConnectionsInTheListenBacklog) {
    std::latch begun(1);
    std::latch release(1);
    application.admit = [&](const http::Request& request, http::RequestContext&) -> http::Admission {
        if (request.path() == "/stuck") {  // Blocks the thread that accepts.
            begun.count_down();
            release.wait();
        }
        return http::FullResponse{.body = "served"};
    };
    start();
    TestClient stuck(port());
    stuck.send("GET /stuck HTTP/1.1\r\nHost: h\r\n\r\n");
    begun.wait();
    TestClient asking(port());
    asking.send(get_request);
    TestClient silent(port());
    std::thread draining([&] { server->drain(); });
    release.count_down();
    EXPECT_EQ(asking.receive().body, "served");
    EXPECT_TRUE(silent.read_rest().empty());
    draining.join();
}

TEST_F(DrainTest, AbortsRequestsAfterTheDrainTimeout) {
    settings.drain_timeout = 20ms;
    start();
    TestClient client(port());
    client.send("GET / HTTP/1.1\r\nHost: h\r\n");  // The rest never comes.
    EXPECT_EQ(TestClient(port()).fetch(get_request).status, 200);
    EXPECT_FALSE(server->drain());
    EXPECT_TRUE(client.read_rest().empty());
}

TEST_F(DrainTest, LosesNoRequestOfManyClients) {
    settings.threads = 2;
    start();
    std::atomic<int> requests{0};
    std::atomic<int> responses{0};
    std::vector<std::thread> clients;
    for (int i = 0; i < 8; ++i) {
        clients.emplace_back([&] {
            TestClient client(port());
            for (std::string connection_header; connection_header != "close";) {
                // A connection closed while idle: the request was not read, and a client would retry it on
                // another connection.
                auto response = client.fetch(get_request);
                if (response.head.empty()) return;
                ++requests;
                responses += response.status == 200;
                connection_header = response.field("Connection");
            }
        });
    }
    finished(200);
    EXPECT_TRUE(server->drain());
    for (auto& client : clients)
        client.join();
    EXPECT_GE(requests, 200);
    EXPECT_EQ(requests, responses);
    EXPECT_EQ(static_cast<int>(finished_.lock()->size()), responses);
}

}  // namespace
}  // namespace integreat::net
