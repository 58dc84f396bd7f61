// SPDX-License-Identifier: Apache-2.0
#include "postgres/databases/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "postgres/testing/test_databases.h"

namespace integreat::postgres {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// The server of all tests here; each test opens a registry of its own on it.
EmbeddedPostgres& server() {
    static auto own = testing::start_test_server();
    return *own->server;
}

struct DatabaseRegistryTest : ::testing::Test {
    FixedClock clock;
    FixedRandom random{7};
    std::vector<TenantId> tenants{{"campus"}, {"teleo"}};
    std::vector<Migration> migrations{testing::all_migrations().begin(), testing::all_migrations().end()};
    PoolSettings limits{.max_connections = 2};

    std::unique_ptr<DatabaseRegistry> open() {
        auto opened = DatabaseRegistry::open_embedded(server(), tenants, migrations, limits, clock, random);
        if (!opened) ADD_FAILURE() << opened.error().message << " " << opened.error().cause;
        return opened ? *std::move(opened) : nullptr;
    }
    Result<ResultSet> query(Pool& pool, std::string_view sql) {
        return pool.run(pool.tenant(), Monotonic::max(), sql);
    }
    void expect_refused(Pool& pool, std::string_view sql) {
        auto rows = query(pool, sql);
        ASSERT_FALSE(rows) << sql;
        EXPECT_THAT(rows.error().cause, StartsWith("42501")) << sql;
    }
    std::unique_ptr<Pool> superuser(const std::string& database) {
        return std::make_unique<Pool>(
            PoolSettings{.tenant = platform_tenant, .url = server().superuser_url(database)}, clock);
    }
};

TEST_F(DatabaseRegistryTest, EachTenantHasADatabaseOfItsOwn) {
    auto all = open();
    EXPECT_EQ(query(all->platform(), "SELECT current_database()")->text(0, 0), "platform");
    EXPECT_EQ(query(*all->tenant({"campus"}), "SELECT current_database()")->text(0, 0), "tenant_campus");
    EXPECT_EQ(query(*all->tenant({"teleo"}), "SELECT current_user")->text(0, 0), "tenant_teleo_app");
    EXPECT_EQ(all->tenant({"pillars"}), nullptr);
    EXPECT_TRUE(all->unavailable().empty());
    EXPECT_EQ(all->counters().size(), 3u);
}

TEST_F(DatabaseRegistryTest, AReloadAddsADatabase) {
    auto all = open();
    ASSERT_TRUE(all->add({"evntgarde"}));
    ASSERT_TRUE(all->add({"evntgarde"}));
    EXPECT_TRUE(query(*all->tenant({"evntgarde"}), "SELECT count(*) FROM integreat.idempotency_keys"));
    auto refused = all->add({"Robert'); DROP"});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::invalid);
}

TEST_F(DatabaseRegistryTest, ALoginCannotConnectToAnotherDatabase) {
    auto all = open();
    for (std::string database : {"tenant_teleo", "platform", "postgres", "template1", "template_tenant"}) {
        auto own = superuser("postgres");
        ASSERT_TRUE(query(*own, "ALTER ROLE tenant_campus_app PASSWORD 'known'"));
        Pool stranger(
            {.tenant = {"campus"}, .url = server().url(database, "tenant_campus_app", Secret("known"))},
            clock);
        auto refused = stranger.begin({"campus"});
        ASSERT_FALSE(refused) << database;
        EXPECT_THAT(refused.error().cause, HasSubstr("42501")) << database;
    }
}

TEST_F(DatabaseRegistryTest, ALoginCannotSwitchRolesOrCreateObjects) {
    auto all = open();
    auto& campus = *all->tenant({"campus"});
    for (auto sql :
         {"SET ROLE integreat_owner", "SET ROLE tenant_teleo_app", "SET ROLE platform_app",
          "SET ROLE integreat_superuser", "CREATE TABLE mine (id int)", "CREATE SCHEMA mine",
          "CREATE TABLE integreat.mine (id int)", "CREATE TEMPORARY TABLE mine (id int)",
          "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'", "CREATE ROLE mine",
          "CREATE DATABASE mine", "SELECT lo_create(0)", "SELECT pg_read_file('/etc/passwd')",
          "COPY integreat.migrations TO PROGRAM 'true'", "DELETE FROM integreat.migrations",
          "SELECT rolpassword FROM pg_authid", "ALTER TABLE integreat.idempotency_keys ADD x int"}) {
        auto transaction = *campus.begin({"campus"});
        auto refused = transaction.execute(sql);
        ASSERT_FALSE(refused) << sql;
        EXPECT_THAT(transaction.sqlstate(), ::testing::AnyOf("42501", "25001")) << sql;
    }
    EXPECT_EQ(query(campus, "SELECT to_regclass('integreat.api_keys') IS NULL")->text(0, 0), "t");
    expect_refused(all->platform(), "DELETE FROM integreat.api_keys");
}

