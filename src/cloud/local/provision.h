// SPDX-License-Identifier: Apache-2.0
// Provisioning of a tenant: creates the resources of its AuthStack, StorageStack and IamStack with the same
// calls and names. Existing resources get what differs: the bucket its CORS rules, public access block and
// versioning, the role its trust policy and its policy for files, the pool the session tags of its users.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cloud/local/local_cloud.h"
#include "policy/files/bucket_access.h"

namespace integreat::cloud {

struct TenantSpec {
    std::string project;                           // The Firebase project: "campus-student-lifecycle".
    std::vector<std::string> origins;              // Origins allowed by the bucket's CORS rules.
    std::vector<policy::OpenedPrefix> files = {};  // Prefixes of the bucket that the manifest opens by role.
};
struct TenantResources {
    std::string identity_pool;  // "us-east-1:…"
    std::string bucket;
    std::string role;  // ARN of the role of the tenant's users.
};
Result<TenantResources> provision_tenant(LocalCloud& cloud, const TenantSpec& spec);

// Creates the user as which the gateway assumes the roles PROJECT-RecordFilesRole, with a new key; earlier
// keys end.
Result<ClientCredentials> provision_gateway_user(LocalCloud& cloud);

// Each tenant has an OpenID Connect provider, of which an account may have 100 by default. Raises the quota
// to the number that `specs` need and returns the new quota if it was raised; Fault::invalid if AWS would not
// grant it. The quotas of pools, roles and buckets are larger, so they are never the limit.
Result<std::optional<std::size_t>> reserve_provider_quota(LocalCloud& cloud,
                                                          std::span<const TenantSpec> specs);

}  // namespace integreat::cloud
