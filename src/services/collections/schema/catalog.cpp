// SPDX-License-Identifier: Apache-2.0
#include "services/collections/schema/catalog.h"

#include <array>

#include <fmt/format.h>

#include "postgres/driver/identifier.h"
#include "services/collections/views/sql_names.h"

namespace integreat::collections {

namespace {

using postgres::Connection;
using postgres::ResultSet;
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

constexpr std::string_view platform_objects_sql =
    "SELECT 'policy', format('DROP POLICY %I ON %s', polname, polrelid::regclass) FROM pg_policy "
    "WHERE polrelid IN (SELECT oid FROM pg_class WHERE relnamespace = to_regnamespace('data')) "
    "OR (polrelid = to_regclass('integreat.changes') AND polname LIKE 'history\\_%') "
    "UNION ALL SELECT 'trigger', format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass) FROM pg_trigger "
    "WHERE NOT tgisinternal "
    "AND tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = to_regnamespace('data')) "
    "UNION ALL SELECT 'function', format('DROP FUNCTION %s', oid::regprocedure) FROM pg_proc "
    "WHERE pronamespace = to_regnamespace('integreat') AND proname ~ '^(guard|through|rollup|quota)_'";

constexpr std::string_view roles_sql =
    "SELECT r.rolname, EXISTS (SELECT FROM pg_auth_members m WHERE m.roleid = r.oid AND m.member = l.oid), "
    "l.rolinherit FROM pg_roles r CROSS JOIN pg_roles l WHERE l.rolname = $1";

Result<ResultSet> query(Connection& connection, std::string_view sql, Monotonic until,
                        std::span<const Value> parameters = {}) {
    Statement statement{sql, parameters};
    return TRY(connection.execute_pipeline({&statement, 1}, false, until)).front();
}

std::string text_at(const ResultSet& rows, std::size_t row, std::size_t column) {
    return std::string(rows.text(row, column));
}

Result<> read_columns(Connection& connection, CurrentSchema& current, Monotonic until) {
    auto tables = TRY(query(connection, tables_sql, until));
    for (std::size_t i = 0; i < tables.size(); ++i) {
        auto& table = current.tables[text_at(tables, i, 0)];
        table.row_security = tables.boolean(i, 1);
        table.comment = text_at(tables, i, 2);
    }
    auto columns = TRY(query(connection, columns_sql, until));
    for (std::size_t i = 0; i < columns.size(); ++i) {
        current.tables[text_at(columns, i, 0)].columns[text_at(columns, i, 1)] = {
            text_at(columns, i, 2), columns.boolean(i, 3), columns.boolean(i, 4), text_at(columns, i, 5)};
    }
    for (auto& [name, table] : current.tables) {
        auto sql = "SELECT EXISTS (SELECT FROM " + qualified_table(name) + ")";
        table.has_records = TRY(query(connection, sql, until)).boolean(0, 0);
    }
    return {};
}

Result<> read_constraints_and_indexes(Connection& connection, CurrentSchema& current, Monotonic until) {
    auto constraints = TRY(query(connection, constraints_sql, until));
    for (std::size_t i = 0; i < constraints.size(); ++i) {
        auto& table = current.tables[text_at(constraints, i, 0)];
        auto& kind = constraints.text(i, 2) == "c" ? table.checks : table.references;
        kind[text_at(constraints, i, 1)] = text_at(constraints, i, 3);
    }
    auto indexes = TRY(query(connection, indexes_sql, until));
    for (std::size_t i = 0; i < indexes.size(); ++i) {
        auto& table = current.tables[text_at(indexes, i, 0)];
        auto& kind = indexes.boolean(i, 2) ? table.unique : table.indexes;
        kind[text_at(indexes, i, 1)] = text_at(indexes, i, 3);
    }
    return {};
}

Result<> read_platform_objects(Connection& connection, CurrentSchema& current, Monotonic until) {
    auto objects = TRY(query(connection, platform_objects_sql, until));
    for (std::size_t i = 0; i < objects.size(); ++i) {
        auto kind = objects.text(i, 0);
        auto& drops = kind == "policy"    ? current.policies
                      : kind == "trigger" ? current.triggers
                                          : current.functions;
        drops.push_back(text_at(objects, i, 1));
    }
    return {};
}

}  // namespace

Result<CurrentSchema> read_current_schema(Connection& connection, const std::string& login_role,
                                          Monotonic until) {
    CurrentSchema current;
    auto applied = TRY(
        query(connection, "SELECT fingerprint FROM integreat.models ORDER BY number DESC LIMIT 1", until));
    if (!applied.empty()) current.fingerprint = text_at(applied, 0, 0);
    std::array<Value, 1> login{login_role};
    auto roles = TRY(query(connection, roles_sql, until, login));
    for (std::size_t i = 0; i < roles.size(); ++i) {
        current.roles.insert(text_at(roles, i, 0));
        if (roles.boolean(i, 1)) current.login_memberships.insert(text_at(roles, i, 0));
        current.login_inherits = roles.boolean(i, 2);
    }
    if (current.roles.empty()) {
        return Error{Fault::invalid, "the login role " + login_role + " does not exist", "pg_roles"};
    }
    TRY(read_columns(connection, current, until));
    TRY(read_constraints_and_indexes(connection, current, until));
    TRY(read_platform_objects(connection, current, until));
    return current;
}

Result<bool> has_nulls(Connection& connection, const std::string& table, const std::string& column,
                       Monotonic until) {
    auto sql = fmt::format("SELECT EXISTS (SELECT FROM {} WHERE {} IS NULL)", qualified_table(table),
                           postgres::quote_identifier(column));
    return TRY(query(connection, sql, until)).boolean(0, 0);
}

}  // namespace integreat::collections
