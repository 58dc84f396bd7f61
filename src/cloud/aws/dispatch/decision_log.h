// SPDX-License-Identifier: Apache-2.0
// A log of refused requests of the local cloud: the newest ones in memory, indexed by request id, for
// `integreat why`, and one line each in the process log. Allowed requests are not recorded.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/concurrency/synchronized.h"
#include "base/time.h"
#include "cloud/aws/core/operation_context.h"

namespace integreat::cloud {

// A refused request.
struct DecisionRecord {
    std::string request_id;
    Time time;
    std::string service;
    std::string operation;
    std::string method;
    std::string path;
    int status = 0;
    std::string code;
    std::string message;
    std::string caller;  // The ARN, or "anonymous".
    std::string access_key_id;
    std::string failed_part;  // The part of the authentication that failed; empty if it succeeded.
    std::string cause;        // Never sent to the caller.
    std::vector<AuthorizationResult> authorizations;
};

class DecisionLog {
public:
    explicit DecisionLog(std::size_t count_max) : count_max_(count_max) {}

    void add(DecisionRecord decision);
    std::optional<DecisionRecord> find(std::string_view request_id);
    std::size_t size();

private:
    struct Ring {
        std::vector<std::shared_ptr<const DecisionRecord>> records;
        std::size_t next = 0;  // Index of the oldest record once the ring is full.
        std::unordered_map<std::string_view, std::shared_ptr<const DecisionRecord>> by_id;
    };
    std::size_t count_max_;
    Synchronized<Ring> ring_;
};

DecisionRecord make_decision_record(const OperationContext& context, const AwsError& error, Time now);

// Renders a decision as text, and as JSON for GET /_integreat/decisions/{id}.
std::string explain(const DecisionRecord& decision);
std::string decision_json(const DecisionRecord& decision);

}  // namespace integreat::cloud
