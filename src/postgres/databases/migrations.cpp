// SPDX-License-Identifier: Apache-2.0
#include "postgres/databases/migrations.h"

#include <algorithm>

#include "postgres/driver/connection.h"
#include "postgres/driver/identifier.h"

namespace integreat::postgres {

namespace {

constexpr const char* first_steps = R"sql(
CREATE SCHEMA IF NOT EXISTS integreat;
CREATE TABLE IF NOT EXISTS integreat.migrations (
    number     int         PRIMARY KEY,
    name       text        NOT NULL,
    checksum   text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
)sql";

constexpr std::string_view done_sql =
    "SELECT number, name, checksum FROM integreat.migrations ORDER BY number";

bool belongs(const Migration& step, DatabaseKind kind) {
    return kind == DatabaseKind::platform ? step.of_platform : step.of_tenants;
}

// The steps of `kind` that `done` does not list; refuses a history that is not ours.
Result<std::vector<const Migration*>> pending_steps(const Rows& done, std::span<const Migration> steps,
                                                    DatabaseKind kind) {
    std::vector<const Migration*> ours;
    for (const auto& step : steps) {
        if (belongs(step, kind)) ours.push_back(&step);
    }
    std::vector<const Migration*> pending = ours;
    for (std::size_t row = 0; row < done.size(); ++row) {
        auto number = done.integer(row, 0);
        auto name = std::string(done.text(row, 1));
        auto label = std::to_string(number) + " (" + name + ")";
        auto known =
            std::find_if(ours.begin(), ours.end(), [&](auto* step) { return step->number == number; });
        if (known == ours.end()) {
            return Error{Fault::conflict,
                         "the database has migration " + label +
                             ", which this program does not know: run the newer program that made it",
                         "database newer than program"};
        }
        if (done.text(row, 2) != checksum_of(**known)) {
            return Error{Fault::conflict,
                         "migration " + label + " is not the one this database was made with: " +
                             "restore its text and put the change into a new migration",
                         "checksum " + std::string(done.text(row, 2)) + " became " + checksum_of(**known)};
        }
        std::erase(pending, *known);
    }
    return pending;
}

std::string with_role(std::string_view grants, const std::string& role) {
    std::string sql(grants);
    constexpr std::string_view place = "{app}";
    for (auto at = sql.find(place); at != std::string::npos; at = sql.find(place)) {
        sql.replace(at, place.size(), quote_identifier(role));
    }
    return sql;
}

std::string grants_of(const MigrationOrder& order) {
    std::string grants =
        "GRANT USAGE ON SCHEMA integreat TO {app}; GRANT SELECT ON integreat.migrations TO {app};";
    for (const auto& step : order.steps) {
        if (belongs(step, order.kind)) grants += step.grants;
    }
    return with_role(grants, order.app_role);
}

// Everything between BEGIN and COMMIT.
Result<int> carry_out(Connection& connection, const MigrationOrder& order) {
    TRY(connection.script("BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('integreat.migrations', 0))",
                          order.until));
    if (!order.owner.empty())
        TRY(connection.script("SET LOCAL ROLE " + quote_identifier(order.owner), order.until));
    TRY(connection.script(first_steps, order.until));
    Statement ask{done_sql, {}};
    auto done = TRY(connection.exchange({&ask, 1}, false, order.until));
    auto pending = TRY(pending_steps(done.front(), order.steps, order.kind));
    for (const auto* step : pending) {
        auto applied = connection.script(std::string(step->sql), order.until);
        if (!applied) {
            auto error = std::move(applied).error();
            error.message = "migration " + std::to_string(step->number) + " (" + std::string(step->name) +
                            ") failed and nothing was changed";
            return error;
        }
        std::array<Value, 3> what{std::to_string(step->number), std::string(step->name), checksum_of(*step)};
        Statement note{"INSERT INTO integreat.migrations (number, name, checksum) VALUES ($1, $2, $3)", what};
        TRY(connection.exchange({&note, 1}, false, order.until));
    }
    if (!order.app_role.empty()) TRY(connection.script(grants_of(order), order.until));
    TRY(connection.script("COMMIT", order.until));
    return static_cast<int>(pending.size());
}

}  // namespace

DatabaseKind kind_of(const TenantId& tenant) {
    return tenant == platform_tenant ? DatabaseKind::platform : DatabaseKind::tenant;
}

std::string checksum_of(const Migration& migration) {
    std::uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a: it guards against slips, not against attackers.
    for (unsigned char byte : migration.sql)
        hash = (hash ^ byte) * 0x100000001b3u;
    std::string text;
    for (int shift = 60; shift >= 0; shift -= 4)
        text += "0123456789abcdef"[(hash >> shift) & 15];
    return text;
}

Result<int> migrate(const MigrationOrder& order) {
    ConnectFailure failure;
    auto connection = Connection::open(order.url, order.until, failure);
    if (!connection) return failure.error;
    return carry_out(*connection, order);
}

Result<DatabaseState> check_database(Pool& pool, DatabaseKind kind, Monotonic deadline) {
    auto transaction = TRY(pool.begin(pool.tenant(), deadline));
    auto role = TRY(transaction.execute(
        "SELECT rolname, rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_catalog.pg_roles "
        "WHERE rolname = current_user"));
    for (std::size_t right = 1; right < 5; ++right) {
        static constexpr std::array rights{"", "SUPERUSER", "BYPASSRLS", "CREATEDB", "CREATEROLE"};
        if (role.empty() || role.boolean(0, right)) {
            auto name = role.empty() ? std::string("?") : std::string(role.text(0, 0));
            return Error{
                Fault::invalid,
                "the role " + name + " of the database of " + pool.tenant().text + " has " + rights[right] +
                    ", which lifts the walls between tenants: make one by SQL, CREATE ROLE name LOGIN, " +
                    "and put it into the URL",
                "pg_roles"};
        }
    }
    auto made =
        TRY(transaction.execute("SELECT to_regclass('integreat.migrations') IS NOT NULL AND "
                                "has_schema_privilege('integreat', 'USAGE')"));
    Rows done;
    if (made.boolean(0, 0)) done = TRY(transaction.execute(done_sql));
    return DatabaseState{static_cast<int>(TRY(pending_steps(done, migrations(), kind)).size())};
}

}  // namespace integreat::postgres
