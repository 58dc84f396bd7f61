// SPDX-License-Identifier: Apache-2.0
#include "services/collections/changes/history.h"

#include <algorithm>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "services/collections/views/caller_role.h"

namespace integreat::collections {

namespace {

constexpr std::string_view history_sql = R"sql(
SELECT c.id, c.at, c.uid, c.role, c.request, c.action, c.transition, c.state, c.version,
       f.key, f.was::text, f.became::text
FROM (SELECT * FROM integreat.changes WHERE record = $1::uuid AND collection = $2 AND id < $3::bigint
      ORDER BY id DESC LIMIT $4::int) AS c
LEFT JOIN LATERAL (SELECT key, b.value AS was, a.value AS became
                   FROM jsonb_each(c.before) AS b FULL JOIN jsonb_each(c.after) AS a USING (key)) AS f ON true
ORDER BY c.id DESC, f.key
)sql";

std::string quoted(std::string_view text) {
    return boost::json::serialize(boost::json::string_view(text.data(), text.size()));
}

// Converts a recorded value to wire JSON. It is already the JSON of its column; the field may have had a
// different type at that time.
std::string to_wire_json(const Field& field, const postgres::Value& recorded) {
    if (!recorded || *recorded == "null") return "null";
    bool number = recorded->find_first_not_of("-0123456789.") == std::string::npos;
    if (field.type == FieldType::decimal && number) return '"' + *recorded + '"';
    if (field.type == FieldType::money && number)
        return fmt::format(R"({{"amount":{},"currency":"{}"}})", *recorded, field.currency);
    if (field.type != FieldType::timestamp || recorded->size() < 2) return *recorded;
    auto time = parse_rfc3339(std::string_view(*recorded).substr(1, recorded->size() - 2));
    return time ? quoted(format_rfc3339(*time)) : *recorded;
}

std::string app_role_from(const Model& model, std::string_view database_name) {
    for (const auto& role : model.roles) {
        if (database_role(model.app, role) == database_name) return role;
    }
    return {};
}

HistoryEntry make_entry(const postgres::ResultSet& rows, std::size_t row, const Model& model) {
    auto text = [&](std::size_t column) { return std::string(rows.text(row, column)); };
    return {.id = rows.integer(row, 0),
            .at = rows.time(row, 1).value_or(Time()),
            .uid = text(2),
            .role = app_role_from(model, rows.text(row, 3)),
            .request = text(4),
            .action = text(5),
            .transition = text(6),
            .state = text(7),
            .version = rows.integer(row, 8),
            .changes = {}};
}

}  // namespace

Result<std::vector<HistoryEntry>> read_history(postgres::Pool& pool, const Model& model,
                                               const Collection& collection,
                                               const postgres::RoleContext& role_context,
                                               const HistoryRequest& request, Monotonic deadline) {
    auto before = request.before.value_or(std::numeric_limits<std::int64_t>::max());
    std::array<postgres::Value, 4> values{request.record, collection.name, std::to_string(before),
                                          std::to_string(request.count_max)};
    auto rows = TRY(pool.query_as(model.app, role_context, deadline, history_sql, values));
    auto readable = fields_for(collection, Action::read, request.role);
    std::vector<HistoryEntry> entries;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        if (entries.empty() || entries.back().id != rows.integer(row, 0))
            entries.push_back(make_entry(rows, row, model));
        auto key = rows.text(row, 9);
        auto field = std::find_if(readable.begin(), readable.end(),
                                  [&](const Field* one) { return one->name == key; });
        if (field == readable.end()) continue;
        entries.back().changes.push_back(
            {*field, to_wire_json(**field, rows.value(row, 10)), to_wire_json(**field, rows.value(row, 11))});
    }
    return entries;
}

std::string to_json(const HistoryEntry& entry) {
    auto or_null = [](const std::string& text) { return text.empty() ? std::string("null") : quoted(text); };
    auto json = fmt::format(
        R"({{"id":"{}","at":"{}","by":{},"role":{},"request":{},"action":{},"transition":{},)"
        R"("state":{},"version":{},"changes":{{)",
        entry.id, format_rfc3339(entry.at), or_null(entry.uid), or_null(entry.role), or_null(entry.request),
        quoted(entry.action), or_null(entry.transition), or_null(entry.state), entry.version);
    bool first = true;
    for (const auto& field_change : entry.changes) {
        json += fmt::format(R"({}{}:{{"from":{},"to":{}}})", std::exchange(first, false) ? "" : ",",
                            quoted(field_change.field->name), field_change.before, field_change.after);
    }
    return json + "}}";
}

}  // namespace integreat::collections
