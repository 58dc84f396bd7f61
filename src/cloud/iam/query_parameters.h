// SPDX-License-Identifier: Apache-2.0
// Parameters of the query protocol as IAM's and STS's operations read them, and the errors they share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cloud/aws/core/operation_context.h"

namespace integreat::iam {

struct TextRule {
    std::size_t length_min = 1;
    std::size_t length_max = 128;
    bool is_name = true;  // Letters, digits and "+=,.@-_" only.
};

// ValidationError if it is missing or does not fit.
cloud::Outcome<std::string> required(const cloud::Exchange& exchange, std::string_view name,
                                     const TextRule& rule = {});
// Empty if it is missing.
cloud::Outcome<std::string> optional(const cloud::Exchange& exchange, std::string_view name,
                                     const TextRule& rule = {.length_min = 0});
cloud::Outcome<std::int64_t> optional_number(const cloud::Exchange& exchange, std::string_view name,
                                             std::int64_t otherwise, std::int64_t least, std::int64_t most);
// "Name.member.1", "Name.member.2", … in their order.
std::vector<std::string> members(const cloud::Exchange& exchange, const std::string& name);

cloud::AwsError invalid(std::string message);  // ValidationError
cloud::AwsError no_such_entity(std::string message);
cloud::AwsError entity_exists(std::string message);
cloud::AwsError delete_conflict(std::string message);
cloud::AwsError limit_exceeded(std::string message);

// "2026-11-22T08:15:00Z"
std::string format_date(Time time);

}  // namespace integreat::iam
