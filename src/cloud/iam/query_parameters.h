// SPDX-License-Identifier: Apache-2.0
// Query-protocol parameters of the IAM and STS operations, and their common errors.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cloud/aws/core/operation_context.h"

namespace integreat::iam {

// The length and character constraints of a text parameter.
struct ParameterRule {
    std::size_t min_length = 1;
    std::size_t max_length = 128;
    bool is_name = true;  // Restricts it to letters, digits and "+=,.@-_".
};

// Returns a parameter; ValidationError if it is missing or violates the rule.
cloud::AwsResult<std::string> required_parameter(const cloud::OperationContext& context,
                                                 std::string_view name, const ParameterRule& rule = {});
// Returns a parameter, or an empty text if it is missing.
cloud::AwsResult<std::string> optional_parameter(const cloud::OperationContext& context,
                                                 std::string_view name,
                                                 const ParameterRule& rule = {.min_length = 0});
cloud::AwsResult<std::int64_t> optional_integer(const cloud::OperationContext& context, std::string_view name,
                                                std::int64_t default_value, std::int64_t min,
                                                std::int64_t max);
// Returns the values of "Name.member.1", "Name.member.2", … in order.
std::vector<std::string> list_parameter(const cloud::OperationContext& context, const std::string& name);

cloud::AwsError invalid(std::string message);  // ValidationError
cloud::AwsError no_such_entity(std::string message);
cloud::AwsError entity_exists(std::string message);
cloud::AwsError delete_conflict(std::string message);
cloud::AwsError limit_exceeded(std::string message);

// Formats a time as "2026-11-22T08:15:00Z".
std::string format_date(Time time);

}  // namespace integreat::iam
