// SPDX-License-Identifier: Apache-2.0
// Policy simulation: SimulatePrincipalPolicy and `integreat iam explain`.
#pragma once

#include "cloud/iam/operations.h"

namespace integreat::iam {

OperationResult simulate_principal_policy(Iam& iam, OperationContext& context);

// A permission to explain.
struct PermissionQuery {
    std::string principal;  // ARN of a user, a role, or the account root.
    std::string action;
    std::string resource;
};
struct Explanation {
    bool allowed = false;
    std::string text;
};
// Evaluates the identity policies only; resource policies are not considered.
AwsResult<Explanation> explain_permission(const Iam& iam, const PermissionQuery& query);

}  // namespace integreat::iam
