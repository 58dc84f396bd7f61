// SPDX-License-Identifier: Apache-2.0
// Why the local cloud refused: the last so many refusals in memory, found by request id, for `integreat why`;
// and one line each in the process's log. What was allowed costs nothing here.
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

struct CloudDecision {
    std::string request_id;
    Time time;
    std::string service;
    std::string operation;
    std::string method;
    std::string path;
    int status = 0;
    std::string code;
    std::string message;
    std::string caller;  // An ARN, or "anonymous".
    std::string access_key_id;
    std::string part;   // Of the authentication, if that failed.
    std::string cause;  // Never sent to the caller.
    std::vector<Verdict> verdicts;
};

class DecisionLog {
public:
    explicit DecisionLog(std::size_t count_max) : count_max_(count_max) {}

    void add(CloudDecision decision);
    std::optional<CloudDecision> find(std::string_view request_id);
    std::size_t size();

private:
    struct Ring {
        std::vector<std::shared_ptr<const CloudDecision>> all;
        std::size_t next = 0;
        std::unordered_map<std::string_view, std::shared_ptr<const CloudDecision>> by_id;
    };
    std::size_t count_max_;
    Guarded<Ring> ring_;
};

CloudDecision decision_of(const Exchange& exchange, const AwsError& error, Time now);

// For a person, and as JSON for GET /_integreat/decisions/{id}.
std::string explain(const CloudDecision& decision);
std::string decision_json(const CloudDecision& decision);

}  // namespace integreat::cloud
