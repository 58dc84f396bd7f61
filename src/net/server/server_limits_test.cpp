// SPDX-License-Identifier: Apache-2.0
// Slow clients, many clients, and more work than threads: each limit affects its cause only.
#include <atomic>
#include <latch>
#include <thread>

#include <fmt/format.h>

#include "net/testing/test_server.h"

namespace integreat::net {
namespace {

using namespace std::chrono_literals;

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

TEST_F(LimitsTest, ClosesConnectionsThatSendNothing) {
    settings.header_timeout = 20ms;
    start();
    TestClient client(port());
    EXPECT_TRUE(client.at_end());
    EXPECT_EQ(timeouts("idle"), 1u);
    EXPECT_TRUE(finished_.lock()->empty());
}

TEST_F(LimitsTest, ClosesConnectionsThatStayIdleBetweenRequests) {
    settings.idle_timeout = 20ms;
    start();
    TestClient client(port());
    EXPECT_EQ(client.fetch(get_request).status, 200);
    EXPECT_TRUE(client.at_end());
    EXPECT_EQ(timeouts("idle"), 1u);
}

TEST_F(LimitsTest, RejectsAHeadThatTricklesIn) {
    settings.header_timeout = 50ms;
    start();
    TestClient client(port());
    int sent = 0;
    while (client.send("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(sent == 0 ? 0 : 1, 'x')) &&
           ++sent < 1'000 &&
           recv(client.socket(), std::string(1, '.').data(), 1, MSG_PEEK | MSG_DONTWAIT) < 0) {
        usleep(2'000);  // The client always sends one more byte.
    }
    auto response = client.receive();
    EXPECT_TRUE(response.status == 408 || response.status == 400) << response.status;
    EXPECT_TRUE(client.at_end());
}

TEST_F(LimitsTest, RespondsToAnIncompleteHeadWith408) {
    settings.header_timeout = 20ms;
    start();
    TestClient client(port());
    auto response = client.fetch("GET / HTTP/1.1\r\nHost: h\r\n");
    EXPECT_EQ(response.status, 408);
    EXPECT_TRUE(client.at_end());
    EXPECT_EQ(timeouts("header"), 1u);
    EXPECT_EQ(finished(1)[0].type, "request-timeout");
}

TEST_F(LimitsTest, RespondsToAStalledBodyWith408) {
    settings.body_timeout = 20ms;
    start();
    TestClient client(port());
    auto response = client.fetch("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab");
    EXPECT_EQ(response.status, 408);
    EXPECT_TRUE(client.at_end());
    EXPECT_EQ(timeouts("body"), 1u);
}

TEST_F(LimitsTest, RejectsBodiesAtTheRequestDeadline) {
    application.admit = [this](const http::Request&, http::RequestContext& context) -> http::Admission {
        context.deadline = clock.monotonic() + 20ms;
        return http::ReadBody{.max_bytes = 100};
    };
    start();
    EXPECT_EQ(TestClient(port()).fetch("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab").status,
              408);
}

TEST_F(LimitsTest, ClosesConnectionsThatDoNotRead) {
    settings.write_timeout = 20ms;
    application.handle = [&](const http::Request&, http::RequestContext&) -> http::Response {
        return http::FullResponse{.body = std::string(50'000'000, 'x')};
    };
    start();
    TestClient client(port());
    client.send(get_request);
    EXPECT_FALSE(finished(1)[0].summary.complete);
    EXPECT_EQ(timeouts("write"), 1u);
}

TEST_F(LimitsTest, RejectsConnectionsOverTheLimit) {
    settings.max_connections = 2;
    start();
    auto first = std::make_unique<TestClient>(port());
    TestClient second(port());
    EXPECT_EQ(first->fetch(get_request).status, 200);
    EXPECT_EQ(second.fetch(get_request).status, 200);
    auto rejection = TestClient(port()).receive();
    EXPECT_EQ(rejection.status, 503);
    EXPECT_EQ(rejection.field("Retry-After"), "1");
    EXPECT_NE(rejection.body.find("/problems/overloaded"), std::string::npos);
    EXPECT_EQ(count("integreat_connections_refused_total", {{"reason", "server"}}), 1u);

    first.reset();
    int status = 503;
    for (int i = 0; i < 1'000 && status != 200; ++i)
        status = TestClient(port()).fetch(get_request).status;
    EXPECT_EQ(status, 200);
}

TEST_F(LimitsTest, RejectsConnectionsOverTheLimitPerClient) {
    settings.max_connections_per_client = 1;
    settings.trusted_proxies = {"127.0.0.3"};
    start();
    TestClient first(port());
    EXPECT_EQ(first.fetch(get_request).status, 200);
    EXPECT_EQ(TestClient(port()).receive().status, 503);
    EXPECT_EQ(count("integreat_connections_refused_total", {{"reason", "client"}}), 1u);

    TestClient other(port(), "127.0.0.2");
    EXPECT_EQ(other.fetch(get_request).status, 200);
    TestClient proxy(port(), "127.0.0.3");
    EXPECT_EQ(proxy.fetch(get_request).status, 200);
    TestClient proxy_again(port(), "127.0.0.3");
    EXPECT_EQ(proxy_again.fetch(get_request).status, 200);
}

TEST_F(LimitsTest, ClosesConnectionsAfterTheMaximumNumberOfRequests) {
    settings.max_requests_per_connection = 2;
    start();
    TestClient client(port());
    EXPECT_EQ(client.fetch(get_request).field("Connection"), "");
    EXPECT_EQ(client.fetch(get_request).field("Connection"), "close");
    EXPECT_TRUE(client.at_end());
}

TEST_F(LimitsTest, LimitsTheMemoryForRequestBodies) {
    settings.body_bytes_in_flight_max = 40;  // A quarter of it for one caller.
    start();
    TestClient hoarder(port());
    hoarder.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n");
    EXPECT_EQ(hoarder.receive().status, 100);
    hoarder.send("12345678");
    TestResponse response;
    for (int i = 0; i < 1'000 && response.status != 503;
         ++i) {  // Until the server has read the hoarder's bytes.
        response = TestClient(port()).fetch("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
    }
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(response.field("Retry-After"), "1");
    EXPECT_EQ(hoarder.fetch("9").body, "POST 123456789");
    EXPECT_EQ(TestClient(port()).fetch("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc").body,
              "POST abc");
}

TEST_F(LimitsTest, AdmitsABodyOfATenantWhileAnotherHoldsAllThatItMay) {
    settings.body_bytes_in_flight_max = 64;  // 48 for one tenant, 16 for one caller; 4 from the reserve.
    application.admit = [](const http::Request& request, http::RequestContext& context) -> http::Admission {
        context.tenant.text = request.headers.value("X-Tenant");
        auto principal = std::make_shared<Principal>();
        principal->subject = request.headers.value("X-Subject");
        context.principal = std::move(principal);
        return http::ReadBody{.max_bytes = 100};
    };
    start();
    auto head = [](std::string_view tenant, std::string_view subject, int length) {
        return fmt::format(
            "POST / HTTP/1.1\r\nHost: h\r\nX-Tenant: {}\r\nX-Subject: {}\r\nExpect: 100-continue\r\n"
            "Content-Length: {}\r\n\r\n",
            tenant, subject, length);
    };
    auto open = [&](std::string_view tenant, std::string_view subject, int length) {
        auto client = std::make_unique<TestClient>(port());
        client->send(head(tenant, subject, length));
        EXPECT_EQ(client->receive().status, 100);
        return client;
    };
    std::vector<std::unique_ptr<TestClient>> hoarders;
    for (const char* subject : {"a", "b", "c"}) {
        hoarders.push_back(open("campus", subject, 17));
        hoarders.back()->send("0123456789abcdef");  // All but the last byte.
    }
    auto status_of = [&](std::string_view tenant, std::string_view subject) {
        auto client = open(tenant, subject, 3);
        client->send("abc");
        return client->receive().status;
    };
    int refused = 0;  // Until the server has read the bytes of all hoarders.
    for (int i = 0; i < 1'000 && refused != 503; ++i)
        refused = status_of("campus", "d");
    EXPECT_EQ(refused, 503);
    EXPECT_EQ(status_of("teleo", "a"), 200);
    hoarders[0]->send("0");
    EXPECT_EQ(hoarders[0]->receive().status, 503) << "a caller may hold a quarter";
    EXPECT_EQ(status_of("campus", "d"), 200);
}

TEST_F(LimitsTest, RejectsABodyThatTricklesIn) {
    settings.body_timeout = 100ms;
    settings.min_body_bytes_per_second = 1'000'000;
    application.admit = [](const http::Request&, http::RequestContext&) -> http::Admission {
        return http::ReadBody{.max_bytes = 100'000};
    };
    start();
    TestClient client(port());
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 50000\r\n\r\n");
    int sent = 0;
    char byte = 0;
    while (client.send("x") && ++sent < 50'000 &&
           recv(client.socket(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0)
        usleep(2'000);  // Far less than body_timeout.
    EXPECT_LT(sent, 50'000);
    EXPECT_EQ(client.receive().status, 408);
    EXPECT_EQ(timeouts("body"), 1u);
}

// Clients that send a request and do not read the response.
struct SilentReaders {
    SilentReaders(std::uint16_t port, int count, std::atomic<int>& handled) {
        for (int i = 0; i < count; ++i) {
            clients.push_back(std::make_unique<TestClient>(port));
            clients.back()->send(get_request);
        }
        while (handled < count)
            std::this_thread::yield();
        // The thread of the server has begun to send all responses when it sends this one.
        EXPECT_EQ(TestClient(port).fetch("GET /direct HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
    }
    std::vector<std::unique_ptr<TestClient>> clients;
};

TEST_F(LimitsTest, DisconnectsTheSlowestReadersAboveTheMemoryForResponses) {
    constexpr std::int64_t mib = 1024 * 1024;
    settings.max_response_bytes_in_flight = 256 * mib;  // 64 MiB for one caller.
    std::atomic<int> handled = 0;
    application.handle = [&](const http::Request&, http::RequestContext&) -> http::Response {
        ++handled;
        return http::FullResponse{.body = std::string(16 * mib, 'x')};
    };
    start();
    SilentReaders readers(port(), 10, handled);
    auto in_flight = [&] { return registry.gauge("integreat_http_response_bytes_in_flight", "").value(); };
    EXPECT_EQ(count("integreat_http_responses_shed_total"), 7u);
    EXPECT_GE(in_flight(), 48 * mib);
    EXPECT_LE(in_flight(), 64 * mib);
    EXPECT_EQ(TestClient(port(), "127.0.0.2").fetch(get_request).status, 200) << "another client reads";
    EXPECT_EQ(count("integreat_http_responses_shed_total"), 7u);
    int complete = 0;
    for (auto& client : readers.clients)
        complete += client->receive().status == 200 ? 1 : 0;
    EXPECT_EQ(complete, 3);
    finished(12);
    EXPECT_EQ(in_flight(), 0);
}

TEST_F(LimitsTest, SharesTheMemoryOfADocumentAmongItsReaders) {
    auto document = std::make_shared<const std::string>(16 * 1024 * 1024, 'x');
    std::atomic<int> handled = 0;
    application.handle = [&](const http::Request&, http::RequestContext&) -> http::Response {
        ++handled;
        return http::FullResponse{.shared_body = document};
    };
    start();
    SilentReaders readers(port(), 50, handled);
    EXPECT_LE(registry.gauge("integreat_http_response_bytes_in_flight", "").value(), 50 * 1'000);
    EXPECT_EQ(count("integreat_http_responses_shed_total"), 0u);
    EXPECT_EQ(readers.clients.front()->receive().body, *document);
}

TEST_F(LimitsTest, KeepsTheReserveOfOperatorsFromOthersOnTheirRoutes) {
    settings.body_bytes_in_flight_max = 64;  // 48 for the others, 16 for one caller.
    application.admit = [](const http::Request& request, http::RequestContext& context) -> http::Admission {
        context.tenant = platform_tenant;
        auto principal = std::make_shared<Principal>();
        principal->kind = PrincipalKind::user;
        principal->tenant = platform_tenant;
        principal->subject = request.headers.value("X-Subject");
        principal->role = request.headers.value("X-Role");
        context.principal = std::move(principal);
        return http::ReadBody{.max_bytes = 100};
    };
    start();
    auto open = [&](std::string_view subject, std::string_view role, int length) {
        auto client = std::make_unique<TestClient>(port());
        client->send(
            fmt::format("POST / HTTP/1.1\r\nHost: h\r\nX-Subject: {}\r\nX-Role: {}\r\n"
                        "Expect: 100-continue\r\nContent-Length: {}\r\n\r\n",
                        subject, role, length));
        EXPECT_EQ(client->receive().status, 100);
        return client;
    };
    auto status_of = [&](std::string_view subject, std::string_view role) {
        auto client = open(subject, role, 8);
        client->send("12345678");
        return client->receive().status;
    };
    std::vector<std::unique_ptr<TestClient>> hoarders;
    for (const char* subject : {"a", "b", "c"}) {
        hoarders.push_back(open(subject, "", 17));
        hoarders.back()->send("0123456789abcdef");
    }
    int refused = 0;  // Until the server has read the bytes of all hoarders.
    for (int i = 0; i < 1'000 && refused != 503; ++i)
        refused = status_of("d", "");
    EXPECT_EQ(refused, 503);
    EXPECT_EQ(status_of("e", "admin"), 200);
}

TEST_F(LimitsTest, RunsBlockingHandlersOnAnotherThread) {
    std::latch release(1);
    application.handle = [&](const http::Request& request, http::RequestContext& context) -> http::Response {
        if (request.path() == "/wait") release.wait();
        return http::FullResponse{.body = context.may_block ? "may wait" : "may not"};
    };
    start();
    TestClient blocked(port());
    blocked.send(wait);
    EXPECT_EQ(TestClient(port()).fetch(get_request).body, "may not");
    release.count_down();
    EXPECT_EQ(blocked.receive().body, "may wait");
}

TEST_F(LimitsTest, CallsAdmitAgainOnTheBlockingPool) {
    application.admit = [](const http::Request&, http::RequestContext& context) -> http::Admission {
        if (!context.may_block) return http::NeedsBlockingThread{};
        return http::ReadBody{.max_bytes = 10};
    };
    application.handle = [](const http::Request& request, http::RequestContext& context) -> http::Response {
        return http::FullResponse{.body = request.body + (context.may_block ? " may wait" : " may not")};
    };
    start();
    EXPECT_EQ(TestClient(port()).fetch("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi").body,
              "hi may not");
}

TEST_F(LimitsTest, RespondsWith503WhenTheQueueIsFull) {
    settings.max_blocking_queue_length = 1;
    std::latch release(1);
    std::latch begun(1);
    application.handle = [&](const http::Request& request, http::RequestContext&) -> http::Response {
        if (request.query() == "first") begun.count_down();
        release.wait();
        return http::FullResponse{};
    };
    start();
    TestClient working(port());
    working.send("GET /wait?first HTTP/1.1\r\nHost: h\r\n\r\n");
    begun.wait();
    TestClient queued(port());
    queued.send(wait);
    auto& depth = registry.gauge("integreat_blocking_pool_queued", "");
    while (depth.value() < 1)
        std::this_thread::yield();

    TestClient shed(port());
    auto response = shed.fetch(wait);
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(response.field("Retry-After"), "1");
    EXPECT_EQ(finished(1)[0].type, "overloaded");
    EXPECT_EQ(count("integreat_blocking_pool_refused_total"), 1u);
    release.count_down();
    EXPECT_EQ(working.receive().status, 200);
    EXPECT_EQ(queued.receive().status, 200);
    EXPECT_EQ(shed.fetch(wait).status, 200);
}

TEST_F(LimitsTest, DoesNotStartRequestsAfterTheirDeadline) {
    std::latch release(1);
    std::latch begun(1);
    application.admit = [this](const http::Request& request,
                               http::RequestContext& context) -> http::Admission {
        if (request.query() == "late") context.deadline = clock.monotonic();
        return http::ReadBody{.execution = http::Execution::blocking};
    };
    application.handle = [&](const http::Request& request, http::RequestContext&) -> http::Response {
        EXPECT_NE(request.query(), "late");
        begun.count_down();
        release.wait();
        return http::FullResponse{};
    };
    start();
    TestClient working(port());
    working.send(get_request);
    begun.wait();
    TestClient late(port());
    late.send("GET /?late HTTP/1.1\r\nHost: h\r\n\r\n");
    while (registry.gauge("integreat_blocking_pool_queued", "").value() < 1)
        std::this_thread::yield();
    release.count_down();
    EXPECT_EQ(late.receive().status, 503);
    EXPECT_EQ(count("integreat_blocking_pool_expired_total"), 1u);
}

}  // namespace
}  // namespace integreat::net
