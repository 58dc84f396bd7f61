// SPDX-License-Identifier: Apache-2.0
// Schema migrations: numbered .sql files beside the code that owns the tables and are embedded by
// CMake (cmake/migrations.cmake). Each is applied once, all pending ones in one transaction, in the order of
// the given list. The table integreat.migrations records owner, number and SHA-256: an applied file never
// changes, new ones are added.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "postgres/driver/pool.h"

namespace integreat::postgres {

// The database of the platform itself, or that of a tenant.
enum class DatabaseKind { platform, tenant };

DatabaseKind database_kind(const TenantId& tenant);

struct Migration {
    std::string_view owner;  // "api_keys"
    int number = 0;          // From 1, without gaps per owner.
    std::string_view file;   // "src/identity/api_keys/migrations/0001_api_keys.sql", for messages.
    bool for_platform = false;
    bool for_tenants = false;
    std::string_view sha256;  // SHA-256 of the file, 64 hex digits.
    std::string_view sql;
    // Rights of the role that serves requests, {app}. Not part of the SHA-256: they are granted again after
    // each change.
    std::string_view grants = {};
    // Number and checksum in databases from before migrations had owners; 0 and empty if there are none.
    int legacy_number = 0;
    std::string_view legacy_checksum = {};
};

// The migrations of this component: postgres/databases/migrations/*.sql.
std::span<const Migration> database_migrations();

struct MigrationTarget {
    Secret url;  // Connects as a role with the rights to migrate, directly and not through a pooler.
    DatabaseKind kind = DatabaseKind::tenant;
    std::string app_role;      // Role that serves requests; empty if there is none yet.
    std::string object_owner;  // Role that will own the objects; empty for the role of `url`.
    Monotonic until;           // On the steady clock of this machine.
};

// Applies the pending migrations and returns their number. Several processes may do so concurrently: each
// waits for the one before it. A table of migrations without owners is converted. Fault::conflict if the
// database is newer than this program or the file of an applied migration has changed.
Result<int> migrate(const MigrationTarget& target, std::span<const Migration> migrations);

struct DatabaseState {
    int pending = 0;            // Migrations to apply.
    bool legacy_table = false;  // migrate() will convert the table of migrations.
};

// Checks that `pool` connects, as a role to which row-level security applies, to a database that this program
// can use once the pending migrations are applied. Errors as of migrate(), and Fault::invalid for an
// unsuitable role.
Result<DatabaseState> check_database(Pool& pool, std::span<const Migration> migrations, Monotonic deadline);

}  // namespace integreat::postgres
