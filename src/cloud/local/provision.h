// SPDX-License-Identifier: Apache-2.0
// What a tenant finds in the cloud: the resources of its AuthStack, StorageStack and IamStack, made with the
// same calls and names. Whatever is there already is left as it is.
#pragma once

#include <optional>
#include <span>
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

// Each tenant has an OpenID Connect provider, of which an account may have 100 unless its operator asks for
// more. This asks for as many as `plans` need and returns the quota if it had to be raised; Fault::invalid if
// AWS would not grant it. Of pools, roles and buckets an account may have more than it is ever granted
// providers, so they are never what is short.
Result<std::optional<std::size_t>> make_room(LocalCloud& cloud, std::span<const TenantPlan> plans);

}  // namespace integreat::cloud
