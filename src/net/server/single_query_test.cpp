// SPDX-License-Identifier: Apache-2.0
// Pending responses: the I/O thread serves other clients meanwhile. The completion source is an eventfd that
// the test signals.
#include <atomic>
#include <thread>

#include <sys/eventfd.h>

#include "net/testing/test_server.h"

namespace integreat::net {
namespace {

using namespace std::chrono_literals;

std::string make_get(const std::string& target) {
    return "GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

// A server with one I/O thread, whose completion source completes all pending responses when it is signalled.
class SingleQueryTest : public ServerTest {
protected:
    SingleQueryTest() {
        application.admit = [](const http::Request& request, http::RequestContext&) -> http::Admission {
            if (request.path() == "/direct") return http::FullResponse{.body = "direct"};
            return http::ReadBody{.max_bytes = 100'000,
                                  .execution = request.path() == "/pool" ? http::Execution::blocking
                                                                         : http::Execution::single_query};
        };
        application.make_completion_source = [this] {
            return http::CompletionSource{
                .descriptor = event_fd,
                .advance = [this] { advance(); },
                .expire = [this] { ++expired; },
                .abandon = [this] { complete_all(); },
                .attach = [this](http::RequestContext& context) { context.attachments.set(this); },
                .detach =
                    [](http::RequestContext& context) { context.attachments.set<SingleQueryTest>(nullptr); }};
        };
        application.handle = [this](const http::Request& request, http::RequestContext& context) {
            return handle(request, context);
        };
    }
    ~SingleQueryTest() override {
        server.reset();
        ::close(event_fd);
    }

    http::Response handle(const http::Request& request, http::RequestContext& context) {
        if (!context.attachments.find<SingleQueryTest>())
            return http::FullResponse{.body = context.may_block ? "pool" : "nowhere"};
        EXPECT_FALSE(context.may_block);
        if (request.path() == "/defer") return http::NeedsBlockingThread{};
        if (request.path() == "/now") return http::FullResponse{.body = "now"};
        bool large = request.path() == "/large";
        ++started;
        return http::PendingResponse{
            .on_ready =
                [this, large](std::function<void(bool)> ready) {
                    pending.push_back([ready = std::move(ready), large] { ready(large); });
                },
            .complete = [&request, &context]() -> http::Response {
                if (request.path() == "/again") return http::NeedsBlockingThread{};
                if (request.path() == "/throws") throw std::runtime_error("on purpose");
                std::string where = context.may_block ? " on the pool" : " inline";
                return http::FullResponse{.body = request.target + where};
            }};
    }
    void signal() {
        std::uint64_t one = 1;
        EXPECT_EQ(::write(event_fd, &one, sizeof one), static_cast<ssize_t>(sizeof one));
    }
    void advance() {
        std::uint64_t count = 0;
        EXPECT_EQ(::read(event_fd, &count, sizeof count), static_cast<ssize_t>(sizeof count));
        complete_all();
    }
    void complete_all() {
        for (auto& complete : std::exchange(pending, {}))
            complete();
    }
    void wait_until_started(int count) {
        while (started < count)
            std::this_thread::yield();
    }

    int event_fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    std::vector<std::function<void()>> pending;  // Used on the I/O thread only.
    std::atomic<int> started = 0;
    std::atomic<int> expired = 0;
};

TEST_F(SingleQueryTest, ServesOtherClientsWhileResponsesArePending) {
    start();
    TestClient one(port()), two(port()), third(port());
    one.send(make_get("/one"));
    two.send(make_get("/two"));
    wait_until_started(2);
    EXPECT_EQ(third.fetch(make_get("/direct")).body, "direct");
    EXPECT_EQ(third.fetch(make_get("/now")).body, "now");
    EXPECT_EQ(third.fetch(make_get("/defer")).body, "pool");
    EXPECT_EQ(third.fetch(make_get("/pool")).body, "pool");
    signal();
    EXPECT_EQ(one.receive().body, "/one inline");
    EXPECT_EQ(two.receive().body, "/two inline");
    while (expired == 0)
        std::this_thread::yield();
}

TEST_F(SingleQueryTest, AnswersRequestsOfOneConnectionInOrder) {
    start();
    TestClient client(port());
    client.send(make_get("/one") + make_get("/two") + make_get("/direct"));
    for (int count = 1; count <= 2; ++count) {
        wait_until_started(count);
        signal();
        EXPECT_EQ(client.receive().body, count == 1 ? "/one inline" : "/two inline");
    }
    EXPECT_EQ(client.receive().body, "direct");
}

TEST_F(SingleQueryTest, CompletesLargeResponsesOnTheBlockingPool) {
    start();
    TestClient client(port());
    client.send(make_get("/large"));
    wait_until_started(1);
    signal();
    EXPECT_EQ(client.receive().body, "/large on the pool");
}

TEST_F(SingleQueryTest, HandlesLargeBodiesOnTheBlockingPool) {
    start();
    TestClient client(port());
    auto post = [&](std::size_t bytes) {
        return "POST /one HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n" +
               std::string(bytes, 'x');
    };
    EXPECT_EQ(client.fetch(post(16 * 1024 + 1)).body, "pool");
    client.send(post(16 * 1024));
    wait_until_started(1);
    signal();
    EXPECT_EQ(client.receive().body, "/one inline");
}

TEST_F(SingleQueryTest, RetriesOnTheBlockingPoolOrRejects) {
    start();
    TestClient client(port());
    client.send(make_get("/again"));
    wait_until_started(1);
    signal();
    EXPECT_EQ(client.receive().body, "pool");
    client.send(make_get("/throws"));
    wait_until_started(2);
    signal();
    EXPECT_EQ(client.receive().status, 500);
}

TEST_F(SingleQueryTest, IsUnaffectedByAClientThatDisconnects) {
    start();
    {
        TestClient leaving(port());
        leaving.send(make_get("/one"));
        wait_until_started(1);
    }
    TestClient other(port());
    other.send(make_get("/two"));
    wait_until_started(2);
    signal();
    EXPECT_EQ(other.receive().body, "/two inline");
    EXPECT_EQ(finished(2).size(), 2u);
}

TEST_F(SingleQueryTest, WaitsForPendingResponsesDuringADrain) {
    start();
    TestClient client(port());
    client.send(make_get("/one"));
    wait_until_started(1);
    bool complete = false;
    std::thread draining([&] { complete = server->drain(); });
    while (TestClient(port()).connected())
        std::this_thread::yield();
    signal();
    auto response = client.receive();
    EXPECT_EQ(response.body, "/one inline");
    EXPECT_EQ(response.field("Connection"), "close");
    draining.join();
    EXPECT_TRUE(complete);
}

TEST_F(SingleQueryTest, AbandonsPendingResponsesAfterTheDrainTimeout) {
    settings.drain_timeout = 50ms;
    start();
    TestClient client(port());
    client.send(make_get("/one"));
    wait_until_started(1);
    EXPECT_FALSE(server->drain());
    EXPECT_EQ(client.receive().status, 0);
    EXPECT_EQ(finished(1).size(), 1u);
}

}  // namespace
}  // namespace integreat::net
