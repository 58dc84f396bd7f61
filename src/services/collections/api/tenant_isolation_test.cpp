// SPDX-License-Identifier: Apache-2.0
// Attacks with the login role of a tenant, or by SQL injection: they must not gain access beyond the rules.
#include <thread>

#include "postgres/databases/create_database.h"
#include "postgres/driver/connection.h"
#include "services/collections/schema/verify_schema.h"
#include "services/collections/testing/school_fixture.h"

namespace integreat::collections {
namespace {

using testing::SchoolFixture;

// Two apps on one server, each with its own login role.
struct TenantIsolationTest : ::testing::Test {
    static constexpr const char* password = "known";
    FixedClock clock;
    static inline std::unique_ptr<postgres::testing::TestServer> server;  // Shared by all tests.
    static inline std::shared_ptr<const Model> model;
    std::unique_ptr<postgres::Pool> login;

    static Monotonic soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(60); }

    static std::shared_ptr<const Model> app(const std::string& name) {
        auto copy = std::make_shared<Model>(*model);
        copy->app = {name};
        return copy;
    }
    static void make(const std::string& name) {
        auto database = *postgres::database_name({name});
        auto created = postgres::create_database(*server->server,
                                                 {.name = database,
                                                  .password = Secret(password),
                                                  .migrations = postgres::testing::all_migrations()},
                                                 soon());
        ASSERT_TRUE(created) << created.error().cause;
        MigrationOptions order{.url = server->server->superuser_url(database),
                               .login_role = postgres::login_role(database),
                               .owner = std::string(owner_role),
                               .deadline = soon()};
        auto applied = apply_migration(*app(name), order);
        ASSERT_TRUE(applied) << applied.error().message << applied.error().cause;
    }
    static void SetUpTestSuite() {
        server = postgres::testing::start_test_server();
        model = testing::make_school_model();
        make("school");
        make("rival");
        run("tenant_school", "INSERT INTO data.sections (title, professor) VALUES ('Physics', 'prof')");
        run("tenant_school",
            "INSERT INTO data.students (name, email, \"user\") VALUES ('Ana', 'a@b.example', 'ana')");
    }
    static void TearDownTestSuite() {
        server.reset();
        model.reset();
    }
    void SetUp() override { login = session("school", "tenant_school_app"); }
    std::unique_ptr<postgres::Pool> session(const std::string& app, const std::string& role) {
        auto url = server->server->url("tenant_" + app, role, Secret(password));
        return std::make_unique<postgres::Pool>(
            postgres::PoolSettings{.tenant = {app}, .url = url, .max_connections = 2}, clock);
    }
    // Runs as the superuser, who is exempt from policies.
    static void run(const std::string& database, const std::string& sql) {
        FixedClock clock;
        postgres::Pool pool(
            {.tenant = {"school"}, .url = server->server->superuser_url(database), .max_connections = 1},
            clock);
        auto done = pool.run({"school"}, Monotonic::max(), sql);
        EXPECT_TRUE(done) << sql << ": " << done.error().cause;
    }
    // Expects an error as the login role and as every role of the app.
    void expect_refused(const std::string& sql) {
        auto plain = login->run({"school"}, Monotonic::max(), sql);
        EXPECT_FALSE(plain) << "the login: " << sql;
        for (const auto& role : model->roles) {
            postgres::RoleContext caller{database_role({"school"}, role), "ana", "req"};
            auto result = login->query_as({"school"}, caller, Monotonic::max(), sql, {});
            EXPECT_FALSE(result) << role << ": " << sql;
        }
    }
};

TEST_F(TenantIsolationTest, LoginRoleReadsNothing) {
    for (std::string sql :
         {"SELECT id FROM data.students", "SELECT id FROM data.sections", "TABLE data.grades",
          "INSERT INTO data.sections (title) VALUES ('x')", "DELETE FROM data.sections",
          "SELECT before FROM integreat.changes", "SELECT * FROM integreat.erasures",
          "LOCK TABLE data.sections", "ANALYZE data.sections, integreat.nothing"})
        EXPECT_FALSE(login->run({"school"}, Monotonic::max(), sql)) << sql;
}

TEST_F(TenantIsolationTest, RolesCannotBeSwitched) {
    for (std::string sql :
         {"SET ROLE integreat_owner", "SET ROLE integreat_superuser", "SET ROLE tenant_rival__registrar",
          "SET ROLE tenant_rival_app", "SET SESSION AUTHORIZATION integreat_owner",
          "SET ROLE pg_read_all_data", "SET ROLE postgres",
          "SELECT set_config('role', 'integreat_owner', true)",
          "SELECT set_config('role', 'tenant_rival__admin', true)",
          "GRANT integreat_owner TO tenant_school_app", "GRANT tenant_rival__admin TO tenant_school_app",
          "ALTER ROLE tenant_school_app SUPERUSER", "ALTER ROLE tenant_school_app BYPASSRLS",
          "ALTER ROLE tenant_school_app INHERIT", "CREATE ROLE mine", "DROP ROLE tenant_rival_app",
          "REASSIGN OWNED BY integreat_owner TO tenant_school_app"})
        expect_refused(sql);
}

TEST_F(TenantIsolationTest, PoliciesCannotBeChanged) {
    for (std::string sql :
         {"ALTER TABLE data.students DISABLE ROW LEVEL SECURITY",
          "DROP POLICY \"SELECT_1\" ON data.students",
          "CREATE POLICY mine ON data.students USING (true)",
          "ALTER POLICY \"SELECT_1\" ON data.students USING (true)",
          "ALTER TABLE data.students DISABLE TRIGGER ALL",
          "DROP TRIGGER guard ON data.students",
          "SET session_replication_role = replica",
          "ALTER TABLE data.students OWNER TO tenant_school_app",
          "DROP TABLE data.students",
          "TRUNCATE data.students",
          "CREATE TABLE data.mine (x int)",
          "CREATE SCHEMA mine",
          "CREATE TEMP TABLE mine (x int)",
          "CREATE TABLE public.mine (x int)",
          "CREATE FUNCTION integreat.uid() RETURNS text LANGUAGE sql AS $$ SELECT 'admin' $$",
          "CREATE OR REPLACE FUNCTION integreat.uid() RETURNS text LANGUAGE sql AS $$ SELECT 'admin' $$",
          "CREATE OPERATOR public.= (leftarg = text, rightarg = text, function = texteq)",
          "CREATE RULE mine AS ON SELECT TO data.students DO INSTEAD SELECT 1",
          "CREATE VIEW public.mine AS SELECT * FROM data.students",
          "CREATE EXTENSION dblink",
          "CREATE TRIGGER mine AFTER INSERT ON data.sections EXECUTE FUNCTION integreat.note_change()",
          "UPDATE integreat.models SET fingerprint = 'x'",
          "INSERT INTO integreat.models (fingerprint) VALUES ('x')",
          "DELETE FROM integreat.migrations",
          "ALTER DATABASE tenant_school SET row_security = off",
          "UPDATE pg_catalog.pg_class SET relrowsecurity = false"})
        expect_refused(sql);
}

TEST_F(TenantIsolationTest, FilesAndOtherDatabasesAreUnreachable) {
    for (std::string sql :
         {"SELECT pg_read_file('/etc/passwd')", "SELECT pg_ls_dir('.')", "COPY data.students TO '/tmp/x'",
          "COPY data.students FROM PROGRAM 'true'", "COPY (SELECT 1) TO PROGRAM 'true'",
          "SELECT lo_import('/etc/passwd')", "SELECT lo_create(0)", "SELECT lo_from_bytea(0, 'x')",
          "SELECT pg_read_binary_file('/etc/passwd')", "SELECT * FROM pg_authid", "SELECT * FROM pg_shadow",
          "SELECT pg_reload_conf()", "ALTER SYSTEM SET row_security = off", "SELECT * FROM pg_user_mapping",
          "SELECT id FROM tenant_rival.data.students", "DO LANGUAGE plpython3u $$ pass $$",
          "CREATE FUNCTION public.f() RETURNS int LANGUAGE c AS 'x'"})
        expect_refused(sql);
    auto stranger = session("rival", "tenant_school_app");
    EXPECT_FALSE(stranger->begin({"rival"}));
}

TEST_F(TenantIsolationTest, PoliciesHoldWithRowSecurityOff) {
    postgres::RoleContext caller{database_role({"school"}, "student"), "nobody", "req"};
    auto begun = *login->begin({"school"});
    begun.set_role(caller);
    ASSERT_TRUE(begun.execute("SET LOCAL row_security = off"));
    auto rows = begun.execute("SELECT id FROM data.students");
    ASSERT_FALSE(rows) << "rejected, not unfiltered";
    EXPECT_EQ(begun.sqlstate(), "42501");
}

TEST_F(TenantIsolationTest, PoliciesHoldUnderAnySearchPath) {
    // Objects that a careless administrator may have created.
    run("tenant_school", "CREATE SCHEMA trap; ");
    run("tenant_school", "CREATE FUNCTION trap.uid() RETURNS text LANGUAGE sql AS $$ SELECT 'ana'::text $$");
    run("tenant_school",
        "CREATE FUNCTION trap.always(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT "
        "true $$");
    run("tenant_school", "CREATE OPERATOR trap.= (leftarg = text, rightarg = text, function = trap.always)");
    run("tenant_school",
        "CREATE FUNCTION trap.now() RETURNS timestamptz LANGUAGE sql AS $$ SELECT NULL::timestamptz $$");
    run("tenant_school", "GRANT USAGE ON SCHEMA trap TO PUBLIC");
    auto begun = *login->begin({"school"});
    begun.set_role({database_role({"school"}, "student"), "nobody", "req"});
    ASSERT_TRUE(begun.execute("SET LOCAL search_path = trap, pg_catalog"));
    EXPECT_EQ(begun.execute("SELECT count(*) FROM data.students")->integer(0, 0), 0);
    EXPECT_EQ(begun.execute("UPDATE data.students SET phone = NULL")->affected(), 0u);
    auto section =
        begun.execute("INSERT INTO data.grades (enrollment, value) VALUES (integreat.new_id(), 1)");
    EXPECT_FALSE(section);
}

TEST_F(TenantIsolationTest, ConditionsAreNotEvaluatedOnHiddenRows) {
    run("tenant_school", "CREATE TABLE public.seen (what text)");
    run("tenant_school",
        "CREATE FUNCTION public.spy(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS "
        "$$ BEGIN RAISE EXCEPTION 'saw %', $1; END $$");
    run("tenant_school", "GRANT USAGE ON SCHEMA public TO PUBLIC");
    postgres::RoleContext caller{database_role({"school"}, "student"), "nobody", "req"};
    auto rows = login->query_as({"school"}, caller, Monotonic::max(),
                                "SELECT id FROM data.students WHERE public.spy(name)", {});
    ASSERT_TRUE(rows) << "no hidden row was evaluated: " << rows.error().cause;
    EXPECT_EQ(rows->size(), 0u);
    auto divided = login->query_as({"school"}, caller, Monotonic::max(),
                                   "SELECT id FROM data.students WHERE 1 / (length(name) - 3) = 0", {});
    EXPECT_TRUE(divided) << "Ana has three letters";
}

TEST_F(TenantIsolationTest, DetectsUnsafeLoginRoles) {
    auto check = [&] { return verify_schema(*login, *model, Monotonic::max()); };
    ASSERT_TRUE(check()) << check().error().message;
    struct Case {
        std::string damage, repair, message;
    };
    for (const auto& one :
         {Case{"ALTER ROLE tenant_school_app INHERIT", "ALTER ROLE tenant_school_app NOINHERIT", "db apply"},
          Case{"ALTER ROLE tenant_school_app BYPASSRLS", "ALTER ROLE tenant_school_app NOBYPASSRLS",
               "row-level"},
          Case{"GRANT integreat_owner TO tenant_school_app", "REVOKE integreat_owner FROM tenant_school_app",
               "may become integreat_owner"},
          Case{"GRANT tenant_rival__admin TO tenant_school_app",
               "REVOKE tenant_rival__admin FROM tenant_school_app", "may become tenant_rival__admin"},
          Case{"GRANT integreat_owner TO tenant_school__admin",
               "REVOKE integreat_owner FROM tenant_school__admin",
               "tenant_school__admin, which has privileges of its own"},
          Case{"ALTER TABLE data.grades OWNER TO tenant_school_app",
               "ALTER TABLE data.grades OWNER TO integreat_owner", "owns database objects"}}) {
        run("tenant_school", one.damage);
        auto found = check();
        ASSERT_FALSE(found) << one.damage;
        EXPECT_NE(found.error().message.find(one.message), std::string::npos) << found.error().message;
        run("tenant_school", one.repair);
        ASSERT_TRUE(check()) << one.repair;
    }
}

}  // namespace
}  // namespace integreat::collections
