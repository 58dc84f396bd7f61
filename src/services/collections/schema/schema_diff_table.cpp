// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "postgres/driver/identifier.h"
#include "services/collections/schema/schema_diff.h"
#include "services/collections/views/sql_names.h"

namespace integreat::collections {

namespace {

using postgres::quote_identifier;

std::string column_of(const Table& table, const std::string& column) {
    return table_of(table.name) + "." + quote_identifier(column);
}

std::string alter(const std::string& table) {
    return "ALTER TABLE " + table_of(table) + " ";
}

std::string add_constraint(const Table& table, const Attachment& constraint) {
    return alter(table.name) + "ADD CONSTRAINT " + quote_identifier(constraint.name) + " " + constraint.sql +
           ";\n" +
           comment_sql("CONSTRAINT", quote_identifier(constraint.name) + " ON " + table_of(table.name),
                       definition_of(constraint));
}

std::string drop_constraint(const std::string& table, const std::string& name) {
    return alter(table) + "DROP CONSTRAINT " + quote_identifier(name) + ";\n";
}

std::string add_index(const Attachment& index, bool unique) {
    return fmt::format("CREATE {}INDEX {}{};\n", unique ? "UNIQUE " : "", quote_identifier(index.name),
                       index.sql) +
           comment_sql("INDEX", "\"data\"." + quote_identifier(index.name), definition_of(index));
}

std::string drop_index(const std::string& name) {
    return "DROP INDEX \"data\"." + quote_identifier(name) + ";\n";
}

// What becomes of the values of a column that changes its type.
Danger danger_of(const std::string& from, const std::string& to) {
    if (from == to) return Danger::none;
    bool widens = to == "text" || (from == "bigint" && to.starts_with("numeric")) ||
                  (from == "date" && to == "timestamp with time zone");
    int digits = 0, scale = 0, digits_before = 0, scale_before = 0;
    if (std::sscanf(from.c_str(), "numeric(%d,%d)", &digits_before, &scale_before) == 2 &&
        std::sscanf(to.c_str(), "numeric(%d,%d)", &digits, &scale) == 2) {
        widens = scale >= scale_before && digits - scale >= digits_before - scale_before;
        if (widens && scale == scale_before) return Danger::none;
    }
    return widens ? Danger::rewrite : Danger::data_loss;
}

struct TableChange {
    Plan& plan;
    const Comparison& comparison;
    const Table& table;
    const FoundTable& found;

