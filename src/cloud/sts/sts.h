// SPDX-License-Identifier: Apache-2.0
// The local STS (https://docs.aws.amazon.com/STS/latest/APIReference/): temporary credentials for callers
// that a role's trust policy allows.
#pragma once

#include "cloud/aws/core/frontend.h"
#include "cloud/iam/iam.h"
#include "cloud/oidc/login_tokens.h"

namespace integreat::sts {

struct Sts {
    iam::Iam& iam;
    oidc::LoginTokens& tokens;
};

cloud::Api api(Sts& sts);
std::vector<cloud::OperationDoc> operations();

}  // namespace integreat::sts
