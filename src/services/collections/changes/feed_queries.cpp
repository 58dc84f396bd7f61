// SPDX-License-Identifier: Apache-2.0
#include "services/collections/changes/feed_queries.h"

#include <charconv>
#include <map>
#include <set>

#include "http/message/event_stream.h"
#include "services/collections/values/field_formats.h"
#include "services/collections/values/json_rendering.h"

namespace integreat::collections {

namespace {

constexpr std::string_view watermark_sql =
    "SELECT pg_snapshot_xmin(s.now)::text, EXISTS (SELECT FROM integreat.changes AS c "
    "WHERE c.collection = ANY ($1::text[]) AND c.xid >= pg_snapshot_xmin(s.now) "
    "AND c.xid < pg_snapshot_xmax(s.now)), pg_snapshot_xmax(s.now)::text FROM (SELECT pg_current_snapshot() "
    "AS now OFFSET 0) AS s";

// The count is limited to what the decision needs.
constexpr std::string_view start_sql =
    "SELECT pg_snapshot_xmin(s.now)::text, $2::xid8 <= pg_snapshot_xmax(s.now), (SELECT count(*) FROM "
    "(SELECT FROM integreat.changes AS c WHERE c.collection = $1 AND (c.xid, c.id) > ($2::xid8, $3::bigint) "
    "LIMIT $4::bigint) AS behind) FROM (SELECT pg_current_snapshot() AS now OFFSET 0) AS s";

// Columns are qualified: a bare `xid` in ORDER BY would refer to the selected text.
constexpr std::string_view changes_sql =
    "SELECT c.xid::text, c.id, c.record, c.action, c.transition FROM integreat.changes AS c "
    "WHERE c.collection = $1 AND (c.xid, c.id) > ($2::xid8, $3::bigint) AND c.xid < $4::xid8 "
    "ORDER BY c.xid, c.id LIMIT $5::bigint";

std::uint64_t to_number(std::string_view text) {
    std::uint64_t value = 0;
    auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    ASSERT(parsed.ec == std::errc());  // Postgres always returns a number here.
    return value;
}

std::string event_name(std::string_view action, std::string_view transition) {
    if (action == "create") return "created";
    if (action == "delete") return "deleted";
    return action == "transition" ? std::string(transition) : "updated";
}

}  // namespace

Result<Watermark> read_watermark(postgres::Pool& pool, const TenantId& app, Monotonic deadline,
                                 const std::vector<std::string>& collections) {
    auto rows = TRY(pool.run(app, deadline, watermark_sql, {to_array_literal(collections)}));
    return Watermark{.offset = {to_number(rows.text(0, 0)), 0},
                     .has_more = rows.boolean(0, 1),
                     .next_xid = to_number(rows.text(0, 2))};
}

Result<StartOffset> read_start_offset(postgres::Pool& pool, const TenantId& app, Monotonic deadline,
                                      const std::string& collection,
                                      const std::optional<ChangeOffset>& requested) {
    // Without a requested offset, one after all changes is used, so that none is counted.
    auto after = requested.value_or(ChangeOffset{INT64_MAX, 0});
    auto rows = TRY(pool.run(
        app, deadline, start_sql,
        {collection, std::to_string(after.xid), std::to_string(after.id), std::to_string(backlog_max + 1)}));
    StartOffset start{.offset = {to_number(rows.text(0, 0)), 0}};
    if (!requested) return start;
    bool known = rows.boolean(0, 1);
    bool near = rows.integer(0, 2) <= static_cast<std::int64_t>(backlog_max);
    if (known && near)
        start.offset = *requested;
    else
        start.reset = true;
    return start;
}

Result<std::vector<ChangeEvent>> read_changes(postgres::Pool& pool, const TenantId& app, Monotonic deadline,
                                              const std::string& collection, const ChangeOffset& after,
                                              const Watermark& watermark, std::size_t limit) {
    auto rows = TRY(pool.run(app, deadline, changes_sql,
                             {collection, std::to_string(after.xid), std::to_string(after.id),
                              std::to_string(watermark.offset.xid), std::to_string(limit)}));
    std::vector<ChangeEvent> changes;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        changes.push_back({.offset = {to_number(rows.text(row, 0)), to_number(rows.text(row, 1))},
                           .record = std::string(rows.text(row, 2)),
                           .event = event_name(rows.text(row, 3), rows.text(row, 4)),
                           .is_delete = rows.text(row, 3) == "delete"});
    }
    return changes;
}

Result<std::string> render_events(postgres::Pool& pool, const Subscriber& subscriber, Monotonic deadline,
                                  std::span<const ChangeEvent> changes, postgres::ServerError& server_error) {
    std::set<std::string> changed_ids;
    for (const auto& change : changes) {
        if (!change.is_delete) changed_ids.insert(change.record);
    }
    std::map<std::string, std::string, std::less<>> records;
    if (!changed_ids.empty()) {
        const auto& view = *subscriber.view;
        auto sql = view.sql_comment + "SELECT " + view.columns + ", \"id\" FROM " +
                   subscriber.collection->table + " WHERE \"id\" = ANY ($1::uuid[])";
        postgres::Value ids =
            to_array_literal(std::vector<std::string>(changed_ids.begin(), changed_ids.end()));
        auto rows = TRY(pool.query_as(subscriber.plan->model->app, subscriber.role_context, deadline, sql,
                                      {&ids, 1}, &server_error));
        auto columns = output_columns(view.readable);
        for (std::size_t row = 0; row < rows.size(); ++row)
            append_record(records[std::string(rows.text(row, columns.size()))], columns, rows, row);
    }
    std::string events;
    for (const auto& change : changes) {
        auto id = to_string(change.offset);
        if (change.is_delete) {
            auto data = R"({"id":")" + change.record + "\"}";
            if (subscriber.receives_deletions)
                http::append_event(events, {.id = id, .type = change.event, .data = data});
        } else if (auto record = records.find(change.record); record != records.end()) {
            http::append_event(events, {.id = id, .type = change.event, .data = record->second});
        }
    }
    return events;
}

Result<> request_notifications(postgres::Pool& pool, const std::string& process,
                               std::chrono::seconds duration, Monotonic deadline) {
    // Expired rows of other processes are deleted in the same statement.
    TRY(pool.run(pool.tenant(), deadline,
                 "WITH gone AS (DELETE FROM integreat.followers WHERE until < now() AND process <> $1::uuid) "
                 "INSERT INTO integreat.followers (process, until) "
                 "VALUES ($1::uuid, now() + make_interval(secs => $2::int)) "
                 "ON CONFLICT (process) DO UPDATE SET until = excluded.until",
                 {process, std::to_string(duration.count())}));
    return {};
}

}  // namespace integreat::collections