    Danger if_filled(Danger danger) const { return found.has_records ? danger : Danger::none; }
    void step(std::string sql, Danger danger, std::string sentence) const {
        plan.steps.push_back({std::move(sql), danger, std::move(sentence)});
    }
};

void add_column(const TableChange& change, const Column& column) {
    bool fills_itself = !column.default_sql.empty() || !column.generated_sql.empty();
    if (column.required && !fills_itself && change.found.has_records) {
        change.plan.obstacles.push_back(fmt::format(
            "{}.{} is required, and the records that exist have none: give it a default, or make it "
            "optional until it is filled in",
            change.table.name, column.name));
    }
    auto sql =
        alter(change.table.name) + "ADD COLUMN " + column_sql(column, change.table) + ";\n" +
        comment_sql("COLUMN", column_of(change.table, column.name), definition_of(column, change.table));
    auto danger = column.generated_sql.empty() ? Danger::none : change.if_filled(Danger::rewrite);
    change.step(sql, danger, fmt::format("{} gets the field {}", change.table.name, column.name));
}

void change_type(const TableChange& change, const Column& column, const FoundColumn& found) {
    auto danger = danger_of(found.type, column.type);
    if (found.type == column.type) return;
    auto quoted = quote_identifier(column.name);
    change.step(
        alter(change.table.name) + fmt::format("ALTER COLUMN {0} DROP DEFAULT, ALTER COLUMN {0} TYPE {1} "
                                               "USING {0}::{1};\n",
                                               quoted, column.type),
        change.if_filled(danger),
        fmt::format("{}.{} becomes {} instead of {}{}", change.table.name, column.name, column.type,
                    found.type, danger == Danger::data_loss ? "; what does not fit is lost" : ""));
}

Result<> change_required(const TableChange& change, const Column& column, const FoundColumn& found) {
    if (column.required == found.required) return {};
    auto what = change.table.name + "." + column.name;
    if (!column.required) {
        change.step(
            alter(change.table.name) + "ALTER COLUMN " + quote_identifier(column.name) + " DROP NOT NULL;\n",
            Danger::none, what + " may be left out");
        return {};
    }
    if (change.found.has_records && TRY(change.comparison.has_nulls(change.table.name, column.name))) {
        change.plan.obstacles.push_back(what + " is required, and some records have none: fill it in first");
    }
    change.step(
        alter(change.table.name) + "ALTER COLUMN " + quote_identifier(column.name) + " SET NOT NULL;\n",
        change.if_filled(Danger::lock), what + " is required");
    return {};
}

// A computed column cannot become another kind of column, nor another a computed one.
void replace_column(const TableChange& change, const Column& column, bool was_computed) {
    auto sql =
        alter(change.table.name) + "DROP COLUMN " + quote_identifier(column.name) + " CASCADE;\n" +
        alter(change.table.name) + "ADD COLUMN " + column_sql(column, change.table) + ";\n" +
        comment_sql("COLUMN", column_of(change.table, column.name), definition_of(column, change.table));
    change.step(sql, change.if_filled(was_computed ? Danger::rewrite : Danger::data_loss),
                fmt::format("{}.{} is {}", change.table.name, column.name,
                            was_computed ? "computed anew" : "computed; what was entered is lost"));
}

Result<> change_column(const TableChange& change, const Column& column, const FoundColumn& found) {
    auto definition = definition_of(column, change.table);
    bool computed = !column.generated_sql.empty();
    bool other_formula = computed && found.comment != definition;
    if (computed != found.generated || other_formula || (computed && found.type != column.type)) {
        replace_column(change, column, found.generated);
        return {};
    }
    change_type(change, column, found);
    TRY(change_required(change, column, found));
    if (found.comment == definition && (found.type == column.type || column.default_sql.empty())) return {};
    auto value = column.default_sql.empty() ? "DROP DEFAULT" : "SET DEFAULT " + column.default_sql;
    auto sql = computed ? ""
                        : alter(change.table.name) + "ALTER COLUMN " + quote_identifier(column.name) + " " +
                              value + ";\n";
    change.step(sql + comment_sql("COLUMN", column_of(change.table, column.name), definition), Danger::none,
                fmt::format("{}.{} has another default", change.table.name, column.name));
    return {};
}

// Of a field that the manifest no longer has: nobody sees it, and nobody need fill it in.
void leave_column(const TableChange& change, const std::string& name, const FoundColumn& found) {
    auto quoted = quote_identifier(name);
    auto what = change.table.name + "." + name;
    auto drop = alter(change.table.name) + "DROP COLUMN " + quoted + " CASCADE;\n";
    if (found.generated) return change.step(drop, Danger::none, what + " is no longer computed");
    change.plan.leftovers.push_back({drop, Danger::data_loss, what + " and all that was entered in it goes"});
    if (found.comment == leftover) return;
    change.step(alter(change.table.name) +
                    fmt::format("ALTER COLUMN {0} DROP NOT NULL, ALTER COLUMN {0} DROP DEFAULT;\n", quoted) +
                    comment_sql("COLUMN", column_of(change.table, name), leftover),
                Danger::none, what + " is kept, out of sight");
}

using Names = std::map<std::string, std::string>;

// What is gone or has changed goes; returns what has to be made.
std::vector<const Attachment*> drop_stale(const TableChange& change, const std::vector<Attachment>& wanted,
                                          const Names& found, bool constraints) {
    std::vector<const Attachment*> missing;
    std::string drops;
    auto drop = [&](const std::string& name) {
        drops += constraints ? drop_constraint(change.table.name, name) : drop_index(name);
    };
    for (const auto& there : found) {
        bool same = std::any_of(wanted.begin(), wanted.end(), [&](const Attachment& one) {
            return one.name == there.first && definition_of(one) == there.second;
        });
        if (!same) drop(there.first);
    }
    for (const auto& one : wanted) {
        auto there = found.find(one.name);
        if (there == found.end() || there->second != definition_of(one)) missing.push_back(&one);
    }
    if (!drops.empty()) {
        change.step(
            drops, Danger::none,
            fmt::format("limits and indexes of {} that no longer hold are dropped", change.table.name));
    }
    return missing;
}

}  // namespace

std::string column_sql(const Column& column, const Table&) {
    auto sql = quote_identifier(column.name) + " " + column.type;
    if (column.required) sql += " NOT NULL";
    if (!column.default_sql.empty()) sql += " DEFAULT " + column.default_sql;
    if (!column.generated_sql.empty()) sql += " GENERATED ALWAYS AS (" + column.generated_sql + ") STORED";
    return sql;
}

void make_table(Plan& plan, const Table& table) {
    std::string columns, comments;
    for (const auto& column : table.columns) {
        columns += "    " + column_sql(column, table) + ",\n";
        comments += comment_sql("COLUMN", column_of(table, column.name), definition_of(column, table));
    }
    auto sql = "CREATE TABLE " + table_of(table.name) + " (\n" + columns + "    PRIMARY KEY (\"id\")\n);\n" +
               alter(table.name) + "ENABLE ROW LEVEL SECURITY;\n" + comments;
    for (const auto& check : table.checks)
        sql += add_constraint(table, check);
    for (const auto& index : table.unique)
        sql += add_index(index, true);
    for (const auto& index : table.indexes)
        sql += add_index(index, false);
    plan.steps.push_back({sql, Danger::none, "the table " + table.name + " is made"});
}

Result<> change_table(Plan& plan, const Comparison& comparison, const Table& table) {
    const auto& found = comparison.found.tables.at(table.name);
    TableChange change{plan, comparison, table, found};
    if (!found.row_security || found.comment == leftover) {
        change.step(alter(table.name) + "ENABLE ROW LEVEL SECURITY;\n" +
                        comment_sql("TABLE", table_of(table.name), ""),
                    Danger::none, table.name + " is under its rules again");
    }
    // Before the columns they speak of change, and back after.
    drop_stale(change, table.references, found.references, true);
    auto checks = drop_stale(change, table.checks, found.checks, true);
    auto unique = drop_stale(change, table.unique, found.unique, false);
    auto indexes = drop_stale(change, table.indexes, found.indexes, false);
    for (const auto& column : table.columns) {
        auto there = found.columns.find(column.name);
        if (there == found.columns.end())
            add_column(change, column);
        else
            TRY(change_column(change, column, there->second));
    }
    for (const auto& kept : found.columns) {
        bool desired = std::any_of(table.columns.begin(), table.columns.end(),
                                   [&](const Column& one) { return one.name == kept.first; });
        if (!desired) leave_column(change, kept.first, kept.second);
    }
    auto lock = change.if_filled(Danger::lock);
    for (const auto* check : checks)
        change.step(add_constraint(table, *check), lock, "every record meets " + check->name);
    for (const auto* index : unique)
        change.step(add_index(*index, true), lock, "no two records are alike in " + index->name);
    for (const auto* index : indexes)
        change.step(add_index(*index, false), lock, "lists are found by " + index->name);
    return {};
}

void add_references(Plan& plan, const Table& table, const FoundTable* found) {
    for (const auto& reference : table.references) {
        auto there = found ? found->references.find(reference.name) : Names::const_iterator();
        bool exists = found && there != found->references.end() && there->second == definition_of(reference);
        if (exists) continue;
        plan.steps.push_back({add_constraint(table, reference),
                              found && found->has_records ? Danger::lock : Danger::none,
                              reference.name + " leads to a record"});
    }
}

void leave_table(Plan& plan, const std::string& name, const FoundTable& table) {
    plan.leftovers.push_back({"DROP TABLE " + table_of(name) + " CASCADE;\n", Danger::data_loss,
                              "the table " + name + " and all its records go"});
    if (table.comment == leftover) return;
    std::string sql;
    for (const auto& [constraint, comment] : table.references)
        sql += drop_constraint(name, constraint);
    plan.steps.push_back({sql + comment_sql("TABLE", table_of(name), leftover), Danger::none,
                          "the table " + name + " is kept, out of sight"});
}

}  // namespace integreat::collections
