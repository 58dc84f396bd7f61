// SPDX-License-Identifier: Apache-2.0
// A test app "school" with every kind of rule, field and life cycle, and a real database with its tables. The
// permissions of the roles are documented at each collection in collections_fixture.cpp.
#pragma once

#include <memory>

#include "postgres/testing/test_databases.h"
#include "services/collections/model.h"
#include "services/collections/schema/migration_plan.h"
#include "services/collections/views/caller_role.h"

namespace integreat::collections::testing {

// Collections students, sections, enrollments, grades, announcements and inquiries; roles student, professor,
// registrar and admin.
std::shared_ptr<const Model> make_school_model();

// Creates a database with the tables of `model`. Aborts the process on failure.
postgres::testing::TestDatabase make_database(const Model& model);
postgres::testing::TestDatabase make_database(const Model& model, postgres::EmbeddedPostgres& server);

// A database for tests that write records but do not change tables or roles. It is emptied and reused by the
// next test, which takes milliseconds; cloning a database takes tenths of a second.
class PooledTestDatabase {
public:
    explicit PooledTestDatabase(const Model& model);
    ~PooledTestDatabase();  // All connections must be closed.
    PooledTestDatabase(const PooledTestDatabase&) = delete;

    const postgres::testing::TestDatabase& operator*() const { return database_; }

private:
    postgres::testing::TestDatabase database_;
    std::string model_;
};

// Returns the options to migrate the database as its superuser.
MigrationOptions make_migration_options(const postgres::testing::TestDatabase& database);

}  // namespace integreat::collections::testing
