// SPDX-License-Identifier: Apache-2.0
#include "postgres/databases/migrations.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "postgres/testing/test_databases.h"

namespace integreat::postgres {
namespace {

using ::testing::HasSubstr;

struct MigrationsTest : ::testing::Test {
    testing::TestDatabase database = testing::fresh_database({"campus"});
    FixedClock clock;
    Pool owner{{.tenant = {"campus"}, .url = database.superuser_url, .connections_max = 2}, clock};
    std::vector<Migration> steps{
        {1, "one", true, true, "CREATE TABLE integreat.one (id int)",
         "GRANT SELECT ON integreat.one TO {app};"},
        {2, "two", false, true, "CREATE TABLE integreat.two (id int); INSERT INTO integreat.two VALUES (2)",
         ""},
        {3, "platform", true, false, "CREATE TABLE integreat.three (id int)", ""}};

    void SetUp() override { ASSERT_TRUE(ask("DROP SCHEMA integreat CASCADE")); }
    Result<Rows> ask(std::string_view sql) { return owner.run({"campus"}, Monotonic::max(), sql); }
    Result<int> run() {
        return migrate({.url = database.superuser_url,
                        .kind = DatabaseKind::tenant,
                        .app_role = database.role,
                        .owner = "integreat_owner",
                        .until = std::chrono::steady_clock::now() + std::chrono::seconds(30),
                        .steps = steps});
    }
    bool exists(const std::string& table) {
        return !ask("SELECT to_regclass('integreat." + table + "')")->is_null(0, 0);
    }
};

TEST_F(MigrationsTest, CarriesOutTheStepsOfItsKindOnce) {
    EXPECT_EQ(*run(), 2);
    EXPECT_TRUE(exists("one"));
    EXPECT_TRUE(exists("two"));
    EXPECT_FALSE(exists("three"));
    EXPECT_EQ(*run(), 0);
    EXPECT_EQ(ask("SELECT count(*) FROM integreat.two")->integer(0, 0), 1);
    EXPECT_EQ(ask("SELECT tableowner FROM pg_tables WHERE tablename = 'one'")->text(0, 0), "integreat_owner");
    Pool app(database.pool, clock);
    EXPECT_TRUE(app.run({"campus"}, Monotonic::max(), "SELECT * FROM integreat.one"));
    EXPECT_FALSE(app.run({"campus"}, Monotonic::max(), "SELECT * FROM integreat.two"));
}

TEST_F(MigrationsTest, ChangesNothingIfOneOfThemFails) {
    steps[1].sql = "CREATE TABLE integreat.two (id int); SELECT 1/0";
    auto failed = run();
    ASSERT_FALSE(failed);
    EXPECT_THAT(failed.error().message, HasSubstr("migration 2 (two) failed and nothing was changed"));
    EXPECT_FALSE(exists("one"));
    EXPECT_FALSE(exists("migrations"));
}

TEST_F(MigrationsTest, RefusesAStepThatWasChangedAfterwards) {
    ASSERT_TRUE(run());
    steps[0].sql = "CREATE TABLE integreat.one (id bigint)";
    auto refused = run();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::conflict);
    EXPECT_THAT(refused.error().message,
                HasSubstr("migration 1 (one) is not the one this database was made with"));
}

TEST_F(MigrationsTest, RefusesADatabaseNewerThanTheProgram) {
    steps.push_back({4, "later", true, true, "SELECT 1", ""});
    ASSERT_TRUE(run());
    steps.pop_back();
    auto refused = run();
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message,
                HasSubstr("has migration 4 (later), which this program does not know"));
}

TEST_F(MigrationsTest, LetsTwoProcessesMigrateAtOnce) {
    std::atomic<int> done{0};
    auto once = [&] {
        auto result = run();
        if (result) done += *result;
        EXPECT_TRUE(result) << result.error().cause;
    };
    std::thread other(once);
    once();
    other.join();
    EXPECT_EQ(done, 2);
}

TEST(Migrations, AreNumberedInOrder) {
    int last = 0;
    for (const auto& step : migrations()) {
        EXPECT_EQ(step.number, last + 1);
        EXPECT_TRUE(step.of_platform || step.of_tenants);
        last = step.number;
    }
}

}  // namespace
}  // namespace integreat::postgres
