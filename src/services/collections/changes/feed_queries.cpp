// SPDX-License-Identifier: Apache-2.0
#include "services/collections/changes/feed_queries.h"

#include <charconv>
#include <map>
#include <set>

#include "http/message/event_stream.h"
#include "services/collections/values/json_rendering.h"

namespace integreat::collections {

namespace {

constexpr std::string_view horizon_sql =
    "SELECT pg_snapshot_xmin(s.now)::text, EXISTS (SELECT FROM integreat.changes AS c "
    "WHERE c.collection = ANY ($1::text[]) AND c.xid >= pg_snapshot_xmin(s.now) "
    "AND c.xid < pg_snapshot_xmax(s.now)), pg_snapshot_xmax(s.now)::text FROM (SELECT pg_current_snapshot() "
    "AS now OFFSET 0) AS s";

// Counts no further than it must.
constexpr std::string_view start_sql =
    "SELECT pg_snapshot_xmin(s.now)::text, $2::xid8 <= pg_snapshot_xmax(s.now), (SELECT count(*) FROM "
    "(SELECT FROM integreat.changes AS c WHERE c.collection = $1 AND (c.xid, c.id) > ($2::xid8, $3::bigint) "
    "LIMIT $4::bigint) AS behind) FROM (SELECT pg_current_snapshot() AS now OFFSET 0) AS s";

// The columns of the table are named as such: a bare `xid` in ORDER BY would be the text that is selected.
constexpr std::string_view changes_sql =
    "SELECT c.xid::text, c.id, c.record, c.action, c.transition FROM integreat.changes AS c "
    "WHERE c.collection = $1 AND (c.xid, c.id) > ($2::xid8, $3::bigint) AND c.xid < $4::xid8 "
    "ORDER BY c.xid, c.id LIMIT $5::bigint";

std::uint64_t number(std::string_view text) {
    std::uint64_t value = 0;
    auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    ASSERT(parsed.ec == std::errc());  // Postgres' own words.
    return value;
}

std::string event_of(std::string_view action, std::string_view transition) {
    if (action == "create") return "created";
    if (action == "delete") return "deleted";
    return action == "transition" ? std::string(transition) : "updated";
}

}  // namespace

Result<FeedHorizon> read_horizon(postgres::Pool& pool, const TenantId& app, Monotonic deadline,
                                 const std::vector<std::string>& collections) {
    auto rows = TRY(pool.run(app, deadline, horizon_sql, {array_literal(collections)}));
    return FeedHorizon{.position = {number(rows.text(0, 0)), 0},
                       .more_to_come = rows.boolean(0, 1),
                       .end = number(rows.text(0, 2))};
}

Result<FeedStart> read_start(postgres::Pool& pool, const TenantId& app, Monotonic deadline,
                             const std::string& collection, const std::optional<FeedPosition>& wanted) {
    // Without one, after all: nothing is counted.
    auto after = wanted.value_or(FeedPosition{INT64_MAX, 0});
    auto rows = TRY(pool.run(app, deadline, start_sql,
                             {collection, std::to_string(after.xid), std::to_string(after.id),
                              std::to_string(feed_behind_max + 1)}));
    FeedStart start{.position = {number(rows.text(0, 0)), 0}};
    if (!wanted) return start;
    bool known = rows.boolean(0, 1);
    bool near = rows.integer(0, 2) <= static_cast<std::int64_t>(feed_behind_max);
    if (known && near)
        start.position = *wanted;
    else
        start.reset = true;
    return start;
}

Result<std::vector<FeedChange>> read_changes(postgres::Pool& pool, const TenantId& app, Monotonic deadline,
                                             const std::string& collection, const FeedPosition& after,
                                             const FeedHorizon& horizon, std::size_t limit) {
    auto rows = TRY(pool.run(app, deadline, changes_sql,
                             {collection, std::to_string(after.xid), std::to_string(after.id),
                              std::to_string(horizon.position.xid), std::to_string(limit)}));
    std::vector<FeedChange> changes;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        changes.push_back({.position = {number(rows.text(row, 0)), number(rows.text(row, 1))},
                           .record = std::string(rows.text(row, 2)),
                           .event = event_of(rows.text(row, 3), rows.text(row, 4)),
                           .deletes = rows.text(row, 3) == "delete"});
    }
    return changes;
}

Result<std::string> render_events(postgres::Pool& pool, const Listener& listener, Monotonic deadline,
                                  std::span<const FeedChange> changes, postgres::Refusal& refusal) {
    std::set<std::string> wanted;
    for (const auto& change : changes) {
        if (!change.deletes) wanted.insert(change.record);
    }
    std::map<std::string, std::string, std::less<>> records;
    if (!wanted.empty()) {
        const auto& view = *listener.view;
        auto sql = view.comment + "SELECT " + view.columns + ", \"id\" FROM " + listener.collection->table +
                   " WHERE \"id\" = ANY ($1::uuid[])";
        postgres::Value ids = array_literal(std::vector<std::string>(wanted.begin(), wanted.end()));
        auto rows =
            TRY(pool.run_as(listener.plan->model->app, listener.acting, deadline, sql, {&ids, 1}, &refusal));
        auto shown = shown_in_order(view.readable);
        for (std::size_t row = 0; row < rows.size(); ++row)
            append_record(records[std::string(rows.text(row, shown.size()))], shown, rows, row);
    }
    std::string events;
    for (const auto& change : changes) {
        auto id = to_string(change.position);
        if (change.deletes) {
            auto data = R"({"id":")" + change.record + "\"}";
            if (listener.sees_deletions)
                http::append_event(events, {.id = id, .type = change.event, .data = data});
        } else if (auto record = records.find(change.record); record != records.end()) {
            http::append_event(events, {.id = id, .type = change.event, .data = record->second});
        }
    }
    return events;
}

}  // namespace integreat::collections
