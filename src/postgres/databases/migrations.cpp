// SPDX-License-Identifier: Apache-2.0
#include "postgres/databases/migrations.h"

#include <algorithm>
#include <array>

#include "postgres/driver/connection.h"
#include "postgres/driver/identifier.h"

namespace integreat::postgres {

namespace {

constexpr const char* create_schema_sql = "CREATE SCHEMA IF NOT EXISTS integreat";

constexpr const char* create_table_sql = R"sql(
CREATE TABLE IF NOT EXISTS integreat.migrations (
    owner      text        NOT NULL,
    number     int         NOT NULL,
    sha256     text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (owner, number)
)
)sql";

// Before migrations had owners, the table had a plain number as its key, and a checksum.
constexpr std::string_view is_legacy_sql =
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = to_regclass('integreat.migrations') "
    "AND attname = 'checksum' AND NOT attisdropped), current_database()";
constexpr std::string_view applied_sql =
    "SELECT owner, number, sha256, applied_at::text FROM integreat.migrations ORDER BY owner, number";
constexpr std::string_view legacy_applied_sql =
    "SELECT number, name, checksum, applied_at::text FROM integreat.migrations ORDER BY number";
constexpr std::string_view insert_sql =
    "INSERT INTO integreat.migrations (owner, number, sha256, applied_at) "
    "VALUES ($1, $2, $3, coalesce($4::timestamptz, now()))";

// A row of integreat.migrations.
struct AppliedMigration {
    std::string owner;
    int number = 0;
    std::string sha256;
    Value applied_at;
};

bool belongs_to(const Migration& migration, DatabaseKind kind) {
    return kind == DatabaseKind::platform ? migration.for_platform : migration.for_tenants;
}

Error unknown_migration(const std::string& database, const std::string& migration) {
    return {Fault::conflict,
            "the database " + database + " has migration " + migration +
                ", which this version does not know: run the newer version that applied it",
            "database newer than program"};
}

Error changed_migration(const std::string& database, const Migration& migration, std::string_view applied) {
    return {Fault::conflict,
            std::string(migration.file) + " was changed after it was applied to the database " + database +
                ": restore the file, and put the change into a new migration",
            "checksum " + std::string(applied) + " became " + std::string(migration.sha256)};
}

std::vector<AppliedMigration> read_applied(const ResultSet& rows) {
    std::vector<AppliedMigration> applied;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        applied.push_back({.owner = std::string(rows.text(row, 0)),
                           .number = static_cast<int>(rows.integer(row, 1)),
                           .sha256 = std::string(rows.text(row, 2)),
                           .applied_at = rows.value(row, 3)});
    }
    return applied;
}

// Converts rows without owners. One of them may become several: its text may have been split between owners.
Result<std::vector<AppliedMigration>> convert_legacy(const ResultSet& rows, const std::string& database,
                                                     std::span<const Migration> migrations,
                                                     DatabaseKind kind) {
    std::vector<AppliedMigration> applied;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        bool known = false;
        for (const auto& migration : migrations) {
            if (!belongs_to(migration, kind) || migration.legacy_number != rows.integer(row, 0)) continue;
            if (rows.text(row, 2) != migration.legacy_checksum)
                return changed_migration(database, migration, rows.text(row, 2));
            applied.push_back({.owner = std::string(migration.owner),
                               .number = migration.number,
                               .sha256 = std::string(migration.sha256),
                               .applied_at = rows.value(row, 3)});
            known = true;
        }
        if (!known) {
            return unknown_migration(
                database, std::string(rows.text(row, 0)) + " (" + std::string(rows.text(row, 1)) + ")");
        }
    }
    return applied;
}

// Returns the migrations of this kind that were not applied, in order; an error if the history differs.
Result<std::vector<const Migration*>> find_pending(std::span<const AppliedMigration> applied,
                                                   const std::string& database,
                                                   std::span<const Migration> migrations, DatabaseKind kind) {
    std::vector<const Migration*> pending;
    for (const auto& migration : migrations) {
        if (belongs_to(migration, kind)) pending.push_back(&migration);
    }
    for (const auto& row : applied) {
        auto known = std::find_if(pending.begin(), pending.end(), [&](const auto* migration) {
            return migration->owner == row.owner && migration->number == row.number;
        });
        if (known == pending.end())
            return unknown_migration(database, std::to_string(row.number) + " of " + row.owner);
        if ((*known)->sha256 != row.sha256) return changed_migration(database, **known, row.sha256);
        pending.erase(known);
    }
    return pending;
}

std::string replace_app_role(std::string_view grants, const std::string& role) {
    std::string sql(grants);
    constexpr std::string_view placeholder = "{app}";
    for (auto at = sql.find(placeholder); at != std::string::npos; at = sql.find(placeholder)) {
        sql.replace(at, placeholder.size(), quote_identifier(role));
    }
    return sql;
}

std::string make_grants(const MigrationTarget& target, std::span<const Migration> migrations) {
    std::string grants =
        "GRANT USAGE ON SCHEMA integreat TO {app}; GRANT SELECT ON integreat.migrations TO {app};\n";
    for (const auto& migration : migrations) {
        if (belongs_to(migration, target.kind)) grants += migration.grants;
    }
    return replace_app_role(grants, target.app_role);
}

