// SPDX-License-Identifier: Apache-2.0
#include "postgres/databases/secrets.h"

#include <gtest/gtest.h>

#include "postgres/testing/test_databases.h"

namespace integreat::postgres {
namespace {

TEST(SharedSecret, IsGeneratedOnceAndSharedByAllInstances) {
    FixedClock clock;
    auto database = testing::fresh_database();
    Pool one(database.pool, clock), another(database.pool, clock);
    FixedRandom random(1), other_random(2);

    auto first = get_or_create_secret(one, "cursors", random, Monotonic::max());
    auto second = get_or_create_secret(another, "cursors", other_random, Monotonic::max());
    auto different = get_or_create_secret(another, "links", other_random, Monotonic::max());

    ASSERT_TRUE(first && second && different);
    EXPECT_EQ(first->reveal().size(), shared_secret_bytes);
    EXPECT_EQ(first->reveal(), second->reveal());
    EXPECT_NE(first->reveal(), different->reveal());
}

}  // namespace
}  // namespace integreat::postgres
