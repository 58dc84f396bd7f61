// SPDX-License-Identifier: Apache-2.0
// "What if this principal asked?": SimulatePrincipalPolicy, and `integreat iam explain`.
#pragma once

#include "cloud/iam/operations.h"

namespace integreat::iam {

Answer simulate_principal_policy(Iam& iam, Exchange& exchange);

struct Question {
    std::string principal;  // ARN of a user or role, or of the account's root.
    std::string action;
    std::string resource;
};
struct Explanation {
    bool allowed = false;
    std::string text;
};
// Of the identity's own policies; what the resource's would say is the resource's to know.
Outcome<Explanation> explain_permission(const Iam& iam, const Question& question);

}  // namespace integreat::iam