Result<ResultSet> query(Connection& connection, std::string_view sql, Monotonic until) {
    Statement statement{sql, {}};
    return std::move(TRY(connection.execute_pipeline({&statement, 1}, false, until)).front());
}

Result<> insert_applied(Connection& connection, const AppliedMigration& row, Monotonic until) {
    std::array<Value, 4> parameters{row.owner, std::to_string(row.number), row.sha256, row.applied_at};
    Statement statement{insert_sql, parameters};
    TRY(connection.execute_pipeline({&statement, 1}, false, until));
    return {};
}

// Creates or converts the table of migrations and returns its rows.
Result<std::vector<AppliedMigration>> prepare_table(Connection& connection, const std::string& database,
                                                    bool is_legacy, const MigrationTarget& target,
                                                    std::span<const Migration> migrations) {
    if (!is_legacy) {
        TRY(connection.script(create_table_sql, target.until));
        return read_applied(TRY(query(connection, applied_sql, target.until)));
    }
    auto legacy_rows = TRY(query(connection, legacy_applied_sql, target.until));
    auto applied = TRY(convert_legacy(legacy_rows, database, migrations, target.kind));
    TRY(connection.script("DROP TABLE integreat.migrations", target.until));
    TRY(connection.script(create_table_sql, target.until));
    for (const auto& row : applied)
        TRY(insert_applied(connection, row, target.until));
    return applied;
}

// Runs the whole transaction, from BEGIN to COMMIT. An error leaves it to the end of the connection to roll
// back.
Result<int> apply(Connection& connection, const MigrationTarget& target,
                  std::span<const Migration> migrations) {
    TRY(connection.script("BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('integreat.migrations', 0))",
                          target.until));
    if (!target.object_owner.empty())
        TRY(connection.script("SET LOCAL ROLE " + quote_identifier(target.object_owner), target.until));
    TRY(connection.script(create_schema_sql, target.until));
    auto table = TRY(query(connection, is_legacy_sql, target.until));
    std::string database(table.text(0, 1));
    auto applied = TRY(prepare_table(connection, database, table.boolean(0, 0), target, migrations));
    auto pending = TRY(find_pending(applied, database, migrations, target.kind));
    for (const auto* migration : pending) {
        auto done = connection.script(std::string(migration->sql), target.until);
        if (!done) {
            auto error = std::move(done).error();
            error.message = std::string(migration->file) + " failed on the database " + database +
                            "; nothing was changed";
            return error;
        }
        TRY(insert_applied(connection,
                           {.owner = std::string(migration->owner),
                            .number = migration->number,
                            .sha256 = std::string(migration->sha256),
                            .applied_at = std::nullopt},
                           target.until));
    }
    if (!target.app_role.empty()) TRY(connection.script(make_grants(target, migrations), target.until));
    TRY(connection.script("COMMIT", target.until));
    return static_cast<int>(pending.size());
}

// Refuses roles that row-level security does not restrict, or that could create such roles.
Result<> check_role(Transaction& transaction, const TenantId& tenant) {
    auto role = TRY(transaction.execute(
        "SELECT rolname, rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_catalog.pg_roles "
        "WHERE rolname = current_user"));
    for (std::size_t column = 1; column < 5; ++column) {
        static constexpr std::array attributes{"", "SUPERUSER", "BYPASSRLS", "CREATEDB", "CREATEROLE"};
        if (role.empty() || role.boolean(0, column)) {
            auto name = role.empty() ? std::string("?") : std::string(role.text(0, 0));
            return Error{Fault::invalid,
                         "the role " + name + " of the database of " + tenant.text + " has " +
                             attributes[column] +
                             ", which defeats the isolation of tenants: create a role with " +
                             "CREATE ROLE name LOGIN, and put it into the URL",
                         "pg_roles"};
        }
    }
    return {};
}

}  // namespace

DatabaseKind database_kind(const TenantId& tenant) {
    return tenant == platform_tenant ? DatabaseKind::platform : DatabaseKind::tenant;
}

Result<int> migrate(const MigrationTarget& target, std::span<const Migration> migrations) {
    ConnectFailure failure;
    auto connection = Connection::open(target.url, target.until, failure);
    if (!connection) return failure.error;
    return apply(*connection, target, migrations);
}

Result<DatabaseState> check_database(Pool& pool, std::span<const Migration> migrations, Monotonic deadline) {
    auto transaction = TRY(pool.begin(pool.tenant(), deadline));
    TRY(check_role(transaction, pool.tenant()));
    auto readable =
        TRY(transaction.execute("SELECT to_regclass('integreat.migrations') IS NOT NULL AND "
                                "has_schema_privilege('integreat', 'USAGE')"));
    auto kind = database_kind(pool.tenant());
    DatabaseState database;
    std::vector<AppliedMigration> applied;
    std::string name;
    if (readable.boolean(0, 0)) {
        auto table = TRY(transaction.execute(is_legacy_sql));
        database.legacy_table = table.boolean(0, 0);
        name = table.text(0, 1);
        auto rows = TRY(transaction.execute(database.legacy_table ? legacy_applied_sql : applied_sql));
        if (database.legacy_table)
            applied = TRY(convert_legacy(rows, name, migrations, kind));
        else
            applied = read_applied(rows);
    }
    database.pending = static_cast<int>(TRY(find_pending(applied, name, migrations, kind)).size());
    return database;
}

}  // namespace integreat::postgres
