// SPDX-License-Identifier: Apache-2.0
#include "identity/tokens/remote_jwks.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "identity/testing/token_fixture.h"

namespace integreat::identity {
namespace {

using namespace identity::testing;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using RefreshResult = RemoteJwks::RefreshResult;

const Error down{Fault::unavailable, "no answer", "not_sent: connection refused"};

class RemoteJwksTest : public ::testing::Test {
protected:
    void publish(const std::vector<std::pair<std::string, std::size_t>>& ids,
                 std::string_view cache_control = "public, max-age=3600") {
        client.response = make_keys_response(x509_map(ids), cache_control);
    }
    RefreshResult refresh(bool may_block = true) {
        return keys.refresh_for_kid(may_block, clock.monotonic() + 10s);
    }

    FixedClock clock;
    FakeHttpClient client;
    RemoteJwks keys{{.url = "https://keys.example/x509"}, client, clock};
};

TEST_F(RemoteJwksTest, HasNoKeysBeforeTheFirstFetch) {
    EXPECT_EQ(keys.current(), nullptr);
    EXPECT_EQ(keys.generation(), 0u);
    EXPECT_FALSE(keys.status().usable);
    EXPECT_EQ(refresh(false), RefreshResult::would_block);
    EXPECT_EQ(client.fetches, 0);
}

TEST_F(RemoteJwksTest, FetchesOnlyWhenDue) {
    publish({{"a", 0}});
    EXPECT_TRUE(keys.refresh_due());
    EXPECT_EQ(client.last_url, "https://keys.example/x509");
    ASSERT_NE(keys.current(), nullptr);
    EXPECT_NE(keys.current()->find("a"), nullptr);
    clock.advance(2699s);
    EXPECT_FALSE(keys.refresh_due());
    clock.advance(1s);  // Three quarters of max-age: ahead of expiry.
    EXPECT_TRUE(keys.refresh_due());
    EXPECT_EQ(client.fetches, 2);
    EXPECT_THAT(keys.status().key_ids, ElementsAre("a"));
}

TEST_F(RemoteJwksTest, KeepsTheLifetimeWithinBounds) {
    publish({{"a", 0}}, "max-age=0");
    keys.refresh_due();
    clock.advance(44s);
    EXPECT_FALSE(keys.refresh_due());
    clock.advance(1s);
    publish({{"a", 0}}, "max-age=100000000");
    EXPECT_TRUE(keys.refresh_due());
    clock.advance(18h);
    publish({{"a", 0}}, "no-store");
    EXPECT_TRUE(keys.refresh_due());
    clock.advance(2699s);
    EXPECT_FALSE(keys.refresh_due());
    clock.advance(1s);
    EXPECT_TRUE(keys.refresh_due());
}

TEST_F(RemoteJwksTest, ChangesItsGenerationOnlyWithTheKeys) {
    publish({{"a", 0}});
    keys.refresh_due();
    auto first = keys.generation();
    clock.advance(1h);
    keys.refresh_due();
    EXPECT_EQ(keys.generation(), first);
    publish({{"a", 1}});  // The same id, another key.
    clock.advance(1h);
    keys.refresh_due();
    EXPECT_NE(keys.generation(), first);
}

TEST_F(RemoteJwksTest, KeepsTheLastGoodKeysWhileFetchesFailAndBacksOff) {
    publish({{"a", 0}});
    keys.refresh_due();
    auto generation = keys.generation();
    for (Result<http::FullResponse> failure :
         {Result<http::FullResponse>(down), Result<http::FullResponse>(http::FullResponse{.status = 500}),
          Result<http::FullResponse>(http::FullResponse{.status = 302}),
          Result<http::FullResponse>(make_keys_response("{}")),
          Result<http::FullResponse>(make_keys_response("<html>"))}) {
        client.response = failure;
        clock.advance(1h);
        EXPECT_TRUE(keys.refresh_due());
        EXPECT_EQ(keys.generation(), generation);
        EXPECT_FALSE(keys.status().last_error.empty());
        EXPECT_TRUE(keys.status().usable);
    }
    clock.advance(15s);  // After the fifth failure in a row it pauses for sixteen seconds.
    EXPECT_FALSE(keys.refresh_due());
    clock.advance(1s);
    publish({{"a", 0}});
    EXPECT_TRUE(keys.refresh_due());
    EXPECT_EQ(keys.status().last_error, "");
    EXPECT_EQ(keys.status().failures, 5u);
    EXPECT_EQ(keys.status().age, 0s);
}

TEST_F(RemoteJwksTest, DropsKeysThatAreTooStale) {
    publish({{"a", 0}});
    keys.refresh_due();
    auto generation = keys.generation();
    client.response = down;
    clock.advance(1h + 24h - 1s);
    keys.refresh_due();
    EXPECT_EQ(keys.generation(), generation);
    clock.advance(1s);
    EXPECT_EQ(keys.generation(), 0u);
    EXPECT_EQ(keys.current(), nullptr);
    EXPECT_FALSE(keys.status().usable);
    EXPECT_THAT(keys.status().last_error, HasSubstr("not_sent: connection refused"));
    publish({{"a", 0}});
    clock.advance(60s);
    keys.refresh_due();
    EXPECT_EQ(keys.generation(), generation);  // The same keys again.
}

TEST_F(RemoteJwksTest, FetchesOncePerIntervalForAnyNumberOfUnknownIds) {
    publish({{"a", 0}});
    keys.refresh_due();
    clock.advance(29s);
    for (int i = 0; i < 1'000; ++i)
        EXPECT_EQ(refresh(), RefreshResult::throttled);
    EXPECT_EQ(client.fetches, 1);
    clock.advance(1s);
    EXPECT_EQ(refresh(false), RefreshResult::would_block);
    EXPECT_EQ(refresh(), RefreshResult::refreshed);
    for (int i = 0; i < 1'000; ++i)
        EXPECT_EQ(refresh(), RefreshResult::throttled);
    EXPECT_EQ(client.fetches, 2);
    client.response = down;
    clock.advance(30s);
    EXPECT_EQ(refresh(), RefreshResult::refreshed);
    EXPECT_EQ(refresh(), RefreshResult::throttled);
    EXPECT_EQ(client.fetches, 3);
}

TEST_F(RemoteJwksTest, RetriesSoonWhileItHasNoKeys) {
    client.response = down;
    EXPECT_EQ(refresh(), RefreshResult::refreshed);
    EXPECT_EQ(refresh(), RefreshResult::throttled);
    clock.advance(1s);
    EXPECT_EQ(refresh(), RefreshResult::refreshed);
    clock.advance(1s);
    EXPECT_EQ(refresh(), RefreshResult::throttled);  // Two seconds after the second failure.
    clock.advance(1s);
    publish({{"a", 0}});
    EXPECT_EQ(refresh(), RefreshResult::refreshed);
    EXPECT_NE(keys.current(), nullptr);
}

TEST_F(RemoteJwksTest, NeverFetchesBeyondTheDeadline) {
    EXPECT_EQ(keys.refresh_for_kid(true, clock.monotonic()), RefreshResult::overloaded);
    EXPECT_EQ(keys.refresh_for_kid(true, clock.monotonic() - 1s), RefreshResult::overloaded);
    EXPECT_EQ(client.fetches, 0);
}

TEST_F(RemoteJwksTest, FetchesOnceForAllWaitingCallersAndLimitsThem) {
    publish({{"a", 0}});
    std::atomic<bool> fetching{false}, answer{false};
    client.before_response = [&] {
        fetching = true;
        answer.wait(false);
    };
    std::thread first([&] { EXPECT_EQ(refresh(), RefreshResult::refreshed); });
    while (!fetching)
        std::this_thread::yield();
    EXPECT_EQ(refresh(false), RefreshResult::would_block);
    EXPECT_FALSE(keys.refresh_due());
    std::atomic<int> fetched{0}, overloaded{0};
    std::vector<std::thread> others;
    for (int i = 0; i < 10; ++i) {
        others.emplace_back(
            [&] { (refresh() == RefreshResult::refreshed ? fetched : overloaded).fetch_add(1); });
    }
    while (overloaded < 6)
        std::this_thread::yield();  // Four wait, six are refused.
    answer = true;
    answer.notify_all();
    first.join();
    for (auto& other : others)
        other.join();
    EXPECT_EQ(fetched, 4);
    EXPECT_EQ(overloaded, 6);
    EXPECT_EQ(client.fetches, 1);
}

TEST_F(RemoteJwksTest, FetchesAgainAfterAFetchThatThrew) {
    client.before_response = [] { throw std::bad_alloc(); };
    EXPECT_THROW(keys.refresh_due(), std::bad_alloc);
    client.before_response = nullptr;
    publish({{"a", 0}});
    EXPECT_TRUE(keys.refresh_due());
    EXPECT_NE(keys.current(), nullptr);
}

}  // namespace
}  // namespace integreat::identity
