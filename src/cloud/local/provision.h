// SPDX-License-Identifier: Apache-2.0
// What a tenant finds in the cloud: the resources of its AuthStack, StorageStack and IamStack, made with the
// same calls and names. Whatever is there already is left as it is.
#pragma once

#include <string>
#include <vector>

#include "cloud/local/local_cloud.h"

namespace integreat::cloud {

struct TenantPlan {
    std::string project;               // The Firebase project: "campus-student-lifecycle".
    std::vector<std::string> origins;  // Whose pages may talk to the bucket.
};
struct TenantResources {
    std::string identity_pool;  // "us-east-1:…"
    std::string bucket;
    std::string role;  // ARN.
};
Result<TenantResources> provision_tenant(LocalCloud& cloud, const TenantPlan& plan);

}  // namespace integreat::cloud
