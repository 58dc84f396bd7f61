// SPDX-License-Identifier: Apache-2.0
#include "services/collections/schema/table_definitions.h"

#include <fmt/format.h>

#include "base/text/ascii.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"
#include "postgres/driver/identifier.h"
#include "services/collections/schema/aggregates.h"
#include "services/collections/schema/row_policies.h"
#include "services/collections/schema/triggers.h"
#include "services/collections/views/caller_role.h"
#include "services/collections/views/sql_names.h"

namespace integreat::collections {

namespace {

using postgres::quote_identifier;
using postgres::quote_literal;

// Upper bounds of the lengths the API accepts. The API checks formats itself, with better error messages.
constexpr int email_chars_max = 320;
constexpr int uid_chars_max = 200;
constexpr int object_chars_max = 16 * 1024;
constexpr int list_text_chars_max = 100'000;
// jsonb as text is longer than the stored input: it adds spaces and expands numbers.
constexpr std::size_t json_text_factor = 4;

std::string scalar_type(FieldType type, int digits, int scale) {
    switch (type) {
        case FieldType::integer:
        case FieldType::money: return "bigint";
        case FieldType::decimal: return fmt::format("numeric({},{})", digits, scale);
        case FieldType::boolean: return "boolean";
        case FieldType::date: return "date";
        case FieldType::timestamp: return "timestamp with time zone";
        case FieldType::address:
        case FieldType::file:
        case FieldType::json: return "jsonb";
        case FieldType::reference:
        case FieldType::id: return "uuid";
        default: return "text";
    }
}

std::string system_default(const Field& field) {
    if (field.type == FieldType::id) return "integreat.new_id()";
    if (field.name == "created_at" || field.name == "updated_at") return "now()";
    if (field.name == "created_by") return "integreat.uid()";
    return field.name == "version" ? "1" : "";
}

std::string default_sql(const Field& field, const Collection& collection) {
    if (field.name == "state" && field.system) return quote_literal(collection.initial_state) + "::text";
    if (field.system) return system_default(field);
    if (field.rollup) {
        bool counts = field.rollup->operation == "count" || field.rollup->operation == "sum";
        return counts ? "0" : "";
    }
    switch (field.default_kind) {
        case Field::Default::none: return "";
        case Field::Default::literal: return quote_literal(field.default_literal) + "::" + column_type(field);
        case Field::Default::caller: return "integreat.uid()";
        case Field::Default::now: return "now()";
        case Field::Default::today: return "(now() AT TIME ZONE 'Asia/Manila')::date";
    }
    return "";
}

std::string quote_literals(const std::vector<std::string>& values) {
    std::string list;
    for (const auto& value : values)
        list += (list.empty() ? "" : ", ") + quote_literal(value);
    return list;
}

void add_length(std::vector<std::string>& parts, const std::string& column, const Field& field) {
    if (field.min_length) parts.push_back(fmt::format("char_length({}) >= {}", column, *field.min_length));
    if (field.max_length) parts.push_back(fmt::format("char_length({}) <= {}", column, *field.max_length));
}

void add_range(std::vector<std::string>& parts, const std::string& column, const Field& field) {
    auto literal = [&](const std::string& bound) { return quote_literal(bound) + "::" + column_type(field); };
    if (field.min) parts.push_back(column + " >= " + literal(*field.min));
    if (field.max) parts.push_back(column + " <= " + literal(*field.max));
}

void add_list_conditions(std::vector<std::string>& parts, const std::string& column, const Field& field) {
    parts.push_back(fmt::format("cardinality({}) <= {}", column, field.max_items));
    parts.push_back(fmt::format("array_position({}, NULL) IS NULL", column));
    if (!field.values.empty())
        parts.push_back(fmt::format("{} <@ ARRAY[{}]::text[]", column, quote_literals(field.values)));
    else if (column_type(field) == "text[]")
        parts.push_back(fmt::format("octet_length({}::text) <= {}", column, list_text_chars_max));
}

// Returns the CHECK condition of a field; empty if every value of its type is valid.
std::string check_condition(const Field& field) {
    auto column = quote_identifier(field.name);
    std::vector<std::string> parts;
    switch (field.type) {
        case FieldType::text: add_length(parts, column, field); break;
        case FieldType::enumeration:
            parts.push_back(fmt::format("{} IN ({})", column, quote_literals(field.values)));
            break;
        case FieldType::email:
            parts.push_back(
                fmt::format("char_length({0}) <= {1} AND {0} LIKE '_%@_%'", column, email_chars_max));
            break;
        case FieldType::phone: parts.push_back(column + " ~ '^\\+[1-9][0-9]{6,14}$'"); break;
        case FieldType::user:
            parts.push_back(fmt::format("char_length({}) BETWEEN 1 AND {}", column, uid_chars_max));
            break;
        case FieldType::address:
        case FieldType::file:
            parts.push_back(fmt::format("jsonb_typeof({0}) = 'object' AND octet_length({0}::text) <= {1}",
                                        column, object_chars_max));
            break;
        case FieldType::json:
            parts.push_back(
                fmt::format("octet_length({}::text) <= {}", column, field.max_bytes * json_text_factor));
            break;
        case FieldType::list: add_list_conditions(parts, column, field); break;
        default: add_range(parts, column, field); break;
    }
    auto check = join(parts, " AND ");
    return check;
}

std::string reference_sql(const Field& field) {
    auto sql = fmt::format("FOREIGN KEY ({}) REFERENCES {} (\"id\")", quote_identifier(field.name),
                           qualified_table(field.target));
    if (field.on_delete == Field::OnDelete::cascade) return sql + " ON DELETE CASCADE";
    return field.on_delete == Field::OnDelete::clear ? sql + " ON DELETE SET NULL" : sql;
}

// Returns the sort key columns that follow the filter columns of an index: ", "created_at" DESC, "id" DESC".
std::string sort_columns(const Collection& collection) {
    std::string keys;
    std::string direction;
    for (const auto& key : collection.sort) {
        direction = key.descending ? " DESC" : "";
        keys += ", " + quote_identifier(key.field) + direction;
    }
    return keys + ", \"id\"" + direction;
}

void add_indexes(Table& table, const Model& model, const Collection& collection) {
    auto on = " ON " + qualified_table(collection.name);
    auto order = sort_columns(collection);
    auto add = [&](std::string_view what, const std::string& sql) {
        table.indexes.push_back({index_name(collection, what), on + sql});
    };
    auto owners = owner_fields(model, collection);
    for (const auto& field : collection.fields) {
        auto column = quote_identifier(field.name);
        bool filters = field.type == FieldType::reference || field.name == "state" ||
                       owners.contains(field.name) ||
                       (collection.max_per_owner && field.name == "created_by");
        if (field.type == FieldType::list && (field.indexed || filters))
            add(field.name, " USING gin (" + column + ")");
        else if (filters)
            add(field.name, " (" + column + order + ")");
        else if (field.indexed && !field.unique)
            add(field.name, " (" + column + ", \"id\")");
    }
    if (!collection.sort.empty()) add("+order", " (" + order.substr(2) + ")");
    if (!collection.search.empty()) add("+search", " USING gin (" + search_document(collection) + ")");
}

void add_unique(Table& table, const Collection& collection) {
    for (const auto& set : unique_sets(collection)) {
        std::string columns;
        for (const auto& field : set)
            columns += (columns.empty() ? "" : ", ") + quote_identifier(field);
        // Deleted records do not conflict with new ones.
        auto not_deleted = collection.soft_delete ? " WHERE deleted_at IS NULL" : "";
        table.unique.push_back(
            {unique_constraint_name(collection, set),
             fmt::format(" ON {} ({}){}", qualified_table(collection.name), columns, not_deleted)});
    }
}

Table make_table(const Model& model, const Collection& collection) {
    Table table{.name = collection.name};
    for (const auto& field : collection.fields) {
        if (field.name == deleted_at) continue;
        table.columns.push_back({.name = field.name,
                                 .type = column_type(field),
                                 .required = field.required || (field.system && field.name != "created_by"),
                                 .default_sql = default_sql(field, collection),
                                 .generated_sql = field.generated_sql});
        auto check =
            field.computed() || (field.system && field.name != "state") ? "" : check_condition(field);
        if (!check.empty())
            table.checks.push_back({check_constraint_name(collection, field), "CHECK (" + check + ")"});
        if (field.type == FieldType::reference)
            table.references.push_back({foreign_key_name(collection, field), reference_sql(field)});
    }
    if (collection.soft_delete)
        table.columns.push_back({.name = std::string(deleted_at), .type = "timestamp with time zone"});
    add_unique(table, collection);
    add_indexes(table, model, collection);
    return table;
}

}  // namespace

std::string column_type(const Field& field) {
    if (field.type == FieldType::list) return scalar_type(field.element, field.precision, field.scale) + "[]";
    return scalar_type(field.type, field.precision, field.scale);
}

TargetSchema make_target_schema(const Model& model) {
    TargetSchema target;
    for (const auto& role : model.roles)
        target.roles.push_back(database_role(model.app, role));
    for (const auto& collection : model.collections)
        target.tables.push_back(make_table(model, collection));
    add_path_functions(target, model);
    for (const auto& collection : model.collections) {
        add_policies_and_grants(target, model, collection);
        add_record_triggers(target, model, collection);
        add_quota_trigger(target, model, collection);
        add_rollup_triggers(target, model, collection);
    }
    return target;
}

std::string schema_fingerprint(const TargetSchema& target) {
    std::string all;
    auto add = [&](std::string_view text) { all.append(text) += '\0'; };
    auto add_all = [&](const std::vector<ConstraintOrIndex>& attachments) {
        for (const auto& one : attachments) {
            add(one.name);
            add(one.sql);
        }
    };
    for (const auto& role : target.roles)
        add(role);
    for (const auto& table : target.tables) {
        add(table.name);
        for (const auto& column : table.columns) {
            add(fmt::format("{} {} {} {} {}", column.name, column.type, column.required, column.default_sql,
                            column.generated_sql));
        }
        for (const auto* attachments :
             {&table.checks, &table.references, &table.unique, &table.indexes, &table.backfills})
            add_all(*attachments);
    }
    for (const auto* texts : {&target.functions, &target.triggers, &target.access}) {
        for (const auto& text : *texts)
            add(text);
    }
    return crypto::hex_encode(crypto::as_view(crypto::sha256(all))).substr(0, 16);
}

std::string schema_fingerprint(const Model& model) {
    return schema_fingerprint(make_target_schema(model));
}

}  // namespace integreat::collections
