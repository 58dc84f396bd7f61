// SPDX-License-Identifier: Apache-2.0
// The local cloud: emulated AWS services for applications and stacks, behind one port, as strict as AWS
// (docs/reference/local-cloud.md). All data is in one folder and survives kill -9.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cloud/aws/client/in_process.h"
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
    FrontendSettings frontend;
    oidc::LoginSettings logins;
};

// External dependencies; they must outlive the cloud.
struct CloudDependencies {
    const Clock& clock;
    Random& random;
    http::HttpClient& http_client;
};

struct LocalCloud {
    std::unique_ptr<DocumentStore> documents;
    std::unique_ptr<iam::Iam> iam;
    std::unique_ptr<oidc::LoginTokens> tokens;
    std::unique_ptr<cognito::Cognito> cognito;
    std::unique_ptr<sts::Sts> sts;
    std::unique_ptr<ssm::Ssm> ssm;
    std::unique_ptr<ses::Ses> ses;
    std::unique_ptr<s3::S3> s3;
    AwsFrontend frontend;
    http::Application application;
};

Result<std::unique_ptr<LocalCloud>> open_local_cloud(LocalCloudSettings settings,
                                                     const CloudDependencies& dependencies);

// Returns the access key of the account root, for a Client of the cloud.
ClientCredentials make_root_credentials(const LocalCloud& cloud);

// Renders a file for AWS_SHARED_CREDENTIALS_FILE with the root access key.
std::string render_credentials_file(const LocalCloud& cloud);

}  // namespace integreat::cloud
