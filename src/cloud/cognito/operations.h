// SPDX-License-Identifier: Apache-2.0
// Declarations shared by the Cognito operation sources.
#pragma once

#include <span>

#include "cloud/aws/core/operation.h"
#include "cloud/cognito/cognito.h"

namespace integreat::cognito {

using cloud::AwsError;
using cloud::AwsResult;
using cloud::OperationContext;
using cloud::OperationResult;
using Table = std::span<const cloud::OperationEntry<Cognito>>;

Table pool_operations();
Table login_operations();

AwsError not_found(std::string message);       // ResourceNotFoundException
AwsError not_authorized(std::string message);  // NotAuthorizedException
AwsError invalid_parameter(std::string message);

// Returns an id such as "us-east-1:…"; ValidationException if it is malformed.
AwsResult<std::string> required_id(const boost::json::object& body, std::string_view name);
AwsResult<std::shared_ptr<const Pool>> find_pool(const Cognito& cognito, const std::string& id);

// Returns the provider of an IAM ARN: "securetoken.google.com/campus-demo".
std::string provider_from_arn(std::string_view arn);

}  // namespace integreat::cognito
