// SPDX-License-Identifier: Apache-2.0
// For tests of statements in somebody's name: a database with one table, a role that may read and fill it.
#pragma once

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "postgres/testing/test_databases.h"

namespace integreat::postgres::testing {

struct ActingFixture : ::testing::Test {
    static constexpr const char* reader = "test_reader";
    static constexpr const char* who =
        "SELECT current_user, integreat.uid(), integreat.request(), pg_backend_pid()";

    TenantId tenant{"school"};
    TestDatabase database = fresh_database(tenant);
    FixedClock clock;
    std::unique_ptr<Pool> pool;

    void SetUp() override {
        make_pool(1);  // Everybody gets the same connection.
        const std::string role = reader;
        owner("DO $$ BEGIN CREATE ROLE " + role + "; EXCEPTION WHEN duplicate_object THEN NULL; END $$");
        owner("GRANT " + role + " TO " + database.role);
        owner("GRANT USAGE ON SCHEMA integreat TO " + role);
        owner("CREATE TABLE integreat.things (id int PRIMARY KEY, CONSTRAINT small CHECK (id < 10))");
        owner("GRANT SELECT, INSERT ON integreat.things TO " + role);
    }
    void make_pool(int connections_max) {
        auto settings = database.pool;
        settings.connections_max = connections_max;
        settings.acquire_timeout = std::chrono::seconds(10);
        pool = std::make_unique<Pool>(settings, clock);
    }
    // Bound by no rule.
    void owner(const std::string& sql) {
        Pool all({.tenant = tenant, .url = database.superuser_url, .connections_max = 1}, clock);
        auto done = all.run(tenant, Monotonic::max(), sql);
        ASSERT_TRUE(done) << sql << ": " << done.error().cause;
    }
    // Nothing of whoever had the connection before is left.
    void expect_nobody() {
        auto rows = pool->run(tenant, Monotonic::max(), who);
        ASSERT_TRUE(rows) << rows.error().cause;
        EXPECT_EQ(rows->text(0, 0), database.role);
        EXPECT_TRUE(rows->is_null(0, 1)) << rows->text(0, 1);
        EXPECT_TRUE(rows->is_null(0, 2));
    }
};

}  // namespace integreat::postgres::testing
