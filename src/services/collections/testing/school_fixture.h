// SPDX-License-Identifier: Apache-2.0
// For the tests of this folder: a school with people in it, and sessions in their names.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/collections/schema/constraint_violation.h"
#include "services/collections/testing/collections_fixture.h"
#include "services/collections/views/sql_names.h"

namespace integreat::collections::testing {

using postgres::Acting;
using postgres::Pool;
using postgres::Refusal;
using postgres::Rows;
using postgres::Value;

struct Outcome {
    Result<Rows> rows = Rows();
    Refusal refusal;

    bool done() const { return static_cast<bool>(rows); }
    std::uint64_t changed() const { return rows ? rows->affected() : 0; }
    std::string text(std::size_t row = 0, std::size_t column = 0) const {
        return rows && row < rows->size() ? std::string(rows->text(row, column)) : "(none)";
    }
};

// ana and ben are students, prof and other teach; ana is enrolled with prof, ben with other.
struct School : ::testing::Test {
    std::shared_ptr<const Model> model = school();
    postgres::testing::TestDatabase database = database_for(*model);
    FixedClock clock;
    std::unique_ptr<Pool> pool = std::make_unique<Pool>(settings(), clock);
    std::unique_ptr<Pool> owner_pool = std::make_unique<Pool>(owner_settings(), clock);
    std::string ana, ben, physics, history, ana_physics, ben_history;

    postgres::PoolSettings settings() const {
        auto settings = database.pool;
        settings.connections_max = 40;
        return settings;
    }
    postgres::PoolSettings owner_settings() const {
        return {.tenant = model->app, .url = database.superuser_url, .connections_max = 1};
    }

    Outcome as(const std::string& role, const std::string& uid, const std::string& sql,
               std::vector<Value> values = {}) {
        Outcome outcome;
        Acting acting{database_role(model->app, role), uid, "req_test"};
        outcome.rows = pool->run_as(model->app, acting, Monotonic::max(), sql, values, &outcome.refusal);
        return outcome;
    }
    // Bound by no rule.
    Rows owner(const std::string& sql) {
        auto rows = owner_pool->run(model->app, Monotonic::max(), sql);
        EXPECT_TRUE(rows) << sql << ": " << rows.error().cause;
        return rows ? *rows : Rows();
    }
    std::string made(const std::string& sql) {
        auto rows = owner(sql + " RETURNING id");
        return rows.empty() ? "" : std::string(rows.text(0, 0));
    }
    Outcome transition(const std::string& role, const std::string& uid, const std::string& id,
                       const std::string& name, const std::string& to, const std::string& set = "") {
        return as(role, uid,
                  "UPDATE data.enrollments SET state = '" + to + "'" + (set.empty() ? "" : ", " + set) +
                      " FROM (SELECT set_config('integreat.transition', '" + name +
                      "', true) AS name OFFSET 0) AS t WHERE id = $1::uuid AND t.name <> ''",
                  {id});
    }
    RefusedChange why(const std::string& collection, const Outcome& outcome) {
        return explain(*model, *model->find(collection), outcome.refusal);
    }

    void SetUp() override {
        ana = made(
            "INSERT INTO data.students (\"user\", name, email, phone) VALUES "
            "('ana', 'Ana', 'ana@school.example', '+639171234567')");
        ben =
            made("INSERT INTO data.students (\"user\", name, email) VALUES ('ben', 'Ben', 'ben@x.example')");
        physics = made(
            "INSERT INTO data.sections (title, professor, assistants, capacity, fee) VALUES "
            "('Physics', 'prof', '{ben}', 30, 10000)");
        history = made("INSERT INTO data.sections (title, professor) VALUES ('History', 'other')");
        ana_physics = enrolled(ana, physics);
        ben_history = enrolled(ben, history);
    }
    std::string enrolled(const std::string& student, const std::string& section) {
        return made("INSERT INTO data.enrollments (student, section, tuition) VALUES ('" + student + "', '" +
                    section + "', 500)");
    }
};

}  // namespace integreat::collections::testing
