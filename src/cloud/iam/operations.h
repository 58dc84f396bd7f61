// SPDX-License-Identifier: Apache-2.0
// Declarations shared by the IAM operation sources.
#pragma once

#include <optional>
#include <span>

#include "cloud/aws/core/operation.h"
#include "cloud/iam/iam.h"
#include "cloud/iam/query_parameters.h"

namespace integreat::iam {

using cloud::AwsError;
using cloud::AwsResult;
using cloud::OperationContext;
using cloud::OperationResult;
using Table = std::span<const cloud::OperationEntry<Iam>>;

constexpr ParameterRule arn_rule{.min_length = 20, .max_length = 2'048, .is_name = false};
constexpr ParameterRule policy_document_rule{.min_length = 1, .max_length = 131'072, .is_name = false};

Table user_operations();
Table role_operations();
Table policy_operations();
Table provider_operations();

// Makes an ARN such as "arn:aws:iam::000000000000:role/name".
std::string make_arn(const Iam& iam, std::string_view kind, std::string_view path, std::string_view name);

// Checks the permission "iam:" plus the operation's name on a resource.
AwsResult<> require_permission(OperationContext& context, const std::string& arn);

// Parses a policy document; MalformedPolicyDocument or LimitExceeded.
AwsResult<PolicyText> parse_policy(std::string_view text, policy::DocumentKind kind, std::size_t max_bytes);

// Parses the Path parameter; "/" if it is missing.
AwsResult<std::string> parse_path(const OperationContext& context);

AwsResult<std::shared_ptr<const User>> find_user(const Directory& directory, std::string_view name);
AwsResult<std::shared_ptr<const Role>> find_role(const Directory& directory, std::string_view name);

std::string member_list_xml(std::string_view name, const std::vector<std::string>& members);

}  // namespace integreat::iam
