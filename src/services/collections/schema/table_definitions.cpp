// SPDX-License-Identifier: Apache-2.0
#include "services/collections/schema/table_definitions.h"

#include <fmt/format.h>

#include "crypto/digest.h"
#include "crypto/encoding.h"
#include "postgres/driver/identifier.h"
#include "services/collections/schema/row_policies.h"
#include "services/collections/views/caller_role.h"
#include "services/collections/views/sql_names.h"

namespace integreat::collections {

namespace {

using postgres::quote_identifier;
using postgres::quote_literal;

// The longest that fit into what the API accepts; it checks their form, and says so better.
constexpr int email_chars_max = 320;
constexpr int uid_chars_max = 200;
constexpr int object_chars_max = 16 * 1024;
constexpr int list_text_chars_max = 100'000;
// JSON is spaced out and its numbers written out when it is read back as text.
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

std::string default_of(const Field& field, const Collection& collection) {
    if (field.name == "state" && field.system) return quote_literal(collection.initial_state) + "::text";
    if (field.system) return system_default(field);
    if (field.rollup) {
        bool counts = field.rollup->operation == "count" || field.rollup->operation == "sum";
        return counts ? "0" : "";
    }
    switch (field.default_kind) {
        case Field::Default::none: return "";
        case Field::Default::literal: return quote_literal(field.default_literal) + "::" + type_of(field);
        case Field::Default::caller: return "integreat.uid()";
        case Field::Default::now: return "now()";
        case Field::Default::today: return "(now() AT TIME ZONE 'Asia/Manila')::date";
    }
    return "";
}

std::string all_literals(const std::vector<std::string>& values) {
    std::string list;
    for (const auto& value : values)
        list += (list.empty() ? "" : ", ") + quote_literal(value);
    return list;
}

void add_length(std::vector<std::string>& parts, const std::string& column, const Field& field) {
    if (field.length_min) parts.push_back(fmt::format("char_length({}) >= {}", column, *field.length_min));
    if (field.length_max) parts.push_back(fmt::format("char_length({}) <= {}", column, *field.length_max));
}

void add_range(std::vector<std::string>& parts, const std::string& column, const Field& field) {
    auto literal = [&](const std::string& bound) { return quote_literal(bound) + "::" + type_of(field); };
    if (field.least) parts.push_back(column + " >= " + literal(*field.least));
    if (field.most) parts.push_back(column + " <= " + literal(*field.most));
}

void add_list(std::vector<std::string>& parts, const std::string& column, const Field& field) {
    parts.push_back(fmt::format("cardinality({}) <= {}", column, field.items_max));
    parts.push_back(fmt::format("array_position({}, NULL) IS NULL", column));
    if (!field.values.empty())
        parts.push_back(fmt::format("{} <@ ARRAY[{}]::text[]", column, all_literals(field.values)));
    else if (type_of(field) == "text[]")
        parts.push_back(fmt::format("octet_length({}::text) <= {}", column, list_text_chars_max));
}

// Everything a value must be, with AND between; empty if anything of its type will do.
std::string check_of(const Field& field) {
    auto column = quote_identifier(field.name);
    std::vector<std::string> parts;
    switch (field.type) {
        case FieldType::text: add_length(parts, column, field); break;
        case FieldType::enumeration:
            parts.push_back(fmt::format("{} IN ({})", column, all_literals(field.values)));
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
                fmt::format("octet_length({}::text) <= {}", column, field.bytes_max * json_text_factor));
            break;
        case FieldType::list: add_list(parts, column, field); break;
        default: add_range(parts, column, field); break;
    }
    std::string check;
    for (const auto& part : parts)
        check += (check.empty() ? "" : " AND ") + part;
    return check;
}

std::string reference_sql(const Field& field) {
    auto sql = fmt::format("FOREIGN KEY ({}) REFERENCES {} (\"id\")", quote_identifier(field.name),
                           table_of(field.target));
    if (field.on_delete == Field::OnDelete::cascade) return sql + " ON DELETE CASCADE";
    return field.on_delete == Field::OnDelete::clear ? sql + " ON DELETE SET NULL" : sql;
}

// ", "created_at" DESC, "id" DESC": what follows the columns that a list is narrowed by.
std::string in_order(const Collection& collection) {
    std::string keys;
    std::string direction;
    for (const auto& key : collection.sort) {
        direction = key.descending ? " DESC" : "";
        keys += ", " + quote_identifier(key.field) + direction;
    }
    return keys + ", \"id\"" + direction;
}

void add_indexes(Table& table, const Model& model, const Collection& collection) {
    auto on = " ON " + table_of(collection.name);
    auto order = in_order(collection);
    auto add = [&](std::string_view what, const std::string& sql) {
        table.indexes.push_back({index_name(collection, what), on + sql});
    };
    auto owners = owner_fields(model, collection);
    for (const auto& field : collection.fields) {
        auto column = quote_identifier(field.name);
        bool narrows =
            field.type == FieldType::reference || field.name == "state" || owners.contains(field.name);
        if (field.type == FieldType::list && (field.indexed || narrows))
            add(field.name, " USING gin (" + column + ")");
        else if (narrows)
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
        // What is gone does not stand in the way of what comes.
        auto living = collection.soft_delete ? " WHERE deleted_at IS NULL" : "";
        table.unique.push_back({unique_name(collection, set),
                                fmt::format(" ON {} ({}){}", table_of(collection.name), columns, living)});
    }
}

}  // namespace

