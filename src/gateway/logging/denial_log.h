// SPDX-License-Identifier: Apache-2.0
// Why requests were refused: the last so many, in memory, found by request id. This is what answers
// `integreat why ID` at once; the transaction log keeps the same words for longer. Requests that were not
// refused cost nothing here. Size and number are bounded; the oldest go first.
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

struct DecisionRecord {
    std::string request_id;
    Time time;
    TenantId tenant;
    std::string route;  // Its name; empty if none matched.
    std::string method;
    std::string path;  // Redacted.
    int status = 0;
    std::string caller;  // "user x7Gh", "key key_01", "anonymous".
    http::Decision decision;
    std::string cause;
};

class Decisions {
public:
    explicit Decisions(std::size_t count_max);

    void add(DecisionRecord record);
    std::optional<DecisionRecord> find(std::string_view request_id);
    std::size_t size();

private:
    static constexpr std::size_t shards_count = 16;
    struct Shard {
        std::vector<std::shared_ptr<const DecisionRecord>> ring;
        std::size_t next = 0;
        std::unordered_map<std::string_view, std::shared_ptr<const DecisionRecord>> by_id;
    };
    Guarded<Shard>& shard_of(std::string_view request_id);

    std::size_t per_shard_;
    std::array<Guarded<Shard>, shards_count> shards_;
};

// For a person: what was asked, which stage refused it, by which rule, from which facts, what to do.
std::string explain(const DecisionRecord& record);

// The same as JSON, for GET /v1/admin/decisions/{request_id}.
std::string decision_json(const DecisionRecord& record);

}  // namespace integreat::gateway
