// SPDX-License-Identifier: Apache-2.0
// The most recent denied requests, in memory, by request ID: `integreat why ID` finds them immediately, while
// the transaction log stores the same data for longer. Requests that were not denied have no cost here.
// Size and number of the records are limited; the oldest are evicted first.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/concurrency/synchronized.h"
#include "base/time.h"
#include "http/routing/request_context.h"

namespace integreat::gateway {

struct DenialRecord {
    std::string request_id;
    Time time;
    TenantId tenant;
    std::string route;  // Name of the route; empty if none matched.
    std::string method;
    std::string path;  // Redacted.
    int status = 0;
    std::string caller;  // "user x7Gh", "key key_01", "anonymous".
    http::Decision decision;
    std::string cause;
};

class DenialLog {
public:
    explicit DenialLog(std::size_t count_max);

    void add(DenialRecord record);
    std::optional<DenialRecord> find(std::string_view request_id);
    std::size_t size();

private:
    static constexpr std::size_t shard_count = 16;
    struct Shard {
        std::vector<std::shared_ptr<const DenialRecord>> ring;
        std::size_t next = 0;
        std::unordered_map<std::string_view, std::shared_ptr<const DenialRecord>> by_id;
    };
    Synchronized<Shard>& find_shard(std::string_view request_id);

    std::size_t per_shard_;
    std::array<Synchronized<Shard>, shard_count> shards_;
};

// Explains a denial in plain text: the request, the stage and rule that denied it, the facts, and the remedy.
std::string explain(const DenialRecord& record);

// Returns the record as JSON, for GET /v1/admin/decisions/{request_id}.
std::string to_json(const DenialRecord& record);

}  // namespace integreat::gateway
