// SPDX-License-Identifier: Apache-2.0
// Pending responses that wait for an event: completed from any thread, or cancelled by the client, the
// deadline or a drain. The only thread of the blocking pool is occupied in all tests.
#include <atomic>
#include <latch>
#include <thread>

#include "net/testing/test_server.h"

namespace integreat::net {
namespace {

using namespace std::chrono_literals;

std::string get(const std::string& target) {
    return "GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

// An application whose targets are pending until an event is published; "/direct" is not. Targets that begin
// with "/head" get their response from admit, the others from handle.
class LongPollTest : public ServerTest {
protected:
    using Ready = std::function<void(bool large)>;

    LongPollTest() {
        application.admit = [this](const http::Request& request,
                                   http::RequestContext& context) -> http::Admission {
            context.deadline = context.arrived + timeout;
            if (request.path() == "/direct") return http::FullResponse{.body = "direct"};
            if (request.path() == "/pool") return http::ReadBody{.execution = http::Execution::blocking};
            if (request.path().starts_with("/head")) return poll(request, context);
            return http::ReadBody{.max_bytes = 100'000};
        };
        application.handle = [this](const http::Request& request,
                                    http::RequestContext& context) -> http::Response {
            if (request.path() == "/pool") {
                occupied.count_down();
                release.wait();
                return http::FullResponse{};
            }
            if (request.path() == "/publish") {
                auto locked = published.lock();  // `complete` takes it, too.
                call_all();
                return http::FullResponse{.body = "published"};
            }
            return poll(request, context);
        };
    }
    ~LongPollTest() override {
        release.count_down();
        server.reset();
    }

    void start_with_occupied_pool() {
        start();
        occupying = std::make_unique<TestClient>(port());
        occupying->send(get("/pool"));
        occupied.wait();
    }

    // The state of a handler, shared by both functions of its response.
    struct Poll {
        explicit Poll(std::atomic<int>& live_polls) : live(live_polls) { ++live; }
        ~Poll() { --live; }
        Poll(const Poll&) = delete;
        std::atomic<int>& live;
    };

    http::PendingResponse poll(const http::Request& request, http::RequestContext& context) {
        EXPECT_FALSE(context.may_block);
        auto state = std::make_shared<Poll>(live_polls);
        return {.on_ready =
                    [this, state, immediately = request.path().ends_with("/now")](Ready ready) {
                        if (immediately) {
                            ready(false);
                            ready(false);
                        }
                        callbacks.lock()->push_back(std::move(ready));
                        ++started;
                    },
                .complete = [this, &request, &context, state]() -> http::Response {
                    EXPECT_FALSE(context.may_block);
                    return http::FullResponse{.body = request.target + " " + *published.lock()};
                },
                .completes_on_drain = completes_on_drain};
    }
    // Calls all callbacks on this thread, also those of responses that have ended.
    void publish(std::string event) {
        *published.lock() = std::move(event);
        call_all();
    }
    void call_all() {
        auto all = callbacks.lock();
        for (const auto& ready : *all)
            ready(false);
    }
    void wait_until_started(int count) {
        EXPECT_TRUE(eventually([&] { return started == count; }));
    }
    // Waits until the sessions read from their clients: one tick after the beginning of the wait.
    void wait_until_reading(TestClient& client) {
        auto& received = registry.counter("integreat_http_bytes_total", "", {{"direction", "in"}});
        EXPECT_TRUE(eventually([&] { return received.value() > 0; }));
        auto before = received.value();
        client.send(get("/direct"));
        EXPECT_TRUE(eventually([&] { return received.value() > before; }));
    }
    template <class Condition>
    static bool eventually(Condition condition) {
        auto until = std::chrono::steady_clock::now() + 10s;
        while (!condition() && std::chrono::steady_clock::now() < until)
            std::this_thread::yield();
        return condition();
    }

    std::chrono::milliseconds timeout = 60s;
    bool completes_on_drain = false;
    Synchronized<std::string> published;
    Synchronized<std::vector<Ready>> callbacks;
    std::atomic<int> started = 0;
    std::atomic<int> live_polls = 0;
    std::latch occupied{1};
    std::latch release{1};
    std::unique_ptr<TestClient> occupying;
};

TEST_F(LongPollTest, CompletesFromAnotherThread) {
    start_with_occupied_pool();
    TestClient one(port()), two(port()), other(port());
    one.send(get("/head"));
    two.send("POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi");
    wait_until_started(2);
    EXPECT_EQ(other.fetch(get("/direct")).body, "direct");
    publish("first");
    EXPECT_EQ(one.receive().body, "/head first");
    EXPECT_EQ(two.receive().body, "/body first");
    EXPECT_EQ(live_polls, 0);
    one.send(get("/again"));
    wait_until_started(3);
    publish("second");
    EXPECT_EQ(one.receive().body, "/again second");
}

TEST_F(LongPollTest, CompletesWhileItReadsFromTheClient) {
    start_with_occupied_pool();
    TestClient client(port());
    client.send(get("/head"));
    wait_until_started(1);
    wait_until_reading(client);
    publish("event");
    EXPECT_EQ(client.receive().body, "/head event");
    EXPECT_EQ(client.receive().body, "direct");
}

TEST_F(LongPollTest, CompletesIfTheEventHappensAtOnce) {
    start_with_occupied_pool();
    TestClient client(port());
    for (int i = 0; i < 100; ++i)
        EXPECT_EQ(client.fetch(get("/head/now")).body, "/head/now ");
}

TEST_F(LongPollTest, ContinuesAfterThePublishingHandlerHasReturned) {
    start_with_occupied_pool();
    TestClient waiting(port()), publishing(port());
    waiting.send(get("/head"));
    wait_until_started(1);
    EXPECT_EQ(publishing.fetch(get("/publish")).body, "published");
    EXPECT_EQ(waiting.receive().body, "/head ");
}

TEST_F(LongPollTest, LosesNoEvent) {
    settings.threads = 2;
    start_with_occupied_pool();
    std::atomic<bool> stop = false;
    std::jthread publishing([&] {
        while (!stop) {
            for (const auto& ready : std::exchange(*callbacks.lock(), {}))
                ready(false);
        }
    });
    std::vector<std::jthread> clients;
    for (int i = 0; i < 4; ++i) {
        clients.emplace_back([&] {
            TestClient client(port());
            for (int count = 0; count < 200; ++count)
                EXPECT_EQ(client.fetch(get("/poll")).status, 200);
        });
    }
    clients.clear();
    stop = true;
}

TEST_F(LongPollTest, KeepsAllPipelinedRequests) {
    start_with_occupied_pool();
    TestClient client(port());
    constexpr int count = 2'000;  // More than a wait reads.
    std::string requests = get("/head");
    for (int i = 0; i < count; ++i)
        requests += get("/direct");
    client.send(get("/head"));
    wait_until_started(1);
    wait_until_reading(client);
    std::jthread sending([&] { client.send(requests); });
    publish("event");
    EXPECT_EQ(client.receive().body, "/head event");
    EXPECT_EQ(client.receive().body, "direct");
    wait_until_started(2);
    auto& received = registry.counter("integreat_http_bytes_total", "", {{"direction", "in"}});
    EXPECT_TRUE(eventually([&] { return received.value() > 32 * 1024; }));
    publish("event");
    EXPECT_EQ(client.receive().body, "/head event");
    for (int i = 0; i < count; ++i)
        ASSERT_EQ(client.receive().body, "direct");
}

TEST_F(LongPollTest, EndsWhenTheClientDisconnects) {
    start_with_occupied_pool();
    {
        TestClient leaving(port());
        leaving.send(get("/head"));
        wait_until_started(1);
        EXPECT_EQ(live_polls, 1);
    }
    auto summary = finished(1)[0].summary;
    EXPECT_FALSE(summary.complete);
    EXPECT_EQ(summary.status, 0);
    EXPECT_TRUE(eventually([&] { return live_polls == 0; }));
    publish("no client is waiting");
    TestClient other(port());
    other.send(get("/head"));
    wait_until_started(2);
    publish("event");
    EXPECT_EQ(other.receive().body, "/head event");
}

TEST_F(LongPollTest, IsRejectedAtTheDeadline) {
    timeout = 20ms;
    start_with_occupied_pool();
    TestClient client(port());
    auto response = client.fetch(get("/head"));
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(response.field("Retry-After"), "1");
    auto request = finished(1)[0];
    EXPECT_EQ(request.type, "unavailable");
    EXPECT_GE(request.summary.duration, 20ms);
    EXPECT_EQ(live_polls, 0);
    publish("no client is waiting");
    EXPECT_EQ(client.fetch(get("/direct")).body, "direct");
}

TEST_F(LongPollTest, IsRejectedAtTheDeadlineAlsoBehindManyPipelinedRequests) {
    timeout = 200ms;
    start_with_occupied_pool();
    TestClient client(port());
    std::string requests = get("/head");
    for (int i = 0; i < 2'000; ++i)
        requests += get("/direct");
    std::jthread sending([&] { client.send(requests); });
    EXPECT_EQ(client.receive().status, 503);
    for (int i = 0; i < 2'000; ++i)
        ASSERT_EQ(client.receive().body, "direct");
}

TEST_F(LongPollTest, CompletesOnADrain) {
    completes_on_drain = true;
    start();
    bool complete = false;
    std::thread draining;
    {
        TestClient fresh(port()), reading(port());
        reading.send(get("/reading"));
        wait_until_started(1);
        wait_until_reading(reading);
        fresh.send(get("/fresh"));
        wait_until_started(2);
        draining = std::thread([&] { complete = server->drain(); });
        for (auto* client : {&fresh, &reading}) {
            auto response = client->receive();
            EXPECT_EQ(response.status, 200);
            EXPECT_EQ(response.field("Connection"), "close");
        }
    }
    draining.join();
    EXPECT_TRUE(complete);
    EXPECT_EQ(live_polls, 0);
    publish("no client is waiting");
}

TEST_F(LongPollTest, IsWaitedForByADrainUnlessItCompletes) {
    start();
    TestClient client(port());
    client.send(get("/head"));
    wait_until_started(1);
    bool complete = false;
    std::thread draining([&] { complete = server->drain(); });
    while (TestClient(port()).connected())
        std::this_thread::yield();
    publish("event");
    auto response = client.receive();
    EXPECT_EQ(response.body, "/head event");
    EXPECT_EQ(response.field("Connection"), "close");
    draining.join();
    EXPECT_TRUE(complete);
}

TEST_F(LongPollTest, IsAbortedAfterTheDrainTimeout) {
    settings.drain_timeout = 50ms;
    start();
    TestClient client(port());
    client.send(get("/head"));
    wait_until_started(1);
    EXPECT_FALSE(server->drain());
    EXPECT_EQ(client.receive().status, 0);
    EXPECT_EQ(finished(1).size(), 1u);
    EXPECT_EQ(live_polls, 0);
    server.reset();
    publish("the server is gone");
}

}  // namespace
}  // namespace integreat::net
