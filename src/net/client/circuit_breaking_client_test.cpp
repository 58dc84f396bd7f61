// SPDX-License-Identifier: Apache-2.0
#include "net/client/circuit_breaking_client.h"

#include <gtest/gtest.h>

namespace integreat::net {
namespace {

using namespace std::chrono_literals;

class FakeHttpClient final : public http::HttpClient {
public:
    Result<http::FullResponse> fetch(const http::ClientRequest&) override {
        ++calls;
        if (failure) return Error{*failure, "no", "unknown: no"};
        return http::FullResponse{.status = status};
    }
    int calls = 0;
    int status = 200;
    std::optional<Fault> failure;
};

class CircuitBreakingClientTest : public testing::Test {
protected:
    CircuitBreakingClientTest() {
        auto definition = std::make_shared<http::Upstream>();
        definition->key = "campus/pay http://127.0.0.1:1";
        definition->breaker_failures = 3;
        definition->breaker_open = 5s;
        request.upstream = definition;
    }
    CircuitBreaker::State state() { return upstreams.health(clock.monotonic()).at(0).state; }
    void fail(int times) {
        inner.failure = Fault::unavailable;
        for (int i = 0; i < times; ++i)
            EXPECT_FALSE(client.fetch(request));
        inner.failure.reset();
    }

    FixedClock clock;
    FakeHttpClient inner;
    UpstreamRegistry upstreams;
    CircuitBreakingClient client{inner, upstreams, clock};
    http::ClientRequest request;
};

TEST_F(CircuitBreakingClientTest, OpensTheCircuitAfterConsecutiveFailures) {
    fail(2);
    EXPECT_TRUE(client.fetch(request));
    fail(3);
    EXPECT_EQ(inner.calls, 6);
    auto refused = client.fetch(request);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::exhausted);
    EXPECT_TRUE(refused.error().cause.starts_with("not_sent: ")) << refused.error().cause;
    EXPECT_EQ(inner.calls, 6);
    EXPECT_EQ(state(), CircuitBreaker::State::open);
}

TEST_F(CircuitBreakingClientTest, ProbesAfterAPause) {
    fail(3);
    clock.advance(5s);
    fail(1);
    EXPECT_EQ(state(), CircuitBreaker::State::open);
    clock.advance(5s);
    EXPECT_TRUE(client.fetch(request));
    EXPECT_EQ(state(), CircuitBreaker::State::closed);
}

TEST_F(CircuitBreakingClientTest, CountsGatewayErrorsAsFailures) {
    for (int status : {500, 400, 502, 503, 504}) {
        inner.status = status;
        EXPECT_EQ(client.fetch(request)->status, status);
    }
    EXPECT_EQ(state(), CircuitBreaker::State::open);
}

TEST_F(CircuitBreakingClientTest, DoesNotCountInvalidRequests) {
    inner.failure = Fault::invalid;
    for (int i = 0; i < 9; ++i)
        EXPECT_EQ(client.fetch(request).error().fault, Fault::invalid);
    EXPECT_EQ(state(), CircuitBreaker::State::closed);
}

TEST_F(CircuitBreakingClientTest, SharesTheCircuitWithTheReverseProxy) {
    auto proxy_state = upstreams.find_or_create(*request.upstream);
    fail(3);
    EXPECT_FALSE(proxy_state->breaker.try_acquire(clock.monotonic()));
}

TEST_F(CircuitBreakingClientTest, DropsAServerWithoutRequestsForAMinute) {
    EXPECT_TRUE(client.fetch(request));
    auto other = std::make_shared<http::Upstream>(*request.upstream);
    other->key = "campus/other";
    request.upstream = other;
    clock.advance(61s);
    EXPECT_TRUE(client.fetch(request));
    EXPECT_EQ(upstreams.health(clock.monotonic()).size(), 1u);
}

TEST_F(CircuitBreakingClientTest, PassesRequestsWithoutUpstreamThrough) {
    request.upstream = nullptr;
    fail(9);
    EXPECT_EQ(inner.calls, 9);
    EXPECT_TRUE(upstreams.health(clock.monotonic()).empty());
}

}  // namespace
}  // namespace integreat::net
