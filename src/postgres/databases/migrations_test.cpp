// SPDX-License-Identifier: Apache-2.0
#include "postgres/databases/migrations.h"

#include <map>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "postgres/testing/test_databases.h"

namespace integreat::postgres {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A tenant database without migrations.
struct MigrationsTest : ::testing::Test {
    testing::TestDatabase database = testing::fresh_database({"campus"});
    FixedClock clock;
    Pool owner{{.tenant = {"campus"}, .url = database.superuser_url, .max_connections = 2}, clock};
    Pool app{database.pool, clock};
    std::vector<Migration> migrations{{.owner = "blue",
                                       .number = 1,
                                       .file = "src/blue/migrations/0001_one.sql",
                                       .for_platform = true,
                                       .for_tenants = true,
                                       .sha256 = "aa11",
                                       .sql = "CREATE TABLE integreat.one (id int)",
                                       .grants = "GRANT SELECT ON integreat.one TO {app};",
                                       .legacy_number = 1,
                                       .legacy_checksum = "1111"},
                                      {.owner = "blue",
                                       .number = 2,
                                       .file = "src/blue/migrations/0002_two.sql",
                                       .for_tenants = true,
                                       .sha256 = "aa22",
                                       .sql = "CREATE TABLE integreat.two (id int);"
                                              "INSERT INTO integreat.two VALUES (2)"},
                                      {.owner = "green",
                                       .number = 1,
                                       .file = "src/green/migrations/0001_three.sql",
                                       .for_platform = true,
                                       .sha256 = "bb11",
                                       .sql = "CREATE TABLE integreat.three (id int)"}};

    void SetUp() override { ASSERT_TRUE(query("DROP SCHEMA integreat, data CASCADE")); }

    Result<ResultSet> query(std::string_view sql) { return owner.run({"campus"}, Monotonic::max(), sql); }
    void execute(const std::string& sql) {
        auto transaction = *owner.begin({"campus"});
        auto done = transaction.script(sql);
        ASSERT_TRUE(done) << done.error().cause;
        ASSERT_TRUE(transaction.commit());
    }
    Result<int> run() {
        return migrate({.url = database.superuser_url,
                        .kind = DatabaseKind::tenant,
                        .app_role = database.role,
                        .object_owner = "integreat_owner",
                        .until = std::chrono::steady_clock::now() + std::chrono::seconds(30)},
                       migrations);
    }
    Result<DatabaseState> check() { return check_database(app, migrations, Monotonic::max()); }
    bool exists(const std::string& table) {
        return !query("SELECT to_regclass('integreat." + table + "')")->is_null(0, 0);
    }
    std::vector<std::string> applied() {
        auto rows =
            query("SELECT owner || ' ' || number || ' ' || sha256 FROM integreat.migrations ORDER BY 1");
        std::vector<std::string> all;
        for (std::size_t row = 0; rows && row < rows->size(); ++row)
            all.emplace_back(rows->text(row, 0));
        return all;
    }
    // The table as it was before migrations had owners, and the given rows of number, name and checksum.
    void make_legacy_table(const std::string& rows) {
        execute(
            "CREATE SCHEMA IF NOT EXISTS integreat AUTHORIZATION integreat_owner;"
            "DROP TABLE IF EXISTS integreat.migrations;"
            "CREATE TABLE integreat.migrations (number int PRIMARY KEY, name text NOT NULL,"
            " checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());"
            "ALTER TABLE integreat.migrations OWNER TO integreat_owner;"
            "GRANT USAGE ON SCHEMA integreat TO " +
            database.role + "; GRANT SELECT ON integreat.migrations TO " + database.role +
            "; INSERT INTO integreat.migrations VALUES " + rows);
    }
};

TEST_F(MigrationsTest, AppliesTheMigrationsOfItsKindOnce) {
    EXPECT_EQ(*run(), 2);
    EXPECT_TRUE(exists("one"));
    EXPECT_TRUE(exists("two"));
    EXPECT_FALSE(exists("three"));
    EXPECT_THAT(applied(), ElementsAre("blue 1 aa11", "blue 2 aa22"));
    EXPECT_EQ(*run(), 0);
    EXPECT_EQ(query("SELECT count(*) FROM integreat.two")->integer(0, 0), 1);
    EXPECT_EQ(query("SELECT tableowner FROM pg_tables WHERE tablename = 'one'")->text(0, 0),
              "integreat_owner");
    EXPECT_TRUE(app.run({"campus"}, Monotonic::max(), "SELECT * FROM integreat.one"));
    EXPECT_FALSE(app.run({"campus"}, Monotonic::max(), "SELECT * FROM integreat.two"));
}

TEST_F(MigrationsTest, CountsPendingMigrations) {
    EXPECT_EQ(check()->pending, 2);
    ASSERT_TRUE(run());
    auto state = check();
    ASSERT_TRUE(state) << state.error().message;
    EXPECT_EQ(state->pending, 0);
    EXPECT_FALSE(state->legacy_table);
}

TEST_F(MigrationsTest, ChangesNothingIfOneFails) {
    migrations[1].sql = "CREATE TABLE integreat.two (id int); SELECT 1/0";
    auto failed = run();
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().message, "src/blue/migrations/0002_two.sql failed on the database " +
                                          database.name + "; nothing was changed");
    EXPECT_FALSE(exists("one"));
    EXPECT_FALSE(exists("migrations"));
}

