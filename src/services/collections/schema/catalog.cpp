// SPDX-License-Identifier: Apache-2.0
#include "services/collections/schema/catalog.h"

#include <array>

#include <fmt/format.h>

#include "postgres/driver/identifier.h"
#include "services/collections/views/sql_names.h"

namespace integreat::collections {

namespace {

using postgres::Connection;
using postgres::Rows;
using postgres::Statement;
using postgres::Value;

constexpr std::string_view tables_sql =
    "SELECT relname, relrowsecurity, coalesce(obj_description(oid, 'pg_class'), '') FROM pg_class "
    "WHERE relnamespace = to_regnamespace('data') AND relkind = 'r'";

constexpr std::string_view columns_sql =
    "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated <> '', "
    "coalesce(col_description(c.oid, a.attnum), '') FROM pg_attribute a JOIN pg_class c ON c.oid = "
    "a.attrelid "
    "WHERE c.relnamespace = to_regnamespace('data') AND c.relkind = 'r' AND a.attnum > 0 "
    "AND NOT a.attisdropped";

constexpr std::string_view constraints_sql =
    "SELECT c.relname, n.conname, n.contype, coalesce(obj_description(n.oid, 'pg_constraint'), '') "
    "FROM pg_constraint n JOIN pg_class c ON c.oid = n.conrelid "
    "WHERE c.relnamespace = to_regnamespace('data') AND n.contype IN ('c', 'f')";

constexpr std::string_view indexes_sql =
    "SELECT c.relname, i.relname, x.indisunique, coalesce(obj_description(i.oid, 'pg_class'), '') "
    "FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid "
    "WHERE c.relnamespace = to_regnamespace('data') AND NOT x.indisprimary";

constexpr std::string_view ours_sql =
    "SELECT 'policy', format('DROP POLICY %I ON %s', polname, polrelid::regclass) FROM pg_policy "
    "WHERE polrelid IN (SELECT oid FROM pg_class WHERE relnamespace = to_regnamespace('data')) "
    "OR (polrelid = to_regclass('integreat.changes') AND polname LIKE 'history\\_%') "
    "UNION ALL SELECT 'trigger', format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass) FROM pg_trigger "
    "WHERE NOT tgisinternal "
    "AND tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = to_regnamespace('data')) "
    "UNION ALL SELECT 'function', format('DROP FUNCTION %s', oid::regprocedure) FROM pg_proc "
    "WHERE pronamespace = to_regnamespace('integreat') AND proname ~ '^(guard|through|rollup)_'";

constexpr std::string_view roles_sql =
    "SELECT r.rolname, EXISTS (SELECT FROM pg_auth_members m WHERE m.roleid = r.oid AND m.member = l.oid), "
    "l.rolinherit FROM pg_roles r CROSS JOIN pg_roles l WHERE l.rolname = $1";

Result<Rows> ask(Connection& connection, std::string_view sql, Monotonic until,
                 std::span<const Value> parameters = {}) {
    Statement statement{sql, parameters};
    return TRY(connection.exchange({&statement, 1}, false, until)).front();
}

std::string at(const Rows& rows, std::size_t row, std::size_t column) {
    return std::string(rows.text(row, column));
}

Result<> find_columns(Connection& connection, Found& found, Monotonic until) {
    auto tables = TRY(ask(connection, tables_sql, until));
    for (std::size_t i = 0; i < tables.size(); ++i) {
        auto& table = found.tables[at(tables, i, 0)];
        table.row_security = tables.boolean(i, 1);
        table.comment = at(tables, i, 2);
    }
    auto columns = TRY(ask(connection, columns_sql, until));
    for (std::size_t i = 0; i < columns.size(); ++i) {
        found.tables[at(columns, i, 0)].columns[at(columns, i, 1)] = {
            at(columns, i, 2), columns.boolean(i, 3), columns.boolean(i, 4), at(columns, i, 5)};
    }
    for (auto& [name, table] : found.tables) {
        auto sql = "SELECT EXISTS (SELECT FROM " + table_of(name) + ")";
        table.has_records = TRY(ask(connection, sql, until)).boolean(0, 0);
    }
    return {};
}

Result<> find_attachments(Connection& connection, Found& found, Monotonic until) {
    auto constraints = TRY(ask(connection, constraints_sql, until));
    for (std::size_t i = 0; i < constraints.size(); ++i) {
        auto& table = found.tables[at(constraints, i, 0)];
        auto& kind = constraints.text(i, 2) == "c" ? table.checks : table.references;
        kind[at(constraints, i, 1)] = at(constraints, i, 3);
    }
    auto indexes = TRY(ask(connection, indexes_sql, until));
    for (std::size_t i = 0; i < indexes.size(); ++i) {
        auto& table = found.tables[at(indexes, i, 0)];
        auto& kind = indexes.boolean(i, 2) ? table.unique : table.indexes;
        kind[at(indexes, i, 1)] = at(indexes, i, 3);
    }
    return {};
}

Result<> find_ours(Connection& connection, Found& found, Monotonic until) {
    auto ours = TRY(ask(connection, ours_sql, until));
    for (std::size_t i = 0; i < ours.size(); ++i) {
        auto kind = ours.text(i, 0);
        auto& drops = kind == "policy"    ? found.policies
                      : kind == "trigger" ? found.triggers
                                          : found.functions;
        drops.push_back(at(ours, i, 1));
    }
    return {};
}

}  // namespace

Result<Found> find_tables(Connection& connection, const std::string& login_role, Monotonic until) {
    Found found;
    auto applied =
        TRY(ask(connection, "SELECT fingerprint FROM integreat.models ORDER BY number DESC LIMIT 1", until));
    if (!applied.empty()) found.fingerprint = at(applied, 0, 0);
    std::array<Value, 1> login{login_role};
    auto roles = TRY(ask(connection, roles_sql, until, login));
    for (std::size_t i = 0; i < roles.size(); ++i) {
        found.roles.insert(at(roles, i, 0));
        if (roles.boolean(i, 1)) found.login_may_become.insert(at(roles, i, 0));
        found.login_inherits = roles.boolean(i, 2);
    }
    if (found.roles.empty()) {
        return Error{Fault::invalid, "there is no role " + login_role + " to serve requests", "pg_roles"};
    }
    TRY(find_columns(connection, found, until));
    TRY(find_attachments(connection, found, until));
    TRY(find_ours(connection, found, until));
    return found;
}

Result<bool> has_nulls(Connection& connection, const std::string& table, const std::string& column,
                       Monotonic until) {
    auto sql = fmt::format("SELECT EXISTS (SELECT FROM {} WHERE {} IS NULL)", table_of(table),
                           postgres::quote_identifier(column));
    return TRY(ask(connection, sql, until)).boolean(0, 0);
}

}  // namespace integreat::collections
