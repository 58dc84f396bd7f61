// SPDX-License-Identifier: Apache-2.0
// What was noted of the changes of records (table integreat.changes): who changed what when, for those whom
// the collection's `history` names. The database shows it to their roles only; what a field was is shown to
// those who may read the field.
//
// The feed reads the same table as the login role, without what changed: SELECT ... WHERE xid < the oldest
// that still runs (pg_snapshot_xmin(pg_current_snapshot())) ORDER BY xid, id. Its listeners say
// follow_changes, and again before that ends, and wait for NOTIFY integreat_changes, whose payload is the
// collection; they look by themselves from time to time, since a change is not to be seen while an older
// transaction runs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "config/model/model.h"
#include "postgres/driver/pool.h"

namespace integreat::collections {

struct Change {
    std::int64_t id = 0;
    Time at;
    std::string uid;         // Empty: nobody was signed in, or the platform itself did it.
    std::string role;        // Of the app; empty: the platform itself.
    std::string request;     // Empty: not by a request.
    std::string action;      // create | update | transition | delete
    std::string transition;  // Its name, if it was one.
    std::string state;       // Of the record afterwards; empty: it has none.
    std::int64_t version = 0;
    struct Part {
        const Field* field = nullptr;
        std::string before, after;  // JSON as on the wire; "null": nothing.
    };
    std::vector<Part> parts;
};

struct HistoryRequest {
    std::string record;                  // A UUID.
    std::string role;                    // The caller's, of the app.
    std::optional<std::int64_t> before;  // Changes older than this one; all without.
    int count_max = 50;
};

// Newest first. Empty if there is no such record, or the caller's role has no part in its history.
Result<std::vector<Change>> history_of(postgres::Pool& pool, const Model& model, const Collection& collection,
                                       const postgres::Acting& acting, const HistoryRequest& request,
                                       Monotonic deadline);

// {"at": …, "by": …, "changes": {"name": {"from": …, "to": …}}}
std::string to_json(const Change& change);

// From now on, for so long, changes are notified: that costs those who write, and is done for nobody else.
// `process` is a UUID of the listener's own. None at all ends it.
Result<> follow_changes(postgres::Pool& pool, const std::string& process, std::chrono::seconds how_long,
                        Monotonic deadline);

}  // namespace integreat::collections
