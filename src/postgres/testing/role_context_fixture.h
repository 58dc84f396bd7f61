// SPDX-License-Identifier: Apache-2.0
// For tests of statements in the role of a caller: a database with one table, and a role that may read it and
// insert rows.
#pragma once

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "postgres/testing/test_databases.h"

namespace integreat::postgres::testing {

struct RoleContextFixture : ::testing::Test {
    static constexpr const char* reader = "test_reader";
    static constexpr const char* session_identity_sql =
        "SELECT current_user, integreat.uid(), integreat.request(), pg_backend_pid()";

    TenantId tenant{"school"};
    TestDatabase database = fresh_database(tenant);
    FixedClock clock;
    std::unique_ptr<Pool> pool;

    void SetUp() override {
        make_pool(1);  // All queries share one connection.
        const std::string role = reader;
        owner("DO $$ BEGIN CREATE ROLE " + role + "; EXCEPTION WHEN duplicate_object THEN NULL; END $$");
        owner("GRANT " + role + " TO " + database.role);
        owner("GRANT USAGE ON SCHEMA integreat TO " + role);
        owner("CREATE TABLE integreat.things (id int PRIMARY KEY, CONSTRAINT small CHECK (id < 10))");
        owner("GRANT SELECT, INSERT ON integreat.things TO " + role);
    }
    void make_pool(int max_connections) {
        auto settings = database.pool;
        settings.max_connections = max_connections;
        settings.acquire_timeout = std::chrono::seconds(10);
        pool = std::make_unique<Pool>(settings, clock);
    }
    // Runs a statement as the superuser.
    void owner(const std::string& sql) {
        Pool all({.tenant = tenant, .url = database.superuser_url, .max_connections = 1}, clock);
        auto done = all.run(tenant, Monotonic::max(), sql);
        ASSERT_TRUE(done) << sql << ": " << done.error().cause;
    }
    // Expects that no role or identity of an earlier caller is left on the connection.
    void expect_login_role() {
        auto rows = pool->run(tenant, Monotonic::max(), session_identity_sql);
        ASSERT_TRUE(rows) << rows.error().cause;
        EXPECT_EQ(rows->text(0, 0), database.role);
        EXPECT_TRUE(rows->is_null(0, 1)) << rows->text(0, 1);
        EXPECT_TRUE(rows->is_null(0, 2));
    }
};

}  // namespace integreat::postgres::testing
