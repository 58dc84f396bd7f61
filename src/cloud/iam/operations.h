// SPDX-License-Identifier: Apache-2.0
// What the files with IAM's operations share.
#pragma once

#include <optional>
#include <span>

#include "cloud/aws/core/operation.h"
#include "cloud/iam/iam.h"
#include "cloud/iam/query_parameters.h"

namespace integreat::iam {

using cloud::Answer;
using cloud::AwsError;
using cloud::Exchange;
using cloud::Outcome;
using Change = std::optional<AwsError>;  // Of a change: why it was not made.
using Table = std::span<const cloud::OperationOf<Iam>>;

constexpr TextRule document_text{.length_min = 1, .length_max = 131'072, .is_name = false};

Table user_operations();
Table role_operations();
Table policy_operations();
Table provider_operations();

// "arn:aws:iam::000000000000:role/name"
std::string arn_of(const Iam& iam, std::string_view kind, std::string_view path, std::string_view name);

// "iam:" and the operation's name, on that resource.
Outcome<> require(Exchange& exchange, const std::string& arn);

// MalformedPolicyDocument or LimitExceeded, as AWS says it.
Outcome<PolicyText> parse_policy(std::string_view text, policy::DocumentKind kind, std::size_t bytes_max);

Outcome<std::string> asked_path(const Exchange& exchange);

Outcome<std::shared_ptr<const User>> user_named(const Directory& directory, std::string_view name);
Outcome<std::shared_ptr<const Role>> role_named(const Directory& directory, std::string_view name);

std::string member_list(std::string_view name, const std::vector<std::string>& members);

}  // namespace integreat::iam
