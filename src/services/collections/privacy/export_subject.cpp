// SPDX-License-Identifier: Apache-2.0
#include "services/collections/privacy/export_subject.h"

#include <algorithm>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "base/text/ascii.h"
#include "postgres/driver/identifier.h"
#include "services/collections/values/field_formats.h"
#include "services/collections/views/sql_names.h"

namespace integreat::collections {

namespace {

using postgres::quote_identifier;
using postgres::quote_literal;

std::string join_or(const std::vector<std::string>& parts) {
    auto condition = join(parts, " OR ");
    return condition.empty() ? "false" : "(" + condition + ")";
}

// History of records about the person; for other records only the fact that the person changed them.
constexpr std::string_view export_history_sql = R"sql(
SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
           'at', c.at, 'collection', c.collection, 'record', c.record, 'action', c.action,
           'transition', c.transition,
           'by', CASE WHEN c.uid = ANY ($1::text[]) THEN c.uid END,
           'before', CASE WHEN c.record = ANY ($2::uuid[]) THEN c.before END,
           'after', CASE WHEN c.record = ANY ($2::uuid[]) THEN c.after END)) ORDER BY c.id), '[]')::text
FROM integreat.changes AS c WHERE c.record = ANY ($2::uuid[]) OR c.uid = ANY ($1::text[])
)sql";

std::string personal_fields(const Collection& collection) {
    std::string list;
    for (const auto& field : collection.fields) {
        if (field.personal) list += (list.empty() ? "" : ", ") + quote_literal(field.name);
    }
    return "ARRAY[" + list + "]::text[]";
}

}  // namespace

std::string about_subject_condition(const Collection& collection) {
    std::vector<std::string> parts;
    for (const auto& field : collection.fields) {
        auto column = quote_identifier(field.name);
        bool subject = field.name == collection.subject;
        if (field.type == FieldType::email && (subject || field.personal))
            parts.push_back("lower(t." + column + ") = ANY ($1::text[])");
        if (field.type == FieldType::user && (subject || (collection.subject.empty() && field.personal)))
            parts.push_back("t." + column + " = ANY ($1::text[])");
    }
    return join_or(parts);
}

std::string mentions_subject_condition(const Collection& collection) {
    std::vector<std::string> parts;
    for (const auto& field : collection.fields) {
        auto column = "t." + quote_identifier(field.name);
        bool list = field.type == FieldType::list && field.element == FieldType::user;
        if (field.type == FieldType::user) parts.push_back(column + " = ANY ($1::text[])");
        if (list) parts.push_back(column + " && $1::text[]");
    }
    return join_or(parts);
}

Result<std::vector<std::string>> normalize_identifiers(const std::vector<std::string>& subject_identifiers) {
    std::vector<std::string> identifiers;
    for (auto identifier : subject_identifiers) {
        if (identifier.empty()) return Error{Fault::invalid, "an identifier is empty", ""};
        // Uids are compared exactly, e-mail addresses case-insensitively.
        bool is_address = identifier.find('@') != std::string::npos;
        identifiers.push_back(is_address ? to_lower(identifier) : identifier);
    }
    if (!identifiers.empty() && identifiers.size() <= identifiers_max) return identifiers;
    return Error{Fault::invalid, fmt::format("give 1 to {} uids or e-mail addresses", identifiers_max), ""};
}

Result<std::string> export_subject(postgres::Pool& owner, const Model& model,
                                   const std::vector<std::string>& subject_identifiers, Monotonic deadline) {
    auto identifiers = to_array_literal(TRY(normalize_identifiers(subject_identifiers)));
    auto transaction = TRY(owner.begin(model.app, deadline));
    // All queries read the same snapshot.
    TRY(transaction.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"));
    std::string records = "{", ids = "{";
    for (const auto& collection : model.collections) {
        auto about = about_subject_condition(collection);
        auto sql = fmt::format(
            "SELECT coalesce(jsonb_agg(CASE WHEN {0} THEN to_jsonb(t) ELSE to_jsonb(t) - {1} END ORDER BY "
            "t.\"id\"), "
            "'[]')::text, coalesce(string_agg(t.\"id\"::text, ',') FILTER (WHERE {0}), '') FROM {2} AS t "
            "WHERE {0} OR {3}",
            about, personal_fields(collection), qualified_table(collection.name),
            mentions_subject_condition(collection));
        auto rows = TRY(transaction.execute(sql, {identifiers}));
        if (rows.text(0, 0) == "[]") continue;
        records += fmt::format("{}\n    \"{}\": {}", records.size() > 1 ? "," : "", collection.name,
                               rows.text(0, 0));
        if (rows.text(0, 1).empty()) continue;
        ids += (ids.size() > 1 ? "," : "") + std::string(rows.text(0, 1));
    }
    auto changes = TRY(transaction.execute(export_history_sql, {identifiers, ids + "}"}));
    TRY(transaction.commit());
    std::string names;
    for (const auto& identifier : subject_identifiers)
        names += (names.empty() ? "" : ", ") + boost::json::serialize(boost::json::string_view(identifier));
    return fmt::format(
        "{{\n  \"app\": \"{}\",\n  \"subject\": [{}],\n  \"records\": {}\n  }},\n  \"changes\": {}\n}}\n",
        model.app.text, names, records, changes.text(0, 0));
}

}  // namespace integreat::collections
