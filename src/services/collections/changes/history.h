// SPDX-License-Identifier: Apache-2.0
// Change history of a record (table integreat.changes): who changed what and when, for the roles in the
// collection's `history`. Row-level security hides it from other roles; field values are returned only to
// roles that may read the field.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "postgres/driver/pool.h"
#include "services/collections/model.h"

namespace integreat::collections {

struct HistoryEntry {
    std::int64_t id = 0;
    Time at;
    std::string uid;         // Empty for an anonymous caller or the platform.
    std::string role;        // App role; empty for the platform.
    std::string request;     // Request ID; empty outside of a request.
    std::string action;      // create | update | transition | delete
    std::string transition;  // Name of the transition; empty for other actions.
    std::string state;       // Record state after the change; empty without states.
    std::int64_t version = 0;
    struct FieldChange {
        const Field* field = nullptr;
        std::string before, after;  // JSON as on the wire; "null" if absent.
    };
    std::vector<FieldChange> changes;
};

struct HistoryRequest {
    std::string record;                  // Record ID.
    std::string role;                    // The caller's app role.
    std::optional<std::int64_t> before;  // Returns only entries with a smaller ID.
    int count_max = 50;
};

// Returns the newest entries first. Empty if the record does not exist or the role may not read its history.
Result<std::vector<HistoryEntry>> read_history(postgres::Pool& pool, const Model& model,
                                               const Collection& collection,
                                               const postgres::RoleContext& role_context,
                                               const HistoryRequest& request, Monotonic deadline);

// Renders {"at": …, "by": …, "changes": {"name": {"from": …, "to": …}}}
std::string to_json(const HistoryEntry& entry);

}  // namespace integreat::collections
