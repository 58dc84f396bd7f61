// SPDX-License-Identifier: Apache-2.0
// IAM of the local cloud: the users, roles and policies of the account, and temporary credentials for roles.
// Reads never block: they see an immutable snapshot of the directory; a change is on disk before it becomes
// visible. A session token contains the encrypted session, bound to its access key, so issuing one writes
// nothing, and the policies of its role are looked up at each use.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/concurrency/synchronized.h"
#include "base/random.h"
#include "cloud/aws/core/frontend.h"
#include "cloud/document_store/document_store.h"
#include "cloud/iam/types.h"

namespace integreat::iam {

// AWS's default quotas: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
inline constexpr std::size_t users_max = 5'000;
inline constexpr std::size_t roles_max = 1'000;
inline constexpr std::size_t policies_max = 1'500;
inline constexpr std::size_t providers_quota_max = 700;  // The default is Directory::providers_quota.
inline constexpr std::size_t client_ids_max = 100;
inline constexpr std::size_t keys_per_user_max = 2;
inline constexpr std::size_t attached_max = 10;

class Iam {
public:
    // Loads the directory from `documents`; on first start, creates the root access key and the key that
    // encrypts session tokens.
    static Result<std::unique_ptr<Iam>> open(cloud::DocumentStore& documents, std::string account,
                                             const Clock& clock, Random& random);

    std::shared_ptr<const Directory> directory() const { return directory_.load(); }

    // Applies `edit` to a copy of the directory; if it succeeds, saves the differences and publishes the
    // copy.
    cloud::AwsResult<> update(const std::function<cloud::AwsResult<>(Directory&)>& edit);

    const std::string& account() const { return account_; }
    const Clock& clock() const { return clock_; }
    Random& random() { return random_; }
    const Secret& sealing_key() const { return sealing_key_; }
    // Returns the active access key of the account root.
    std::shared_ptr<const AccessKey> root_key() const;

private:
    Iam(cloud::DocumentStore& documents, std::string account, const Clock& clock, Random& random)
        : documents_(documents), account_(std::move(account)), clock_(clock), random_(random) {}
    Result<> load();
    Result<> prepare();

    cloud::DocumentStore& documents_;
    std::string account_;
    const Clock& clock_;
    Random& random_;
    Secret sealing_key_;
    Synchronized<int> update_mutex_{0};  // Serializes updates.
    std::atomic<std::shared_ptr<const Directory>> directory_;
};

// Raises the quota of OpenID Connect providers, like a Service Quotas request. Never lowers it;
// Fault::invalid above the maximum that AWS grants.
Result<> raise_providers_quota(Iam& iam, std::size_t count);

// Makes an id of a prefix and `length` random characters: "AKIA" and 16, "AROA" and 17.
std::string make_id(Random& random, std::string_view prefix, std::size_t length);

cloud::Api api(Iam& iam);
std::vector<cloud::OperationDoc> operations();

}  // namespace integreat::iam
