// SPDX-License-Identifier: Apache-2.0
// Permission checks of operations: identity policies, session policies, boundaries and resource policies.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cloud/aws/core/operation_context.h"
#include "policy/document/context.h"

namespace integreat::cloud {

// A permission to check. Operations check it before they read or change anything; operations on several
// resources check each of them.
struct AuthorizationRequest {
    std::string action;    // "s3:GetObject"
    std::string resource;  // "arn:aws:s3:::a-bucket/a-key"
    // The bucket policy; for a role, its trust policy.
    std::vector<policy::AttachedPolicy> resource_policies = {};
    std::string resource_account = {};  // Empty means this account.
    std::map<std::string, std::string> request_tags = {};
    std::map<std::string, std::string> resource_tags = {};
    policy::Context keys = {};  // Condition keys of the service: "s3:prefix", "s3:existingobjecttag/…".
};
// Returns AccessDenied with AWS's message unless the caller's policies allow the request.
AwsResult<> authorize(OperationContext& context, const AuthorizationRequest& request);

// Like authorize, for assuming a role: its trust policy must allow every caller (policy::evaluate_trust).
AwsResult<> authorize_trust(OperationContext& context, const Caller& caller,
                            const AuthorizationRequest& request);

}  // namespace integreat::cloud
