// SPDX-License-Identifier: Apache-2.0
#include "services/collections/schema/schema_diff.h"

#include <algorithm>

#include <fmt/format.h>

#include "crypto/encoding.h"
#include "crypto/hash.h"
#include "postgres/driver/identifier.h"
#include "services/collections/schema/table_definitions.h"
#include "services/collections/views/caller_role.h"
#include "services/collections/views/sql_names.h"

namespace integreat::collections {

namespace {

using postgres::quote_identifier;
using postgres::quote_identifiers;
using postgres::quote_literal;

// Returns the hash of a definition, as stored in comments.
std::string hash_of(const std::string& text) {
    return "integreat: " + crypto::hex_encode(crypto::as_view(crypto::sha256(text))).substr(0, 16);
}

std::string definition_of(const Column& column, const Table& table) {
    auto text = column.default_sql + "|" + column.generated_sql;
    for (const auto& backfill : table.backfills) {
        if (backfill.name == column.name) text += "|" + backfill.sql;
    }
    return hash_of(text);
}

std::string definition_of(const ConstraintOrIndex& attachment) {
    return hash_of(attachment.sql);
}

std::string comment_sql(std::string_view kind, const std::string& object, std::string_view text) {
    return fmt::format("COMMENT ON {} {} IS {};\n", kind, object, quote_literal(text));
}

// Returns "name" text NOT NULL DEFAULT ....
std::string column_sql(const Column& column) {
    auto sql = quote_identifier(column.name) + " " + column.type;
    if (column.required) sql += " NOT NULL";
    if (!column.default_sql.empty()) sql += " DEFAULT " + column.default_sql;
    if (!column.generated_sql.empty()) sql += " GENERATED ALWAYS AS (" + column.generated_sql + ") STORED";
    return sql;
}

std::string qualified_column(const Table& table, const std::string& column) {
    return qualified_table(table.name) + "." + quote_identifier(column);
}

std::string alter_table_sql(const std::string& table) {
    return "ALTER TABLE " + qualified_table(table) + " ";
}

std::string add_constraint(const Table& table, const ConstraintOrIndex& constraint) {
    return alter_table_sql(table.name) + "ADD CONSTRAINT " + quote_identifier(constraint.name) + " " +
           constraint.sql + ";\n" +
           comment_sql("CONSTRAINT", quote_identifier(constraint.name) + " ON " + qualified_table(table.name),
                       definition_of(constraint));
}

std::string drop_constraint(const std::string& table, const std::string& name) {
    return alter_table_sql(table) + "DROP CONSTRAINT " + quote_identifier(name) + ";\n";
}

std::string add_index(const ConstraintOrIndex& index, bool unique) {
    return fmt::format("CREATE {}INDEX {}{};\n", unique ? "UNIQUE " : "", quote_identifier(index.name),
                       index.sql) +
           comment_sql("INDEX", "\"data\"." + quote_identifier(index.name), definition_of(index));
}

std::string drop_index(const std::string& name) {
    return "DROP INDEX \"data\"." + quote_identifier(name) + ";\n";
}

// Returns the risk of changing the type of a column.
MigrationRisk type_change_risk(const std::string& from, const std::string& to) {
    if (from == to) return MigrationRisk::none;
    bool widens = to == "text" || (from == "bigint" && to.starts_with("numeric")) ||
                  (from == "date" && to == "timestamp with time zone");
    int digits = 0, scale = 0, digits_before = 0, scale_before = 0;
    if (std::sscanf(from.c_str(), "numeric(%d,%d)", &digits_before, &scale_before) == 2 &&
        std::sscanf(to.c_str(), "numeric(%d,%d)", &digits, &scale) == 2) {
        widens = scale >= scale_before && digits - scale >= digits_before - scale_before;
        if (widens && scale == scale_before) return MigrationRisk::none;
    }
    return widens ? MigrationRisk::rewrite : MigrationRisk::data_loss;
}

struct TableMigration {
    MigrationPlan& plan;
    const SchemaDiff& diff;
    const Table& table;
    const CurrentTable& current;

