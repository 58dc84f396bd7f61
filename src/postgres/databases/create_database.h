// SPDX-License-Identifier: Apache-2.0
// Creates the databases of the platform and of its tenants on the embedded server. A database is created
// under a temporary name and renamed when it is complete, so that a process that is killed leaves no
// incomplete database.
#pragma once

#include <span>
#include <string>

#include "postgres/databases/migrations.h"
#include "postgres/server/embedded_postgres.h"

namespace integreat::postgres {

// Returns "platform" or "tenant_campus"; the login role adds "_app". Fault::invalid for a name that no
// manifest can have: it consists of at most 40 lower-case letters, digits and dashes.
Result<std::string> database_name(const TenantId& tenant);
std::string login_role(const std::string& database);

struct DatabaseSpec {
    std::string name;
    DatabaseKind kind = DatabaseKind::tenant;
    Secret password;  // For the login role.
    std::span<const Migration> migrations;
    bool use_template = true;  // Creates one first if missing; a clone then takes milliseconds.
};

// Creates the database with its login role, or completes an existing one: privileges, migrations, password.
Result<> create_database(const EmbeddedPostgres& server, const DatabaseSpec& spec, Monotonic until);

}  // namespace integreat::postgres
