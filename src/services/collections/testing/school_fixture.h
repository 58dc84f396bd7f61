// SPDX-License-Identifier: Apache-2.0
// Test fixture: the app "school" with some records, and statements under the roles of its users.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/collections/schema/constraint_violation.h"
#include "services/collections/testing/collections_fixture.h"
#include "services/collections/views/sql_names.h"

namespace integreat::collections::testing {

using postgres::Pool;
using postgres::ResultSet;
using postgres::RoleContext;
using postgres::ServerError;
using postgres::Value;

struct StatementResult {
    Result<ResultSet> rows = ResultSet();
    ServerError server_error;

    bool ok() const { return static_cast<bool>(rows); }
    std::uint64_t affected() const { return rows ? rows->affected() : 0; }
    std::string text(std::size_t row = 0, std::size_t column = 0) const {
        return rows && row < rows->size() ? std::string(rows->text(row, column)) : "(none)";
    }
};

// ana and ben are students, prof and other are professors; ana is enrolled in a section of prof, ben in one
// of other.
struct SchoolFixture : ::testing::Test {
    std::shared_ptr<const Model> model = make_school_model();
    postgres::testing::TestDatabase database = make_database(*model);
    FixedClock clock;
    std::unique_ptr<Pool> pool = std::make_unique<Pool>(settings(), clock);
    std::unique_ptr<Pool> owner_pool = std::make_unique<Pool>(owner_settings(), clock);
    std::string ana, ben, physics, history, ana_physics, ben_history;

    postgres::PoolSettings settings() const {
        auto settings = database.pool;
        settings.max_connections = 40;
        return settings;
    }
    postgres::PoolSettings owner_settings() const {
        return {.tenant = model->app, .url = database.superuser_url, .max_connections = 1};
    }

    StatementResult query_as(const std::string& role, const std::string& uid, const std::string& sql,
                             std::vector<Value> values = {}) {
        StatementResult result;
        RoleContext caller{database_role(model->app, role), uid, "req_test"};
        result.rows = pool->query_as(model->app, caller, Monotonic::max(), sql, values, &result.server_error);
        return result;
    }
    // Runs as the superuser, who is exempt from policies.
    ResultSet query_as_owner(const std::string& sql) {
        auto rows = owner_pool->run(model->app, Monotonic::max(), sql);
        EXPECT_TRUE(rows) << sql << ": " << rows.error().cause;
        return rows ? *rows : ResultSet();
    }
    std::string insert_returning_id(const std::string& sql) {
        auto rows = query_as_owner(sql + " RETURNING id");
        return rows.empty() ? "" : std::string(rows.text(0, 0));
    }
    StatementResult transition(const std::string& role, const std::string& uid, const std::string& id,
                               const std::string& name, const std::string& to, const std::string& set = "") {
        return query_as(role, uid,
                        "UPDATE data.enrollments SET state = '" + to + "'" + (set.empty() ? "" : ", " + set) +
                            " FROM (SELECT set_config('integreat.transition', '" + name +
                            "', true) AS name OFFSET 0) AS t WHERE id = $1::uuid AND t.name <> ''",
                        {id});
    }
    ConstraintViolation violation(const std::string& collection, const StatementResult& result) {
        return classify_violation(*model, *model->find(collection), result.server_error);
    }

    void SetUp() override {
        ana = insert_returning_id(
            "INSERT INTO data.students (\"user\", name, email, phone) VALUES "
            "('ana', 'Ana', 'ana@school.example', '+639171234567')");
        ben = insert_returning_id(
            "INSERT INTO data.students (\"user\", name, email) VALUES ('ben', 'Ben', 'ben@x.example')");
        physics = insert_returning_id(
            "INSERT INTO data.sections (title, professor, assistants, capacity, fee) VALUES "
            "('Physics', 'prof', '{ben}', 30, 10000)");
        history =
            insert_returning_id("INSERT INTO data.sections (title, professor) VALUES ('History', 'other')");
        ana_physics = enroll(ana, physics);
        ben_history = enroll(ben, history);
    }
    std::string enroll(const std::string& student, const std::string& section) {
        return insert_returning_id("INSERT INTO data.enrollments (student, section, tuition) VALUES ('" +
                                   student + "', '" + section + "', 500)");
    }
};

}  // namespace integreat::collections::testing
