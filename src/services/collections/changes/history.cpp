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

// A value as it was noted is JSON of its column already. A field may have been of another type at that time.
std::string on_the_wire(const Field& field, const postgres::Value& noted) {
    if (!noted || *noted == "null") return "null";
    bool number = noted->find_first_not_of("-0123456789.") == std::string::npos;
    if (field.type == FieldType::decimal && number) return '"' + *noted + '"';
    if (field.type == FieldType::money && number)
        return fmt::format(R"({{"amount":{},"currency":"{}"}})", *noted, field.currency);
    if (field.type != FieldType::timestamp || noted->size() < 2) return *noted;
    auto time = parse_rfc3339(std::string_view(*noted).substr(1, noted->size() - 2));
    return time ? quoted(format_rfc3339(*time)) : *noted;
}

std::string role_named(const Model& model, std::string_view database_name) {
    for (const auto& role : model.roles) {
        if (database_role(model.app, role) == database_name) return role;
    }
    return {};
}

Change change_at(const postgres::Rows& rows, std::size_t row, const Model& model) {
    auto text = [&](std::size_t column) { return std::string(rows.text(row, column)); };
    return {.id = rows.integer(row, 0),
            .at = rows.time(row, 1).value_or(Time()),
            .uid = text(2),
            .role = role_named(model, rows.text(row, 3)),
            .request = text(4),
            .action = text(5),
            .transition = text(6),
            .state = text(7),
            .version = rows.integer(row, 8),
            .parts = {}};
}

}  // namespace

Result<std::vector<Change>> history_of(postgres::Pool& pool, const Model& model, const Collection& collection,
                                       const postgres::Acting& acting, const HistoryRequest& request,
                                       Monotonic deadline) {
    auto before = request.before.value_or(std::numeric_limits<std::int64_t>::max());
    std::array<postgres::Value, 4> values{request.record, collection.name, std::to_string(before),
                                          std::to_string(request.count_max)};
    auto rows = TRY(pool.run_as(model.app, acting, deadline, history_sql, values));
    auto visible = fields_for(collection, Action::read, request.role);
    std::vector<Change> changes;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        if (changes.empty() || changes.back().id != rows.integer(row, 0))
            changes.push_back(change_at(rows, row, model));
        auto key = rows.text(row, 9);
        auto field =
            std::find_if(visible.begin(), visible.end(), [&](const Field* one) { return one->name == key; });
        if (field == visible.end()) continue;
        changes.back().parts.push_back(
            {*field, on_the_wire(**field, rows.value(row, 10)), on_the_wire(**field, rows.value(row, 11))});
    }
    return changes;
}

std::string to_json(const Change& change) {
    auto or_null = [](const std::string& text) { return text.empty() ? std::string("null") : quoted(text); };
    auto json =
        fmt::format(R"({{"id":"{}","at":"{}","by":{},"role":{},"request":{},"action":{},"transition":{},)"
                    R"("state":{},"version":{},"changes":{{)",
                    change.id, format_rfc3339(change.at), or_null(change.uid), or_null(change.role),
                    or_null(change.request), quoted(change.action), or_null(change.transition),
                    or_null(change.state), change.version);
    bool first = true;
    for (const auto& part : change.parts) {
        json += fmt::format(R"({}{}:{{"from":{},"to":{}}})", std::exchange(first, false) ? "" : ",",
                            quoted(part.field->name), part.before, part.after);
    }
    return json + "}}";
}

Result<> follow_changes(postgres::Pool& pool, const std::string& process, std::chrono::seconds how_long,
                        Monotonic deadline) {
    // What others left behind goes by the way.
    TRY(pool.run(pool.tenant(), deadline,
                 "WITH gone AS (DELETE FROM integreat.followers WHERE until < now() AND process <> $1::uuid) "
                 "INSERT INTO integreat.followers (process, until) "
                 "VALUES ($1::uuid, now() + make_interval(secs => $2::int)) "
                 "ON CONFLICT (process) DO UPDATE SET until = excluded.until",
                 {process, std::to_string(how_long.count())}));
    return {};
}

}  // namespace integreat::collections