std::string type_of(const Field& field) {
    if (field.type == FieldType::list) return scalar_type(field.element, field.digits, field.scale) + "[]";
    return scalar_type(field.type, field.digits, field.scale);
}

Table table_for(const Model& model, const Collection& collection) {
    Table table{.name = collection.name};
    for (const auto& field : collection.fields) {
        if (field.name == deleted_at) continue;
        table.columns.push_back({.name = field.name,
                                 .type = type_of(field),
                                 .required = field.required || (field.system && field.name != "created_by"),
                                 .default_sql = default_of(field, collection),
                                 .generated_sql = field.generated_sql});
        auto check = field.computed() || (field.system && field.name != "state") ? "" : check_of(field);
        if (!check.empty()) table.checks.push_back({check_name(collection, field), "CHECK (" + check + ")"});
        if (field.type == FieldType::reference)
            table.references.push_back({reference_name(collection, field), reference_sql(field)});
    }
    if (collection.soft_delete)
        table.columns.push_back({.name = std::string(deleted_at), .type = "timestamp with time zone"});
    add_unique(table, collection);
    add_indexes(table, model, collection);
    return table;
}

Desired desired_of(const Model& model) {
    Desired desired;
    for (const auto& role : model.roles)
        desired.roles.push_back(database_role(model.app, role));
    for (const auto& collection : model.collections)
        desired.tables.push_back(table_for(model, collection));
    add_paths(desired, model);
    for (const auto& collection : model.collections) {
        add_access(desired, model, collection);
        add_guard(desired, model, collection);
        add_rollups(desired, model, collection);
    }
    return desired;
}

std::string fingerprint_of(const Desired& desired) {
    std::string all;
    auto add = [&](std::string_view text) { all.append(text) += '\0'; };
    auto add_all = [&](const std::vector<Attachment>& attachments) {
        for (const auto& one : attachments) {
            add(one.name);
            add(one.sql);
        }
    };
    for (const auto& role : desired.roles)
        add(role);
    for (const auto& table : desired.tables) {
        add(table.name);
        for (const auto& column : table.columns) {
            add(fmt::format("{} {} {} {} {}", column.name, column.type, column.required, column.default_sql,
                            column.generated_sql));
        }
        for (const auto* attachments :
             {&table.checks, &table.references, &table.unique, &table.indexes, &table.refills})
            add_all(*attachments);
    }
    for (const auto* texts : {&desired.functions, &desired.triggers, &desired.access}) {
        for (const auto& text : *texts)
            add(text);
    }
    return crypto::hex_encode(crypto::as_view(crypto::sha256(all))).substr(0, 16);
}

std::string fingerprint_of(const Model& model) {
    return fingerprint_of(desired_of(model));
}

}  // namespace integreat::collections
