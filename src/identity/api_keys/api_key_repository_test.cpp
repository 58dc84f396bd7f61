// SPDX-License-Identifier: Apache-2.0
#include "identity/api_keys/api_key_repository.h"

#include <gtest/gtest.h>

#include "postgres/testing/test_databases.h"

namespace integreat::identity {
namespace {

struct ApiKeyRepositoryTest : ::testing::Test {
    postgres::testing::TestDatabase database = postgres::testing::fresh_database();
    FixedClock clock;
    postgres::Pool pool{database.pool, clock};
    Monotonic deadline = Monotonic::max();

    ApiKeyRow key(const std::string& id, const std::string& tenant = "campus") {
        return {.id = id,
                .tenant = {tenant},
                .prefix = "prefix-" + id,
                .hash = std::string("\x00\xff\x01", 3),
                .name = "the \"name\"",
                .scopes = {"email:send", "sms:send"},
                .created = clock.now(),
                .created_by = "ada"};
    }
};

TEST_F(ApiKeyRepositoryTest, ReturnsTheStoredKey) {
    auto expected = key("one");
    expected.expires = clock.now() + std::chrono::microseconds(1'234'567);
    auto stored = insert_api_key(pool, expected, deadline);
    ASSERT_TRUE(stored) << stored.error().cause;
    auto found = find_api_key(pool, "prefix-one", deadline);
    ASSERT_TRUE(found);
    ASSERT_TRUE(*found);
    EXPECT_EQ((*found)->hash, expected.hash);
    EXPECT_EQ((*found)->scopes, expected.scopes);
    EXPECT_EQ((*found)->created, expected.created);
    EXPECT_EQ((*found)->expires, expected.expires);
    EXPECT_EQ((*found)->revoked, std::nullopt);
    EXPECT_EQ((*found)->name, expected.name);
    EXPECT_EQ((*found)->change, stored->change);
    EXPECT_EQ(*find_api_key(pool, "prefix-two", deadline), std::nullopt);
}

TEST_F(ApiKeyRepositoryTest, StoresAKeyWithoutScopes) {
    auto bare = key("bare");
    bare.scopes.clear();
    ASSERT_TRUE(insert_api_key(pool, bare, deadline));
    EXPECT_TRUE((*find_api_key(pool, "prefix-bare", deadline))->scopes.empty());
}

TEST_F(ApiKeyRepositoryTest, RefusesTheSamePrefixTwiceAndScopesWithSpaces) {
    ASSERT_TRUE(insert_api_key(pool, key("one"), deadline));
    auto again = key("other");
    again.prefix = "prefix-one";
    EXPECT_EQ(insert_api_key(pool, again, deadline).error().fault, Fault::conflict);
    auto spaced = key("spaced");
    spaced.scopes = {"two words"};
    EXPECT_EQ(insert_api_key(pool, spaced, deadline).error().fault, Fault::invalid);
}

TEST_F(ApiKeyRepositoryTest, RevokesOnceAndOnlyForTheKeysTenant) {
    ASSERT_TRUE(insert_api_key(pool, key("one"), deadline));
    EXPECT_EQ(revoke_api_key(pool, {"teleo"}, "one", clock.now(), deadline).error().fault, Fault::not_found);
    auto revoked = revoke_api_key(pool, {"campus"}, "one", clock.now(), deadline);
    ASSERT_TRUE(revoked);
    EXPECT_EQ(revoked->revoked, clock.now());
    auto again = revoke_api_key(pool, {"campus"}, "one", clock.now() + std::chrono::hours(1), deadline);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->revoked, clock.now());
    EXPECT_EQ(again->change, revoked->change);
}

TEST_F(ApiKeyRepositoryTest, ReturnsChangesSinceANumber) {
    auto one = *insert_api_key(pool, key("one"), deadline);
    auto two = *insert_api_key(pool, key("two", "teleo"), deadline);
    EXPECT_GT(two.change, one.change);
    ASSERT_TRUE(revoke_api_key(pool, {"campus"}, "one", clock.now(), deadline));
    ASSERT_TRUE(record_api_key_use(pool, "two", clock.now(), deadline));
    auto changed = *api_keys_changed_since(pool, two.change, deadline);
    ASSERT_EQ(changed.size(), 1u);
    EXPECT_EQ(changed[0].id, "one");
    EXPECT_TRUE(changed[0].revoked);
    EXPECT_EQ(api_keys_changed_since(pool, 0, deadline)->size(), 2u);
    EXPECT_EQ(api_keys_changed_since(pool, 0, deadline, 1)->front().id, "two");
    EXPECT_TRUE(api_keys_changed_since(pool, changed[0].change, deadline)->empty());
}

TEST_F(ApiKeyRepositoryTest, ListsTheKeysOfOneTenantOrAll) {
    ASSERT_TRUE(insert_api_key(pool, key("one"), deadline));
    ASSERT_TRUE(insert_api_key(pool, key("two", "teleo"), deadline));
    EXPECT_EQ(list_api_keys(pool, std::nullopt, deadline)->size(), 2u);
    auto teleo = *list_api_keys(pool, TenantId{"teleo"}, deadline);
    ASSERT_EQ(teleo.size(), 1u);
    EXPECT_EQ(teleo[0].id, "two");
}

}  // namespace
}  // namespace integreat::identity
