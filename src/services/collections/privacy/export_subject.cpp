// SPDX-License-Identifier: Apache-2.0
#include "services/collections/privacy/export_subject.h"

#include <algorithm>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "postgres/driver/identifier.h"
#include "services/collections/privacy/erase_subject.h"
#include "services/collections/values/field_validator.h"
#include "services/collections/views/sql_names.h"

namespace integreat::collections {

namespace {

using postgres::quote_identifier;
using postgres::quote_literal;

std::string any_of(const std::vector<std::string>& parts) {
    std::string condition;
    for (const auto& part : parts)
        condition += (condition.empty() ? "" : " OR ") + part;
    return condition.empty() ? "false" : "(" + condition + ")";
}

// Of records about them, what was noted; of others, that they changed them.
constexpr std::string_view export_changes = R"sql(
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

std::string about_them(const Collection& collection) {
    std::vector<std::string> parts;
    for (const auto& field : collection.fields) {
        auto column = quote_identifier(field.name);
        bool subject = field.name == collection.subject;
        if (field.type == FieldType::email && (subject || field.personal))
            parts.push_back("lower(t." + column + ") = ANY ($1::text[])");
        if (field.type == FieldType::user && (subject || (collection.subject.empty() && field.personal)))
            parts.push_back("t." + column + " = ANY ($1::text[])");
    }
    return any_of(parts);
}

std::string mentions_them(const Collection& collection) {
    std::vector<std::string> parts;
    for (const auto& field : collection.fields) {
        auto column = "t." + quote_identifier(field.name);
        bool list = field.type == FieldType::list && field.element == FieldType::user;
        if (field.type == FieldType::user) parts.push_back(column + " = ANY ($1::text[])");
        if (list) parts.push_back(column + " && $1::text[]");
    }
    return any_of(parts);
}

Result<std::vector<std::string>> known_identifiers(const std::vector<std::string>& given) {
    std::vector<std::string> identifiers;
    for (auto identifier : given) {
        if (identifier.empty()) return Error{Fault::invalid, "an identifier is empty", ""};
        // Uids are compared as they are, addresses without regard to case.
        identifiers.push_back(identifier);
        std::transform(identifier.begin(), identifier.end(), identifier.begin(), [](unsigned char c) {
            return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
        });
        bool address = identifier.find('@') != std::string::npos;
        if (address) identifiers.back() = identifier;
    }
    if (!identifiers.empty() && identifiers.size() <= identifiers_max) return identifiers;
    return Error{Fault::invalid, fmt::format("name 1 to {} uids or email addresses", identifiers_max), ""};
}

Result<std::string> export_subject(postgres::Pool& owner, const Model& model,
                                   const std::vector<std::string>& given, Monotonic deadline) {
    auto identifiers = array_literal(TRY(known_identifiers(given)));
    auto transaction = TRY(owner.begin(model.app, deadline));
    // All of it as of one moment.
    TRY(transaction.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"));
    std::string records = "{", ids = "{";
    for (const auto& collection : model.collections) {
        auto about = about_them(collection);
        auto sql = fmt::format(
            "SELECT coalesce(jsonb_agg(CASE WHEN {0} THEN to_jsonb(t) ELSE to_jsonb(t) - {1} END ORDER BY "
            "t.\"id\"), "
            "'[]')::text, coalesce(string_agg(t.\"id\"::text, ',') FILTER (WHERE {0}), '') FROM {2} AS t "
            "WHERE {0} OR {3}",
            about, personal_fields(collection), table_of(collection.name), mentions_them(collection));
        auto rows = TRY(transaction.execute(sql, {identifiers}));
        if (rows.text(0, 0) == "[]") continue;
        records += fmt::format("{}\n    \"{}\": {}", records.size() > 1 ? "," : "", collection.name,
                               rows.text(0, 0));
        if (rows.text(0, 1).empty()) continue;
        ids += (ids.size() > 1 ? "," : "") + std::string(rows.text(0, 1));
    }
    auto changes = TRY(transaction.execute(export_changes, {identifiers, ids + "}"}));
    TRY(transaction.commit());
    std::string names;
    for (const auto& identifier : given)
        names += (names.empty() ? "" : ", ") + boost::json::serialize(boost::json::string_view(identifier));
    return fmt::format(
        "{{\n  \"app\": \"{}\",\n  \"subject\": [{}],\n  \"records\": {}\n  }},\n  \"changes\": {}\n}}\n",
        model.app.text, names, records, changes.text(0, 0));
}

}  // namespace integreat::collections
