// SPDX-License-Identifier: Apache-2.0
// The local cloud: the services of AWS that applications and stacks here use, behind one port, as strict as
// AWS (docs/local-cloud.md). Everything is in one folder and survives a kill at any time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cloud/aws/core/frontend.h"
#include "cloud/cognito/cognito.h"
#include "cloud/document_store/document_store.h"
#include "cloud/iam/iam.h"
#include "cloud/oidc/login_tokens.h"
#include "cloud/s3/store/s3.h"
#include "cloud/ses/ses.h"
#include "cloud/ssm/ssm.h"
#include "cloud/sts/sts.h"

namespace integreat::cloud {

struct LocalCloudSettings {
    std::string folder;
    FrontSettings front;
    oidc::LoginSettings logins;
};

// What the world gives it; all of it must outlive the cloud.
struct CloudWorld {
    const Clock& clock;
    Random& random;
    http::Outbound& outbound;
};

struct LocalCloud {
    std::unique_ptr<Records> records;
    std::unique_ptr<iam::Iam> iam;
    std::unique_ptr<oidc::LoginTokens> tokens;
    std::unique_ptr<cognito::Cognito> cognito;
    std::unique_ptr<sts::Sts> sts;
    std::unique_ptr<ssm::Ssm> ssm;
    std::unique_ptr<ses::Ses> ses;
    std::unique_ptr<s3::S3> s3;
    Front front;
    http::Application application;
};

Result<std::unique_ptr<LocalCloud>> open_local_cloud(LocalCloudSettings settings, const CloudWorld& world);

// A file that AWS's tools take as AWS_SHARED_CREDENTIALS_FILE: the root's access key.
std::string credentials_file(const LocalCloud& cloud);

// docs/local-cloud.md: what each operation supports and which checks are enforced.
std::string manual();

}  // namespace integreat::cloud
