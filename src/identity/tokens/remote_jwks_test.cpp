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
using Lookup = KeySet::Lookup;

const Error down{Fault::unavailable, "no answer", "not_sent: connection refused"};

class KeySetTest : public ::testing::Test {
protected:
    void publish(const std::vector<std::pair<std::string, std::size_t>>& ids,
                 std::string_view cache_control = "public, max-age=3600") {
        outbound.answer = keys_reply(x509_map(ids), cache_control);
    }
    Lookup look(bool may_wait = true) { return keys.look_again(may_wait, clock.monotonic() + 10s); }

    FixedClock clock;
    ScriptedOutbound outbound;
    KeySet keys{{.url = "https://keys.example/x509"}, outbound, clock};
};

TEST_F(KeySetTest, HasNoKeysBeforeTheFirstFetch) {
    EXPECT_EQ(keys.current(), nullptr);
    EXPECT_EQ(keys.generation(), 0u);
    EXPECT_FALSE(keys.status().usable);
    EXPECT_EQ(look(false), Lookup::must_wait);
    EXPECT_EQ(outbound.fetches, 0);
}

TEST_F(KeySetTest, FetchesWhenDueAndNotBefore) {
    publish({{"a", 0}});
    EXPECT_TRUE(keys.refresh_due());
    EXPECT_EQ(outbound.last_url, "https://keys.example/x509");
    ASSERT_NE(keys.current(), nullptr);
    EXPECT_NE(keys.current()->find("a"), nullptr);
    clock.advance(2699s);
    EXPECT_FALSE(keys.refresh_due());
    clock.advance(1s);  // Three quarters of max-age: ahead of expiry.
    EXPECT_TRUE(keys.refresh_due());
    EXPECT_EQ(outbound.fetches, 2);
    EXPECT_THAT(keys.status().key_ids, ElementsAre("a"));
}

TEST_F(KeySetTest, KeepsTheLifetimeWithinBounds) {
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

TEST_F(KeySetTest, ChangesItsGenerationOnlyWithTheKeys) {
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

TEST_F(KeySetTest, KeepsTheLastGoodKeysWhileFetchesFailAndRetriesMoreAndMoreSeldom) {
    publish({{"a", 0}});
    keys.refresh_due();
    auto generation = keys.generation();
    for (Result<http::Reply> failure :
         {Result<http::Reply>(down), Result<http::Reply>(http::Reply{.status = 500}),
          Result<http::Reply>(http::Reply{.status = 302}), Result<http::Reply>(keys_reply("{}")),
          Result<http::Reply>(keys_reply("<html>"))}) {
        outbound.answer = failure;
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

TEST_F(KeySetTest, LetsGoOfKeysThatAreTooStale) {
    publish({{"a", 0}});
    keys.refresh_due();
    auto generation = keys.generation();
    outbound.answer = down;
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

TEST_F(KeySetTest, FetchesOncePerIntervalForUnknownIdsHoweverManyCome) {
    publish({{"a", 0}});
    keys.refresh_due();
    clock.advance(29s);
    for (int i = 0; i < 1'000; ++i)
        EXPECT_EQ(look(), Lookup::refrain);
    EXPECT_EQ(outbound.fetches, 1);
    clock.advance(1s);
    EXPECT_EQ(look(false), Lookup::must_wait);
    EXPECT_EQ(look(), Lookup::fetched);
    for (int i = 0; i < 1'000; ++i)
        EXPECT_EQ(look(), Lookup::refrain);
    EXPECT_EQ(outbound.fetches, 2);
    outbound.answer = down;
    clock.advance(30s);
    EXPECT_EQ(look(), Lookup::fetched);
    EXPECT_EQ(look(), Lookup::refrain);
    EXPECT_EQ(outbound.fetches, 3);
}

TEST_F(KeySetTest, TriesAgainSoonWhileItHasNoKeysAtAll) {
    outbound.answer = down;
    EXPECT_EQ(look(), Lookup::fetched);
    EXPECT_EQ(look(), Lookup::refrain);
    clock.advance(1s);
    EXPECT_EQ(look(), Lookup::fetched);
    clock.advance(1s);
    EXPECT_EQ(look(), Lookup::refrain);  // Two seconds after the second failure.
    clock.advance(1s);
    publish({{"a", 0}});
    EXPECT_EQ(look(), Lookup::fetched);
    EXPECT_NE(keys.current(), nullptr);
}

TEST_F(KeySetTest, NeverFetchesBeyondTheDeadline) {
    EXPECT_EQ(keys.look_again(true, clock.monotonic()), Lookup::crowded);
    EXPECT_EQ(keys.look_again(true, clock.monotonic() - 1s), Lookup::crowded);
    EXPECT_EQ(outbound.fetches, 0);
}

TEST_F(KeySetTest, FetchesOnceForAllWhoWaitAndLetsFewWait) {
    publish({{"a", 0}});
    std::atomic<bool> fetching{false}, answer{false};
    outbound.before_answer = [&] {
        fetching = true;
        answer.wait(false);
    };
    std::thread first([&] { EXPECT_EQ(look(), Lookup::fetched); });
    while (!fetching)
        std::this_thread::yield();
    EXPECT_EQ(look(false), Lookup::must_wait);
    EXPECT_FALSE(keys.refresh_due());
    std::atomic<int> fetched{0}, crowded{0};
    std::vector<std::thread> others;
    for (int i = 0; i < 10; ++i) {
        others.emplace_back([&] { (look() == Lookup::fetched ? fetched : crowded).fetch_add(1); });
    }
    while (crowded < 6)
        std::this_thread::yield();  // Four wait, six are told to come back.
    answer = true;
    answer.notify_all();
    first.join();
    for (auto& other : others)
        other.join();
    EXPECT_EQ(fetched, 4);
    EXPECT_EQ(crowded, 6);
    EXPECT_EQ(outbound.fetches, 1);
}

TEST_F(KeySetTest, FetchesAgainAfterAFetchThatThrew) {
    outbound.before_answer = [] { throw std::bad_alloc(); };
    EXPECT_THROW(keys.refresh_due(), std::bad_alloc);
    outbound.before_answer = nullptr;
    publish({{"a", 0}});
    EXPECT_TRUE(keys.refresh_due());
    EXPECT_NE(keys.current(), nullptr);
}

}  // namespace
}  // namespace integreat::identity
