// SPDX-License-Identifier: Apache-2.0
#include "services/data/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/data/testing.h"

namespace integreat::data {
namespace {

struct PlanTest : ::testing::Test {
    std::shared_ptr<const Model> school = testing::school();
    postgres::testing::TestDatabase database = postgres::testing::fresh_database({"school"});
    SchemaOrder order = testing::order_for(database);
};

TEST_F(PlanTest, MakesEverythingOnceAndThenNothing) {
    auto plan = plan_tables(*school, order);
    ASSERT_TRUE(plan) << plan.error().message << plan.error().cause;
    EXPECT_FALSE(plan->steps.empty());
    auto applied = apply_plan(*school, order);
    ASSERT_TRUE(applied) << applied.error().message << " " << applied.error().cause;
    EXPECT_EQ(applied->steps.size(), plan->steps.size());
    auto again = plan_tables(*school, order);
    ASSERT_TRUE(again) << again.error().cause;
    for (const auto& step : again->steps)
        ADD_FAILURE() << step.sentence << "\n" << step.sql;
    EXPECT_TRUE(again->leftovers.empty());
}

}  // namespace
}  // namespace integreat::data
