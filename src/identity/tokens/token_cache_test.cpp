// SPDX-License-Identifier: Apache-2.0
#include "identity/tokens/token_cache.h"

#include <thread>

#include <gtest/gtest.h>

#include "base/random.h"
#include "crypto/ids.h"

namespace integreat::identity {
namespace {

using namespace std::chrono_literals;

class TokenCacheTest : public ::testing::Test {
protected:
    std::string new_token() { return crypto::random_token(random, 600); }
    std::shared_ptr<const Principal> principal(const std::string& subject,
                                               std::chrono::seconds lifetime = 1h) {
        return std::make_shared<const Principal>(Principal{.subject = subject, .expires = now + lifetime});
    }

    FixedRandom random;
    Time now = from_unix_seconds(1'795'000'000);
    TokenCacheVersion version{.keys = 1, .projects = 1};
};

TEST_F(TokenCacheTest, FindsOnlyTheInsertedToken) {
    TokenCache cache(100);
    auto token = new_token();
    auto ann = principal("ann");
    EXPECT_EQ(cache.find(token, version, now), nullptr);
    cache.insert(token, version, now, ann);
    EXPECT_EQ(cache.find(token, version, now), ann);
    EXPECT_EQ(cache.find(token + "A", version, now), nullptr);
    EXPECT_EQ(cache.find(token.substr(1), version, now), nullptr);
    EXPECT_EQ(cache.find("", version, now), nullptr);
    for (std::size_t i = 0; i < token.size(); ++i) {
        auto changed = token;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        EXPECT_EQ(cache.find(changed, version, now), nullptr) << i;
    }
}

TEST_F(TokenCacheTest, DistinguishesTokensWithEqualHashes) {
    TokenCache cache(8);
    auto tail = new_token();
    cache.insert("ann" + tail, version, now, principal("ann"));
    cache.insert("bob" + tail, version, now, principal("bob"));
    EXPECT_EQ(cache.find("ann" + tail, version, now)->subject, "ann");
    EXPECT_EQ(cache.find("bob" + tail, version, now)->subject, "bob");
    EXPECT_EQ(cache.find("eve" + tail, version, now), nullptr);
}

TEST_F(TokenCacheTest, IgnoresATokenFromItsExpiryOn) {
    TokenCache cache(100);
    auto token = new_token();
    cache.insert(token, version, now, principal("ann", 10s));
    EXPECT_NE(cache.find(token, version, now + 10s - 1us), nullptr);
    EXPECT_EQ(cache.find(token, version, now + 10s), nullptr);
    auto late = new_token();
    cache.insert(late, version, now, principal("bob", 0s));
    EXPECT_EQ(cache.find(late, version, now - 1h), nullptr);
}

TEST_F(TokenCacheTest, IgnoresTokensOfOtherKeysOrProjects) {
    TokenCache cache(100);
    auto token = new_token();
    cache.insert(token, version, now, principal("ann"));
    EXPECT_EQ(cache.find(token, {.keys = 2, .projects = 1}, now), nullptr);
    EXPECT_EQ(cache.find(token, {.keys = 0, .projects = 1}, now), nullptr);
    EXPECT_EQ(cache.find(token, {.keys = 1, .projects = 2}, now), nullptr);
    cache.insert(token, {.keys = 2, .projects = 1}, now, principal("ann again"));
    EXPECT_EQ(cache.find(token, {.keys = 2, .projects = 1}, now)->subject, "ann again");
    EXPECT_EQ(cache.find(token, version, now), nullptr);
    EXPECT_EQ(cache.size(), 1u);
}

TEST_F(TokenCacheTest, IsBounded) {
    TokenCache cache(100);
    EXPECT_LE(cache.capacity(), 100u);
    for (int i = 0; i < 2'000; ++i)
        cache.insert(new_token(), version, now, principal("x"));
    EXPECT_LE(cache.size(), cache.capacity());
    EXPECT_GT(cache.size(), cache.capacity() * 3 / 4);
}

TEST_F(TokenCacheTest, KeepsTokensInUseThroughAFloodOfOthers) {
    TokenCache cache(1'000);
    std::vector<std::string> used;
    for (int i = 0; i < 100; ++i)
        used.push_back(new_token());
    for (const auto& token : used)
        cache.insert(token, version, now, principal("in use"));
    for (int round = 0; round < 3; ++round) {
        for (const auto& token : used)
            EXPECT_NE(cache.find(token, version, now), nullptr);
    }
    int lost = 0;
    for (int flood = 0; flood < 20; ++flood) {
        for (int i = 0; i < 1'000; ++i)
            cache.insert(new_token(), version, now, principal("flood"));
        for (const auto& token : used)
            lost += cache.find(token, version, now) == nullptr;
    }
    EXPECT_EQ(lost, 0);
}

TEST_F(TokenCacheTest, ReplacesTokensThatAreNoLongerUsed) {
    TokenCache cache(8);
    for (int i = 0; i < 8; ++i) {
        auto token = new_token();
        cache.insert(token, version, now, principal("old"));
        for (int use = 0; use < 20; ++use)
            cache.find(token, version, now);
    }
    auto fresh = new_token();
    int tries = 0;
    for (; tries < 20 && !cache.find(fresh, version, now); ++tries) {
        cache.insert(fresh, version, now, principal("new"));
    }
    EXPECT_GT(tries, 1);
    EXPECT_LE(tries, 9);
}

TEST_F(TokenCacheTest, ReplacesInvalidEntriesBeforeValidOnes) {
    TokenCache cache(8);
    std::vector<std::string> valid;
    for (int i = 0; i < 7; ++i)
        valid.push_back(new_token());
    cache.insert(new_token(), version, now, principal("expiring", 1s));
    for (const auto& token : valid)
        cache.insert(token, version, now, principal("valid"));
    auto after_expiry = now + 2s;
    auto new_entry = new_token();
    cache.insert(new_entry, version, after_expiry, principal("new_entry"));
    for (const auto& token : valid)
        EXPECT_NE(cache.find(token, version, after_expiry), nullptr);
    EXPECT_NE(cache.find(new_entry, version, after_expiry), nullptr);
}

TEST_F(TokenCacheTest, IsSharedByThreads) {
    TokenCache cache(64);
    std::vector<std::string> tokens;
    for (int i = 0; i < 200; ++i)
        tokens.push_back(new_token());
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (std::size_t i = 0; i < 20'000; ++i) {
                const auto& token = tokens[(i * 7 + static_cast<std::size_t>(t) * 13) % tokens.size()];
                auto subject = token.substr(0, 8);
                auto found = cache.find(token, version, now);
                EXPECT_TRUE(!found || found->subject == subject);
                if (!found) cache.insert(token, version, now, principal(subject));
            }
        });
    }
    for (auto& thread : threads)
        thread.join();
    EXPECT_LE(cache.size(), cache.capacity());
}

}  // namespace
}  // namespace integreat::identity
