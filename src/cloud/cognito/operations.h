// SPDX-License-Identifier: Apache-2.0
// What the files with Cognito's operations share.
#pragma once

#include <span>

#include "cloud/aws/core/operation.h"
#include "cloud/cognito/cognito.h"

namespace integreat::cognito {

using cloud::Answer;
using cloud::AwsError;
using cloud::Exchange;
using cloud::Outcome;
using Table = std::span<const cloud::OperationOf<Cognito>>;

Table pool_operations();
Table login_operations();

AwsError not_found(std::string message);       // ResourceNotFoundException
AwsError not_authorized(std::string message);  // NotAuthorizedException
AwsError invalid_parameter(std::string message);

// "us-east-1:…", as the API demands it: ValidationException.
Outcome<std::string> asked_id(const boost::json::object& body, std::string_view name);
Outcome<std::shared_ptr<const Pool>> pool_of(const Cognito& cognito, const std::string& id);

// The provider of an ARN of IAM: "securetoken.google.com/campus-demo".
std::string provider_of_arn(std::string_view arn);

}  // namespace integreat::cognito
