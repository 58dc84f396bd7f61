// SPDX-License-Identifier: Apache-2.0
// Queries of the change feed: the watermark up to which changes are complete, the changes themselves, and the
// changed records as a subscriber may read them, queried with the subscriber's role.
//
// The feed reads integreat.changes as the login role, without field values: SELECT … WHERE xid < the oldest
// running transaction (pg_snapshot_xmin(pg_current_snapshot())) ORDER BY xid, id. It requests notifications,
// renews the request before it expires, and waits for NOTIFY integreat_changes, whose payload is the
// collection. It also polls, since a change stays invisible while an older transaction runs.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "services/collections/changes/subscriber.h"

namespace integreat::collections {

inline constexpr std::size_t backlog_max =
    10'000;  // Changes; a client further behind must read everything again.

struct ChangeEvent {
    ChangeOffset offset;
    std::string record;
    std::string event;  // created | updated | deleted, or the transition's name.
    bool is_delete = false;
};

// Offset below which no further change can appear.
struct Watermark {
    ChangeOffset offset;
    bool has_more = false;       // Changes after the offset exist already.
    std::uint64_t next_xid = 0;  // First transaction that had not begun.
};
Result<Watermark> read_watermark(postgres::Pool& pool, const TenantId& app, Monotonic deadline,
                                 const std::vector<std::string>& collections);

// Start offset of a new subscriber: `requested`, or the watermark.
struct StartOffset {
    ChangeOffset offset;
    bool reset = false;  // `requested` is unknown or too far behind.
};
Result<StartOffset> read_start_offset(postgres::Pool& pool, const TenantId& app, Monotonic deadline,
                                      const std::string& collection,
                                      const std::optional<ChangeOffset>& requested);

// Returns the next changes after an offset and below the watermark, at most `limit`.
Result<std::vector<ChangeEvent>> read_changes(postgres::Pool& pool, const TenantId& app, Monotonic deadline,
                                              const std::string& collection, const ChangeOffset& after,
                                              const Watermark& watermark, std::size_t limit);

// Renders the events of these changes as the subscriber and its visibility group may see them; empty if none.
Result<std::string> render_events(postgres::Pool& pool, const Subscriber& subscriber, Monotonic deadline,
                                  std::span<const ChangeEvent> changes, postgres::ServerError& server_error);

// Makes the database send notifications of changes for `duration`; zero ends them. Notifications slow down
// writers, so they are sent only while a feed has requested them. `process` is the UUID of the feed.
Result<> request_notifications(postgres::Pool& pool, const std::string& process,
                               std::chrono::seconds duration, Monotonic deadline);

}  // namespace integreat::collections
