// SPDX-License-Identifier: Apache-2.0
#include "services/collections/privacy/erase_subject.h"

#include <fmt/format.h>

#include "postgres/driver/identifier.h"
#include "services/collections/privacy/export_subject.h"
#include "services/collections/schema/schema_diff.h"
#include "services/collections/schema/table_definitions.h"
#include "services/collections/values/field_formats.h"
#include "services/collections/views/sql_names.h"

namespace integreat::collections {

namespace {

using postgres::quote_identifier;
using postgres::quote_literal;

// Columns of fields that earlier manifests had.
constexpr std::string_view retired_columns_sql =
    "SELECT a.attname FROM pg_attribute a WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 "
    "AND NOT a.attisdropped AND col_description(a.attrelid, a.attnum) = $2";

std::string erased_text(const Field& field) {
    auto most = field.max_length.value_or(200);
    auto least = field.min_length.value_or(0);
    auto text = field.unique ? std::string("'erased ' || gen_random_uuid()") : std::string("'erased'");
    return fmt::format("left(rpad({}, greatest({}, 6), '-'), {})", text, least, most);
}

// Returns the SQL replacement value of a required field; $2 is the pseudonym.
std::string replacement_value(const Field& field) {
    auto bound = [&](const char* fallback) {
        auto value = field.min ? *field.min : field.max ? *field.max : std::string(fallback);
        return quote_literal(value) + "::" + column_type(field);
    };
    switch (field.type) {
        case FieldType::text: return erased_text(field);
        case FieldType::email: return "'erased-' || gen_random_uuid() || '@erased.invalid'";
        case FieldType::phone: return "'+1' || lpad((random() * 9999999999)::bigint::text, 10, '0')";
        case FieldType::enumeration: return quote_literal(field.values.front());
        case FieldType::address: return R"('{"line": "", "city": "erased", "country": "PH"}'::jsonb)";
        case FieldType::file: return R"('{"key": "erased"}'::jsonb)";
        case FieldType::json: return "'null'::jsonb";
        case FieldType::boolean: return "false";
        case FieldType::date: return bound("1900-01-01");
        case FieldType::timestamp: return "'1970-01-01 00:00:00+00'::timestamptz";
        case FieldType::list: return "'{}'";
        case FieldType::user: return "$2::text";
        case FieldType::integer:
        case FieldType::money:
        case FieldType::decimal: return bound("0");
        case FieldType::reference:
        case FieldType::id: return quote_identifier(field.name);
    }
    return "NULL";
}

// Returns the SET clause that clears the personal fields of a record about the person.
Result<std::string> clear_personal_fields(postgres::Transaction& transaction, const Collection& collection) {
    std::string set;
    auto add = [&](const std::string& column, const std::string& value) {
        set += (set.empty() ? "" : ", ") + quote_identifier(column) + " = " + value;
    };
    for (const auto& field : collection.fields) {
        bool personal = (field.personal || field.name == collection.subject) && field.writable();
        if (!personal) continue;
        bool needs_value = field.required || field.type == FieldType::user;
        add(field.name, needs_value ? replacement_value(field) : "NULL");
    }
    // It is unknown whether fields of earlier manifests were personal, so all of them are cleared.
    auto table = "data." + quote_identifier(collection.name);
    auto rows = TRY(transaction.execute(retired_columns_sql, {table, std::string(retired_comment)}));
    for (std::size_t i = 0; i < rows.size(); ++i)
        add(std::string(rows.text(i, 0)), "NULL");
    return set;
}

std::string remove_keys_sql(const std::string& set_keys) {
    return fmt::format("before = before - {0}, after = after - {0}", set_keys);
}

struct Erasure {
    postgres::Transaction& transaction;
    std::string identifiers;  // Array literal.
    std::string pseudonym;
    ErasureResult result;
};

// Returns the IDs of records about the person as an array literal, including deleted records, which are
// identified by their history.
Result<std::string> find_records_about(Erasure& erasure, const Collection& collection) {
    auto about = about_subject_condition(collection);
    if (about == "false") return std::string("{}");
    std::string history_condition = "false";
    for (const auto& field : collection.fields) {
        bool names_subject = field.name == collection.subject ||
                             (field.type == FieldType::email && field.personal) ||
                             (field.type == FieldType::user && field.personal && collection.subject.empty());
        if (!names_subject) continue;
        auto key = quote_literal(field.name);
        history_condition += fmt::format(
            " OR lower(c.before ->> {0}) = ANY ($1::text[]) OR lower(c.after ->> {0}) = ANY "
            "($1::text[]) OR c.before ->> {0} = ANY ($1::text[]) OR c.after ->> {0} = ANY "
            "($1::text[])",
            key);
    }
    auto sql = fmt::format(
        "SELECT coalesce(string_agg(id::text, ','), '') FROM (SELECT t.\"id\" AS id FROM {} AS t "
        "WHERE {} UNION SELECT c.record FROM integreat.changes AS c WHERE c.collection = {} AND "
        "({})) AS x",
        qualified_table(collection.name), about, quote_literal(collection.name), history_condition);
    auto rows = TRY(erasure.transaction.execute(sql, {erasure.identifiers}));
    return "{" + std::string(rows.text(0, 0)) + "}";
}

Result<> clear_records(Erasure& erasure, const Collection& collection, const std::string& ids) {
    auto set = TRY(clear_personal_fields(erasure.transaction, collection));
    if (set.empty() || ids == "{}") return {};
    bool pseudonym = set.find("$2") != std::string::npos;
    auto sql = fmt::format("UPDATE {} AS t SET {} WHERE t.\"id\" = ANY ($1::uuid[])",
                           qualified_table(collection.name), set);
    auto rows = TRY(pseudonym ? erasure.transaction.execute(sql, {ids, erasure.pseudonym})
                              : erasure.transaction.execute(sql, {ids}));
    erasure.result.records += static_cast<std::int64_t>(rows.affected());
    return {};
}

// Replaces every other occurrence of the uid in records and in their history.
Result<> replace_uid(Erasure& erasure, const Collection& collection) {
    for (const auto& field : collection.fields) {
        bool list = field.type == FieldType::list && field.element == FieldType::user;
        if (field.type != FieldType::user && !list) continue;
        auto column = quote_identifier(field.name);
        auto table = qualified_table(collection.name);
        auto record = list ? fmt::format(
                                 "UPDATE {0} AS t SET {1} = ARRAY(SELECT CASE WHEN u = ANY ($1::text[]) THEN "
                                 "$2::text ELSE u END FROM unnest(t.{1}) AS u) WHERE t.{1} && $1::text[]",
                                 table, column)
                           : fmt::format("UPDATE {0} AS t SET {1} = $2::text WHERE t.{1} = ANY ($1::text[])",
                                         table, column);
        TRY(erasure.transaction.execute(record, {erasure.identifiers, erasure.pseudonym}));
        for (std::string_view side : {"before", "after"}) {
            auto key = quote_literal(field.name);
            auto replacement =
                list ? fmt::format(
                           "(SELECT jsonb_agg(CASE WHEN u = ANY ($1::text[]) THEN $2::text ELSE u "
                           "END) FROM jsonb_array_elements_text({} -> {}) AS u)",
                           side, key)
                     : std::string("to_jsonb($2::text)");
            auto condition = list ? fmt::format("{} -> {} ?| $1::text[]", side, key)
                                  : fmt::format("{} ->> {} = ANY ($1::text[])", side, key);
            auto history = fmt::format(
                "UPDATE integreat.changes SET {0} = jsonb_set({0}, ARRAY[{1}], {2}) WHERE "
                "collection = {3} AND {4}",
                side, key, replacement, quote_literal(collection.name), condition);
            auto rows = TRY(erasure.transaction.execute(history, {erasure.identifiers, erasure.pseudonym}));
            erasure.result.changes += static_cast<std::int64_t>(rows.affected());
        }
    }
    return {};
}

// Removes personal fields from the history. Triggers record the changes of the erasure itself too, so this
// runs last.
Result<> clean_history(Erasure& erasure, const Collection& collection, const std::string& ids) {
    std::string keys;
    for (const auto& field : collection.fields) {
        if (field.personal || field.name == collection.subject)
            keys += (keys.empty() ? "" : ", ") + quote_literal(field.name);
    }
    auto table = "data." + quote_identifier(collection.name);
    auto rows = TRY(erasure.transaction.execute(retired_columns_sql, {table, std::string(retired_comment)}));
    for (std::size_t i = 0; i < rows.size(); ++i)
        keys += (keys.empty() ? "" : ", ") + quote_literal(rows.text(i, 0));
    if (keys.empty() || ids == "{}") return {};
    auto list = "ARRAY[" + keys + "]::text[]";
    auto sql = fmt::format(
        "UPDATE integreat.changes SET {} WHERE record = ANY ($1::uuid[]) AND (before ?| {} OR after "
        "?| {})",
        remove_keys_sql(list), list, list);
    auto cleaned = TRY(erasure.transaction.execute(sql, {ids}));
    erasure.result.changes += static_cast<std::int64_t>(cleaned.affected());
    return {};
}

Result<> erase(Erasure& erasure, const Model& model) {
    for (const auto& collection : model.collections) {
        auto ids = TRY(find_records_about(erasure, collection));
        TRY(clear_records(erasure, collection, ids));
        TRY(replace_uid(erasure, collection));
        TRY(clean_history(erasure, collection, ids));
    }
    auto updated = TRY(erasure.transaction.execute(
        "UPDATE integreat.changes SET uid = $2::text WHERE uid = ANY ($1::text[])",
        {erasure.identifiers, erasure.pseudonym}));
    erasure.result.changes += static_cast<std::int64_t>(updated.affected());
    TRY(erasure.transaction.execute(
        "INSERT INTO integreat.erasures (subject_hash, records, changes) SELECT encode(sha256(convert_to(i, "
        "'UTF8')), 'hex'), $2::bigint, $3::bigint FROM unnest($1::text[]) AS i",
        {erasure.identifiers, std::to_string(erasure.result.records),
         std::to_string(erasure.result.changes)}));
    return {};
}

}  // namespace

Result<ErasureResult> erase_subject(postgres::Pool& owner, const Model& model,
                                    const std::vector<std::string>& subject_identifiers, Monotonic deadline) {
    auto identifiers = to_array_literal(TRY(normalize_identifiers(subject_identifiers)));
    ErasureResult result;
    auto work = [&](postgres::Transaction& transaction) -> Result<> {
        auto pseudonym = TRY(transaction.execute("SELECT 'erased:' || gen_random_uuid()"));
        Erasure erasure{transaction, identifiers, std::string(pseudonym.text(0, 0)), {}};
        TRY(erase(erasure, model));
        result = erasure.result;
        return {};
    };
    TRY(postgres::run_transaction(owner, model.app, deadline, work));
    return result;
}

}  // namespace integreat::collections
