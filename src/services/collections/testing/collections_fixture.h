// SPDX-License-Identifier: Apache-2.0
// For tests only: a small school with every kind of rule, field and life cycle, and a real database with its
// tables. What a role may do there is said beside each collection in testing.cpp.
#pragma once

#include <memory>

#include "config/model/model.h"
#include "postgres/testing/test_databases.h"
#include "services/collections/schema/migration_plan.h"
#include "services/collections/views/caller_role.h"

namespace integreat::collections::testing {

// students, sections, enrollments, grades, announcements, inquiries; roles student, professor, registrar,
// admin.
std::shared_ptr<const Model> school();

// A fresh database with the tables of `model`. Stops the program if it cannot be had.
postgres::testing::TestDatabase database_for(const Model& model);
postgres::testing::TestDatabase database_for(const Model& model, postgres::PrivateServer& server);

// The same for tests that write records and leave tables and roles as they are: emptied, it serves the next
// test, which takes milliseconds where a clone takes tenths of a second.
class LentDatabase {
public:
    explicit LentDatabase(const Model& model);
    ~LentDatabase();  // Nobody may use it any more.
    LentDatabase(const LentDatabase&) = delete;

    const postgres::testing::TestDatabase& operator*() const { return database_; }

private:
    postgres::testing::TestDatabase database_;
    std::string model_;
};

// To plan and apply there.
SchemaOrder order_for(const postgres::testing::TestDatabase& database);

}  // namespace integreat::collections::testing