TEST_F(DatabaseRegistryTest, ALoginOwnsNothing) {
    auto all = open();
    for (std::string database : {"tenant_campus", "platform"}) {
        auto own = superuser(database);
        auto owned = query(*own,
                           "SELECT count(*) FROM pg_shdepend JOIN pg_roles ON pg_roles.oid = refobjid "
                           "WHERE refclassid = 'pg_authid'::regclass AND deptype = 'o' AND rolcanlogin "
                           "AND NOT rolsuper");
        ASSERT_TRUE(owned);
        EXPECT_EQ(owned->integer(0, 0), 0);
        EXPECT_FALSE(
            query(*own, "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'integreat_owner'")->boolean(0, 0));
    }
}

TEST_F(DatabaseRegistryTest, PasswordsAreReadableByThisUserOnlyAndReplacedWhenLost) {
    { auto all = open(); }
    auto file = server().folder() / "passwords" / "tenant_campus";
    struct stat kept {};
    ASSERT_EQ(stat(file.c_str(), &kept), 0);
    EXPECT_EQ(kept.st_mode & 0777, 0600u);
    std::filesystem::remove(file);
    auto all = open();
    EXPECT_TRUE(query(*all->tenant({"campus"}), "SELECT 1"));
}

TEST_F(DatabaseRegistryTest, ConvertsDatabasesWithMigrationsWithoutOwners) {
    { auto all = open(); }
    auto own = superuser("tenant_campus");
    auto transaction = *own->begin(platform_tenant);
    ASSERT_TRUE(transaction.script(
        "DROP TABLE integreat.migrations; CREATE TABLE integreat.migrations (number int PRIMARY KEY, name "
        "text,"
        " checksum text, applied_at timestamptz DEFAULT now());"
        "ALTER TABLE integreat.migrations OWNER TO integreat_owner;"
        "GRANT SELECT ON integreat.migrations TO tenant_campus_app;"
        "INSERT INTO integreat.migrations VALUES (1, 'idempotency_keys', 'cc8a11b887469aaa'),"
        " (4, 'collections', '7c8a865ca1b2a2d7')"));
    ASSERT_TRUE(transaction.commit());
    auto all = open();
    auto rows = query(*all->tenant({"campus"}),
                      "SELECT string_agg(owner, ' ' ORDER BY owner, number) "
                      "FROM integreat.migrations");
    ASSERT_TRUE(rows) << rows.error().cause;
    EXPECT_EQ(rows->text(0, 0), "collections database idempotency");
}

TEST_F(DatabaseRegistryTest, RefusesARoleThatRowLevelSecurityDoesNotRestrict) {
    { auto all = open(); }
    auto own = superuser("postgres");
    ASSERT_TRUE(query(*own, "ALTER ROLE platform_app PASSWORD 'known'"));
    auto url = server().url("platform", "platform_app", Secret("known"));
    auto superusers = DatabaseRegistry::open_external(
        {{platform_tenant, server().superuser_url("platform"), {}}}, migrations, limits, clock);
    ASSERT_FALSE(superusers);
    EXPECT_THAT(superusers.error().message, HasSubstr("has SUPERUSER"));
    for (const auto* right : {"BYPASSRLS", "CREATEROLE"}) {
        ASSERT_TRUE(query(*own, "ALTER ROLE platform_app " + std::string(right)));
        auto refused =
            DatabaseRegistry::open_external({{platform_tenant, url, {}}}, migrations, limits, clock);
        ASSERT_FALSE(refused);
        EXPECT_THAT(refused.error().message,
                    HasSubstr("platform_app of the database of integreat-core has " + std::string(right)));
        ASSERT_TRUE(query(*own, "ALTER ROLE platform_app NO" + std::string(right)));
    }
    EXPECT_TRUE(DatabaseRegistry::open_external({{platform_tenant, url, {}}}, migrations, limits, clock));
    std::filesystem::remove(server().folder() / "passwords" / "platform");
}

TEST_F(DatabaseRegistryTest, ExternalDatabasesAreMigratedThroughTheirDirectUrlOnly) {
    auto fresh = testing::fresh_database(server());
    auto url = fresh.pool.url;
    auto own =
        std::make_unique<Pool>(PoolSettings{.tenant = platform_tenant, .url = fresh.superuser_url}, clock);
    ASSERT_TRUE(query(*own, "DROP SCHEMA integreat CASCADE"));
    auto pending = DatabaseRegistry::open_external({{platform_tenant, url, {}}}, migrations, limits, clock);
    ASSERT_FALSE(pending);
    EXPECT_THAT(pending.error().message, HasSubstr("lacks 4 migrations: set DATABASE_URL_DIRECT"));
    auto opened = DatabaseRegistry::open_external(
        {{platform_tenant, url, fresh.superuser_url},
         {{"campus"}, Secret("host=/nonexistent dbname=x user=y"), {}}},
        migrations, {.connect_timeout = std::chrono::milliseconds(300)}, clock);
    ASSERT_TRUE(opened) << opened.error().message << opened.error().cause;
    EXPECT_TRUE(query((*opened)->platform(), "SELECT count(*) FROM integreat.api_keys"));
    EXPECT_EQ((*opened)->unavailable(), std::vector<TenantId>{{"campus"}});
    EXPECT_EQ((*opened)->tenant({"campus"}), nullptr);
    auto unknown = (*opened)->add({"church-one"});
    ASSERT_FALSE(unknown);
    EXPECT_THAT(unknown.error().message, HasSubstr("set DATABASE_URL_CHURCH_ONE"));
}

}  // namespace
}  // namespace integreat::postgres