    MigrationRisk if_not_empty(MigrationRisk risk) const {
        return current.has_records ? risk : MigrationRisk::none;
    }
    void add_step(std::string sql, MigrationRisk risk, std::string description) const {
        plan.steps.push_back({std::move(sql), risk, std::move(description)});
    }
};

void add_column(const TableMigration& migration, const Column& column) {
    bool fills_itself = !column.default_sql.empty() || !column.generated_sql.empty();
    if (column.required && !fills_itself && migration.current.has_records) {
        migration.plan.blockers.push_back(fmt::format(
            "{}.{} is required, but existing records have no value: give it a default, or make it "
            "optional until it is filled in",
            migration.table.name, column.name));
    }
    auto sql = alter_table_sql(migration.table.name) + "ADD COLUMN " + column_sql(column) + ";\n" +
               comment_sql("COLUMN", qualified_column(migration.table, column.name),
                           definition_of(column, migration.table));
    auto risk =
        column.generated_sql.empty() ? MigrationRisk::none : migration.if_not_empty(MigrationRisk::rewrite);
    migration.add_step(sql, risk, fmt::format("field {}.{} is added", migration.table.name, column.name));
}

void change_type(const TableMigration& migration, const Column& column, const CurrentColumn& current) {
    auto risk = type_change_risk(current.type, column.type);
    if (current.type == column.type) return;
    auto quoted = quote_identifier(column.name);
    migration.add_step(
        alter_table_sql(migration.table.name) +
            fmt::format("ALTER COLUMN {0} DROP DEFAULT, ALTER COLUMN {0} TYPE {1} "
                        "USING {0}::{1};\n",
                        quoted, column.type),
        migration.if_not_empty(risk),
        fmt::format("{}.{} becomes {} instead of {}{}", migration.table.name, column.name, column.type,
                    current.type,
                    risk == MigrationRisk::data_loss ? "; values that do not fit are lost" : ""));
}

Result<> change_required(const TableMigration& migration, const Column& column,
                         const CurrentColumn& current) {
    if (column.required == current.required) return {};
    auto name = migration.table.name + "." + column.name;
    if (!column.required) {
        migration.add_step(alter_table_sql(migration.table.name) + "ALTER COLUMN " +
                               quote_identifier(column.name) + " DROP NOT NULL;\n",
                           MigrationRisk::none, name + " becomes optional");
        return {};
    }
    if (migration.current.has_records && TRY(migration.diff.has_nulls(migration.table.name, column.name))) {
        migration.plan.blockers.push_back(name +
                                          " is required, but some records have no value: fill it in first");
    }
    migration.add_step(alter_table_sql(migration.table.name) + "ALTER COLUMN " +
                           quote_identifier(column.name) + " SET NOT NULL;\n",
                       migration.if_not_empty(MigrationRisk::lock), name + " becomes required");
    return {};
}

// Drops and adds the column: Postgres cannot turn a column into a generated one, or the other way round.
void replace_column(const TableMigration& migration, const Column& column, bool was_computed) {
    auto sql = alter_table_sql(migration.table.name) + "DROP COLUMN " + quote_identifier(column.name) +
               " CASCADE;\n" + alter_table_sql(migration.table.name) + "ADD COLUMN " + column_sql(column) +
               ";\n" +
               comment_sql("COLUMN", qualified_column(migration.table, column.name),
                           definition_of(column, migration.table));
    migration.add_step(
        sql, migration.if_not_empty(was_computed ? MigrationRisk::rewrite : MigrationRisk::data_loss),
        fmt::format("{}.{} is {}", migration.table.name, column.name,
                    was_computed ? "recomputed" : "computed; entered values are lost"));
}

Result<> change_column(const TableMigration& migration, const Column& column, const CurrentColumn& current) {
    auto definition = definition_of(column, migration.table);
    bool computed = !column.generated_sql.empty();
    bool formula_changed = computed && current.comment != definition;
    if (computed != current.generated || formula_changed || (computed && current.type != column.type)) {
        replace_column(migration, column, current.generated);
        return {};
    }
    change_type(migration, column, current);
    TRY(change_required(migration, column, current));
    if (current.comment == definition && (current.type == column.type || column.default_sql.empty()))
        return {};
    auto value = column.default_sql.empty() ? "DROP DEFAULT" : "SET DEFAULT " + column.default_sql;
    auto sql = computed ? ""
                        : alter_table_sql(migration.table.name) + "ALTER COLUMN " +
                              quote_identifier(column.name) + " " + value + ";\n";
    migration.add_step(
        sql + comment_sql("COLUMN", qualified_column(migration.table, column.name), definition),
        MigrationRisk::none, fmt::format("the default of {}.{} changes", migration.table.name, column.name));
    return {};
}

// Retires the column of a field that the manifest no longer has: it is hidden and no longer required.
void retire_column(const TableMigration& migration, const std::string& name, const CurrentColumn& current) {
    auto quoted = quote_identifier(name);
    auto full_name = migration.table.name + "." + name;
    auto drop = alter_table_sql(migration.table.name) + "DROP COLUMN " + quoted + " CASCADE;\n";
    if (current.generated)
        return migration.add_step(drop, MigrationRisk::none, "computed field " + full_name + " is dropped");
    migration.plan.retired.push_back(
        {drop, MigrationRisk::data_loss, full_name + " and its values are dropped"});
    if (current.comment == retired_comment) return;
    migration.add_step(
        alter_table_sql(migration.table.name) +
            fmt::format("ALTER COLUMN {0} DROP NOT NULL, ALTER COLUMN {0} DROP DEFAULT;\n", quoted) +
            comment_sql("COLUMN", qualified_column(migration.table, name), retired_comment),
        MigrationRisk::none, full_name + " is retired: kept, but hidden");
}

using Names = std::map<std::string, std::string>;

// Drops objects that are missing from `target` or have changed there. Returns the objects to create.
std::vector<const ConstraintOrIndex*> drop_stale(const TableMigration& migration,
                                                 const std::vector<ConstraintOrIndex>& target,
                                                 const Names& current, bool constraints) {
    std::vector<const ConstraintOrIndex*> missing;
    std::string drops;
    auto drop = [&](const std::string& name) {
        drops += constraints ? drop_constraint(migration.table.name, name) : drop_index(name);
    };
    for (const auto& existing : current) {
        bool same = std::any_of(target.begin(), target.end(), [&](const ConstraintOrIndex& one) {
            return one.name == existing.first && definition_of(one) == existing.second;
        });
        if (!same) drop(existing.first);
    }
    for (const auto& one : target) {
        auto existing = current.find(one.name);
        if (existing == current.end() || existing->second != definition_of(one)) missing.push_back(&one);
    }
    if (!drops.empty()) {
        migration.add_step(
            drops, MigrationRisk::none,
            fmt::format("outdated constraints and indexes of {} are dropped", migration.table.name));
    }
    return missing;
}

void create_table(MigrationPlan& plan, const Table& table) {
    std::string columns, comments;
    for (const auto& column : table.columns) {
        columns += "    " + column_sql(column) + ",\n";
        comments += comment_sql("COLUMN", qualified_column(table, column.name), definition_of(column, table));
    }
    auto sql = "CREATE TABLE " + qualified_table(table.name) + " (\n" + columns +
               "    PRIMARY KEY (\"id\")\n);\n" + alter_table_sql(table.name) +
               "ENABLE ROW LEVEL SECURITY;\n" + comments;
    for (const auto& check : table.checks)
        sql += add_constraint(table, check);
    for (const auto& index : table.unique)
        sql += add_index(index, true);
    for (const auto& index : table.indexes)
        sql += add_index(index, false);
    plan.steps.push_back({sql, MigrationRisk::none, "table " + table.name + " is created"});
}

Result<> alter_table(MigrationPlan& plan, const SchemaDiff& diff, const Table& table) {
    const auto& current = diff.current.tables.at(table.name);
    TableMigration migration{plan, diff, table, current};
    if (!current.row_security || current.comment == retired_comment) {
        migration.add_step(alter_table_sql(table.name) + "ENABLE ROW LEVEL SECURITY;\n" +
                               comment_sql("TABLE", qualified_table(table.name), ""),
                           MigrationRisk::none, "row-level security of " + table.name + " is enabled again");
    }
    // Dropped before the columns they depend on change, and created again afterwards.
    drop_stale(migration, table.references, current.references, true);
    auto checks = drop_stale(migration, table.checks, current.checks, true);
    auto unique = drop_stale(migration, table.unique, current.unique, false);
    auto indexes = drop_stale(migration, table.indexes, current.indexes, false);
    for (const auto& column : table.columns) {
        auto existing = current.columns.find(column.name);
        if (existing == current.columns.end())
            add_column(migration, column);
        else
            TRY(change_column(migration, column, existing->second));
    }
    for (const auto& kept : current.columns) {
        bool in_target = std::any_of(table.columns.begin(), table.columns.end(),
                                     [&](const Column& one) { return one.name == kept.first; });
        if (!in_target) retire_column(migration, kept.first, kept.second);
    }
    auto lock = migration.if_not_empty(MigrationRisk::lock);
    for (const auto* check : checks)
        migration.add_step(add_constraint(table, *check), lock, "check " + check->name + " is added");
    for (const auto* index : unique)
        migration.add_step(add_index(*index, true), lock, "unique index " + index->name + " is added");
    for (const auto* index : indexes)
        migration.add_step(add_index(*index, false), lock, "index " + index->name + " is added");
    return {};
}

void add_references(MigrationPlan& plan, const Table& table, const CurrentTable* current) {
    for (const auto& reference : table.references) {
        auto existing = current ? current->references.find(reference.name) : Names::const_iterator();
        bool exists =
            current && existing != current->references.end() && existing->second == definition_of(reference);
        if (exists) continue;
        plan.steps.push_back({add_constraint(table, reference),
                              current && current->has_records ? MigrationRisk::lock : MigrationRisk::none,
                              "foreign key " + reference.name + " is added"});
    }
}

void retire_table(MigrationPlan& plan, const std::string& name, const CurrentTable& table) {
    plan.retired.push_back({"DROP TABLE " + qualified_table(name) + " CASCADE;\n", MigrationRisk::data_loss,
                            "table " + name + " and all its records are dropped"});
    if (table.comment == retired_comment) return;
    std::string sql;
    for (const auto& [constraint, comment] : table.references)
        sql += drop_constraint(name, constraint);
    plan.steps.push_back({sql + comment_sql("TABLE", qualified_table(name), retired_comment),
                          MigrationRisk::none, "table " + name + " is retired: kept, but hidden"});
}

std::string join_statements(const std::vector<std::string>& statements) {
    std::string sql;
    for (const auto& statement : statements)
        sql += statement + ";\n";
    return sql;
}

// Returns roles of this app that the manifest no longer has.
std::vector<std::string> removed_roles(const SchemaDiff& diff) {
    std::vector<std::string> removed;
    auto prefix = database_role(diff.app, "");
    for (const auto& role : diff.current.login_memberships) {
        const auto& roles = diff.target.roles;
        bool known = std::find(roles.begin(), roles.end(), role) != roles.end();
        if (!known && role.starts_with(prefix)) removed.push_back(role);
    }
    return removed;
}

// Runs as the connecting role, not as the owner.
void create_roles(MigrationPlan& plan, const SchemaDiff& diff) {
    const auto& current = diff.current;
    auto login = quote_identifier(diff.options.login_role);
    for (const auto& role : diff.target.roles) {
        std::string sql;
        if (!current.roles.contains(role)) sql += "CREATE ROLE " + quote_identifier(role) + " NOLOGIN;\n";
        if (!current.login_memberships.contains(role))
            sql += fmt::format("GRANT {} TO {};\n", quote_identifier(role), login);
        if (!sql.empty())
            plan.steps.push_back({sql, MigrationRisk::none, "database role " + role + " is set up", true});
    }
    if (current.login_inherits) {
        plan.steps.push_back({fmt::format("ALTER ROLE {} NOINHERIT;\n", login), MigrationRisk::none,
                              diff.options.login_role + " no longer inherits the privileges of its roles",
                              true});
    }
}

// Drops policies, triggers and grants first: columns they depend on could not be altered otherwise.
void drop_access(MigrationPlan& plan, const SchemaDiff& diff) {
    const auto& current = diff.current;
    auto sql = join_statements(current.policies) + join_statements(current.triggers) +
               join_statements(current.functions);
    auto removed = removed_roles(diff);
    auto roles = removed;
    for (const auto& role : diff.target.roles)
        roles.push_back(role);
    sql += fmt::format(
        "REVOKE ALL ON ALL TABLES IN SCHEMA data FROM {0};\nREVOKE ALL ON integreat.changes FROM "
        "{0};\nREVOKE ALL ON SCHEMA data, integreat FROM {0};\n",
        quote_identifiers(roles));
    plan.steps.push_back(
        {sql, MigrationRisk::none, "the previous policies, triggers and grants are dropped"});
}

void create_access(MigrationPlan& plan, const SchemaDiff& diff) {
    const auto& target = diff.target;
    auto sql =
        fmt::format("GRANT USAGE ON SCHEMA data, integreat TO {};\n", quote_identifiers(target.roles)) +
        join_statements(target.functions) + join_statements(target.access) + join_statements(target.triggers);
    plan.steps.push_back(
        {sql, MigrationRisk::none, "the policies, triggers and grants of the manifest are created"});
}

void revoke_removed_roles(MigrationPlan& plan, const SchemaDiff& diff) {
    for (const auto& role : removed_roles(diff)) {
        plan.steps.push_back({fmt::format("REVOKE {} FROM {};\n", quote_identifier(role),
                                          quote_identifier(diff.options.login_role)),
                              MigrationRisk::none, "role " + role + " is revoked from the login role", true});
    }
}

void backfill(MigrationPlan& plan, const Table& table, const CurrentTable& current) {
    for (const auto& one : table.backfills) {
        auto column = std::find_if(table.columns.begin(), table.columns.end(),
                                   [&](const Column& each) { return each.name == one.name; });
        auto existing = current.columns.find(one.name);
        bool same =
            existing != current.columns.end() && existing->second.comment == definition_of(*column, table);
        if (same || !current.has_records) continue;
        plan.steps.push_back({one.sql + ";\n", MigrationRisk::lock,
                              fmt::format("{}.{} is computed for all records", table.name, one.name)});
    }
}

void add_references_and_backfill(MigrationPlan& plan, const SchemaDiff& diff) {
    const auto& current = diff.current.tables;
    for (const auto& table : diff.target.tables) {
        auto existing = current.find(table.name);
        add_references(plan, table, existing == current.end() ? nullptr : &existing->second);
    }
    for (const auto& table : diff.target.tables) {
        auto existing = current.find(table.name);
        if (existing != current.end()) backfill(plan, table, existing->second);
    }
}

}  // namespace

bool MigrationPlan::loses_data() const {
    return std::any_of(steps.begin(), steps.end(),
                       [](const MigrationStep& step) { return step.risk == MigrationRisk::data_loss; });
}

std::string_view to_string(MigrationRisk risk) {
    switch (risk) {
        case MigrationRisk::none: return "none";
        case MigrationRisk::lock: return "lock";
        case MigrationRisk::rewrite: return "rewrite";
        case MigrationRisk::data_loss: return "data loss";
    }
    return "";
}

Result<MigrationPlan> diff_schema(const SchemaDiff& diff) {
    MigrationPlan plan;
    plan.fingerprint = schema_fingerprint(diff.target);
    MigrationPlan structure;
    for (const auto& table : diff.target.tables) {
        auto existing = diff.current.tables.find(table.name);
        if (existing == diff.current.tables.end())
            create_table(structure, table);
        else
            TRY(alter_table(structure, diff, table));
    }
    for (const auto& current : diff.current.tables) {
        bool in_target = std::any_of(diff.target.tables.begin(), diff.target.tables.end(),
                                     [&](const Table& one) { return one.name == current.first; });
        if (!in_target) retire_table(structure, current.first, current.second);
    }
    add_references_and_backfill(structure, diff);
    plan.retired = std::move(structure.retired);
    plan.blockers = std::move(structure.blockers);
    create_roles(plan, diff);
    bool same = diff.current.fingerprint == plan.fingerprint && plan.steps.empty();
    if (same && structure.steps.empty()) return plan;
    drop_access(plan, diff);
    plan.steps.insert(plan.steps.end(), structure.steps.begin(), structure.steps.end());
    create_access(plan, diff);
    revoke_removed_roles(plan, diff);
    return plan;
}

}  // namespace integreat::collections