TEST_F(MigrationsTest, RefusesAFileThatWasChangedAfterwards) {
    ASSERT_TRUE(run());
    migrations[0].sha256 = "aa12";
    auto message = "src/blue/migrations/0001_one.sql was changed after it was applied to the database " +
                   database.name + ": restore the file, and put the change into a new migration";
    auto refused = run();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::conflict);
    EXPECT_EQ(refused.error().message, message);
    auto checked = check();
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().fault, Fault::conflict);
    EXPECT_EQ(checked.error().message, message);
}

TEST_F(MigrationsTest, RefusesADatabaseNewerThanTheProgram) {
    migrations.push_back({.owner = "blue",
                          .number = 3,
                          .file = "src/blue/migrations/0003_newer.sql",
                          .for_tenants = true,
                          .sha256 = "aa33",
                          .sql = "SELECT 1"});
    ASSERT_TRUE(run());
    migrations.pop_back();
    for (const auto& error : {run().error(), check().error()}) {
        EXPECT_EQ(error.fault, Fault::conflict);
        EXPECT_THAT(error.message,
                    HasSubstr(database.name + " has migration 3 of blue, which this version does not know"));
    }
}

TEST_F(MigrationsTest, LetsTwoProcessesMigrateConcurrently) {
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

TEST_F(MigrationsTest, ConvertsATableWithoutOwners) {
    make_legacy_table("(1, 'one', '1111', '2026-01-02T03:04:05Z')");
    execute("SET ROLE integreat_owner; CREATE TABLE integreat.one (id int); RESET ROLE");
    auto before = check();
    ASSERT_TRUE(before) << before.error().message;
    EXPECT_TRUE(before->legacy_table);
    EXPECT_EQ(before->pending, 1);
    auto migrated = run();
    ASSERT_TRUE(migrated) << migrated.error().message << migrated.error().cause;
    EXPECT_EQ(*migrated, 1);
    EXPECT_THAT(applied(), ElementsAre("blue 1 aa11", "blue 2 aa22"));
    EXPECT_EQ(query("SELECT applied_at = '2026-01-02T03:04:05Z' FROM integreat.migrations "
                    "WHERE owner = 'blue' AND number = 1")
                  ->text(0, 0),
              "t");
    auto after = check();
    ASSERT_TRUE(after);
    EXPECT_FALSE(after->legacy_table);
    EXPECT_EQ(*run(), 0);
}

TEST_F(MigrationsTest, ConvertsOneMigrationThatWasSplitBetweenOwners) {
    migrations.push_back({.owner = "green",
                          .number = 2,
                          .file = "src/green/migrations/0002_half.sql",
                          .for_tenants = true,
                          .sha256 = "bb22",
                          .sql = "SELECT 1/0",
                          .legacy_number = 1,
                          .legacy_checksum = "1111"});
    make_legacy_table("(1, 'one', '1111')");
    execute("SET ROLE integreat_owner; CREATE TABLE integreat.one (id int); RESET ROLE");
    EXPECT_EQ(*run(), 1);
    EXPECT_THAT(applied(), ElementsAre("blue 1 aa11", "blue 2 aa22", "green 2 bb22"));
}

TEST_F(MigrationsTest, RefusesATableWithoutOwnersThatDiffers) {
    make_legacy_table("(1, 'one', '1112')");
    auto changed = run();
    ASSERT_FALSE(changed);
    EXPECT_EQ(changed.error().fault, Fault::conflict);
    EXPECT_THAT(changed.error().message, HasSubstr("src/blue/migrations/0001_one.sql was changed"));
    EXPECT_FALSE(check());
    make_legacy_table("(7, 'seven', '7777')");
    auto unknown = run();
    ASSERT_FALSE(unknown);
    EXPECT_THAT(unknown.error().message,
                HasSubstr("has migration 7 (seven), which this version does not know"));
    EXPECT_EQ(query("SELECT number FROM integreat.migrations")->integer(0, 0), 7) << "nothing was changed";
}

// The rows that the last version without owners wrote.
TEST_F(MigrationsTest, ConvertsTheDatabasesOfTheLastVersionWithoutOwners) {
    auto all = testing::all_migrations();
    migrations.assign(all.begin(), all.end());
    ASSERT_TRUE(run());
    auto expected = applied();
    make_legacy_table("(1, 'idempotency_keys', 'cc8a11b887469aaa'), (4, 'collections', '7c8a865ca1b2a2d7')");
    auto converted = run();
    ASSERT_TRUE(converted) << converted.error().message << converted.error().cause;
    EXPECT_EQ(*converted, 0);
    EXPECT_EQ(applied(), expected);

    auto platform = testing::fresh_database();
    Pool superuser({.tenant = platform_tenant, .url = platform.superuser_url}, clock);
    auto count = [&] {
        return superuser.run(platform_tenant, Monotonic::max(), "SELECT count(*) FROM integreat.migrations")
            ->integer(0, 0);
    };
    auto platform_count = count();
    auto transaction = *superuser.begin(platform_tenant);
    ASSERT_TRUE(transaction.script(
        "DROP TABLE integreat.migrations; CREATE TABLE integreat.migrations (number int PRIMARY KEY, name "
        "text,"
        " checksum text, applied_at timestamptz DEFAULT now());"
        "ALTER TABLE integreat.migrations OWNER TO integreat_owner;"
        "INSERT INTO integreat.migrations VALUES (1, 'idempotency_keys', 'cc8a11b887469aaa'),"
        " (2, 'api_keys', '1f0a40e760261ee2'), (3, 'transaction_log', 'c164225b197e232d'),"
        " (5, 'secrets', '1647da56c8d1df25')"));
    ASSERT_TRUE(transaction.commit());
    auto migrated = migrate({.url = platform.superuser_url,
                             .kind = DatabaseKind::platform,
                             .app_role = platform.role,
                             .object_owner = "integreat_owner",
                             .until = std::chrono::steady_clock::now() + std::chrono::seconds(30)},
                            all);
    ASSERT_TRUE(migrated) << migrated.error().message << migrated.error().cause;
    EXPECT_EQ(*migrated, 0);
    EXPECT_EQ(count(), platform_count);
    EXPECT_EQ(platform_count, 4);
}

TEST(AllMigrations, AreNumberedPerOwnerAndBelongToADatabase) {
    std::map<std::string_view, int> last;
    for (const auto& migration : testing::all_migrations()) {
        EXPECT_EQ(migration.number, ++last[migration.owner]) << migration.file;
        EXPECT_TRUE(migration.for_platform || migration.for_tenants) << migration.file;
        EXPECT_EQ(migration.sha256.size(), 64u) << migration.file;
    }
    EXPECT_EQ(last.size(), 5u);
    EXPECT_EQ(database_migrations().front().owner, testing::all_migrations().front().owner);
}

}  // namespace
}  // namespace integreat::postgres
