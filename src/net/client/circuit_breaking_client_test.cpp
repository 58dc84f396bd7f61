// SPDX-License-Identifier: Apache-2.0
#include "net/client/circuit_breaking_client.h"

#include <gtest/gtest.h>

namespace integreat::net {
namespace {

using namespace std::chrono_literals;

class FixedOutbound final : public http::Outbound {
public:
    Result<http::Reply> fetch(const http::OutboundRequest&) override {
        ++calls;
        if (failure) return Error{*failure, "no", "unknown: no"};
        return http::Reply{.status = status};
    }
    int calls = 0;
    int status = 200;
    std::optional<Fault> failure;
};

class UpstreamOutboundTest : public testing::Test {
protected:
    UpstreamOutboundTest() {
        auto described = std::make_shared<http::Upstream>();
        described->key = "campus/pay http://127.0.0.1:1";
        described->breaker_failures = 3;
        described->breaker_open = 5s;
        request.upstream = described;
    }
    Breaker::State state() { return upstreams.health(clock.monotonic()).at(0).state; }
    void fail(int times) {
        inner.failure = Fault::unavailable;
        for (int i = 0; i < times; ++i)
            EXPECT_FALSE(outbound.fetch(request));
        inner.failure.reset();
    }

    FixedClock clock;
    FixedOutbound inner;
    Upstreams upstreams;
    UpstreamOutbound outbound{inner, upstreams, clock};
    http::OutboundRequest request;
};

TEST_F(UpstreamOutboundTest, LeavesAServerAloneThatFailedSeveralTimesInARow) {
    fail(2);
    EXPECT_TRUE(outbound.fetch(request));
    fail(3);
    EXPECT_EQ(inner.calls, 6);
    auto refused = outbound.fetch(request);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::exhausted);
    EXPECT_TRUE(refused.error().cause.starts_with("not_sent: ")) << refused.error().cause;
    EXPECT_EQ(inner.calls, 6);
    EXPECT_EQ(state(), Breaker::State::open);
}

TEST_F(UpstreamOutboundTest, TriesItAgainAfterAPause) {
    fail(3);
    clock.advance(5s);
    fail(1);
    EXPECT_EQ(state(), Breaker::State::open);
    clock.advance(5s);
    EXPECT_TRUE(outbound.fetch(request));
    EXPECT_EQ(state(), Breaker::State::closed);
}

TEST_F(UpstreamOutboundTest, CountsAnswersThatSayNobodyIsThere) {
    for (int status : {500, 400, 502, 503, 504}) {
        inner.status = status;
        EXPECT_EQ(outbound.fetch(request)->status, status);
    }
    EXPECT_EQ(state(), Breaker::State::open);
}

TEST_F(UpstreamOutboundTest, BlamesNobodyForARequestThatCannotBeSent) {
    inner.failure = Fault::invalid;
    for (int i = 0; i < 9; ++i)
        EXPECT_EQ(outbound.fetch(request).error().fault, Fault::invalid);
    EXPECT_EQ(state(), Breaker::State::closed);
}

TEST_F(UpstreamOutboundTest, SharesTheCircuitWithRelays) {
    auto seen_by_relays = upstreams.state_of(*request.upstream);
    fail(3);
    EXPECT_FALSE(seen_by_relays->breaker.admit(clock.monotonic()));
}

TEST_F(UpstreamOutboundTest, ForgetsAServerThatIsNotAskedForAMinute) {
    EXPECT_TRUE(outbound.fetch(request));
    auto other = std::make_shared<http::Upstream>(*request.upstream);
    other->key = "campus/other";
    request.upstream = other;
    clock.advance(61s);
    EXPECT_TRUE(outbound.fetch(request));
    EXPECT_EQ(upstreams.health(clock.monotonic()).size(), 1u);
}

TEST_F(UpstreamOutboundTest, PassesOnWhatGoesElsewhere) {
    request.upstream = nullptr;
    fail(9);
    EXPECT_EQ(inner.calls, 9);
    EXPECT_TRUE(upstreams.health(clock.monotonic()).empty());
}

}  // namespace
}  // namespace integreat::net
