// SPDX-License-Identifier: Apache-2.0
// IAM of the local cloud: who there is in the account and what they may do, and the temporary credentials of
// roles. Reads never wait: they see the directory of one moment; a change is on the disk before anybody sees
// it. A session token carries all that is needed to know its holder again, sealed and bound to its access
// key, so issuing one writes nothing, and the policies of its role are looked up anew at each use.
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
    // Opens what `records` hold; a first start makes the root's access key and the key that seals tokens.
    static Result<std::unique_ptr<Iam>> open(cloud::Records& records, std::string account, const Clock& clock,
                                             Random& random);

    std::shared_ptr<const Directory> directory() const { return directory_.load(); }

    // Changes a copy of the directory, and puts it in force if `change` returns nothing. What it touched is
    // found by comparison and saved first.
    std::optional<cloud::AwsError> change(
        const std::function<std::optional<cloud::AwsError>(Directory&)>& change);

    const std::string& account() const { return account_; }
    const Clock& clock() const { return clock_; }
    Random& random() { return random_; }
    const Secret& sealing_key() const { return sealing_key_; }
    // The access key of the account's root.
    std::shared_ptr<const AccessKey> root_key() const;

private:
    Iam(cloud::Records& records, std::string account, const Clock& clock, Random& random)
        : records_(records), account_(std::move(account)), clock_(clock), random_(random) {}
    Result<> load();
    Result<> prepare();

    cloud::Records& records_;
    std::string account_;
    const Clock& clock_;
    Random& random_;
    Secret sealing_key_;
    Guarded<int> changing_{0};
    std::atomic<std::shared_ptr<const Directory>> directory_;
};

// For Front::find_credentials.
std::variant<cloud::Credentials, cloud::KeyTrouble> find_credentials(Iam& iam, std::string_view access_key_id,
                                                                     std::string_view session_token);

// What an operator asks Service Quotas for: room for that many OpenID Connect providers. Never lowers the
// quota; Fault::invalid beyond what AWS grants.
Result<> raise_providers_quota(Iam& iam, std::size_t count);

// The policies of a user or role as they are attached now.
cloud::Caller caller_of(const Iam& iam, const Directory& directory, const User& user);
// A role as such, without a session: for simulations.
cloud::Caller caller_of(const Iam& iam, const Directory& directory, const Role& role);
cloud::Caller root_of(const Iam& iam);

// What a session is to be. Who may have it was decided before.
struct SessionGrant {
    std::string role;  // Name.
    std::string session_name;
    std::int64_t seconds = 3'600;
    std::vector<std::string> session_policies = {};  // Texts.
    std::vector<std::string> session_policy_arns = {};
    std::map<std::string, std::string> tags = {};
    std::string provider = {};  // Of a federated session.
    std::optional<policy::WebIdentity> web_identity = {};
};
struct TemporaryCredentials {
    std::string access_key_id;  // "ASIA…"
    std::string secret_access_key;
    std::string session_token;
    Time expires;
    std::string arn;  // "arn:aws:sts::…:assumed-role/role/session"
    std::string id;   // "AROA…:session"
};
TemporaryCredentials issue_role_session(Iam& iam, const Role& role, const SessionGrant& grant);
// Of a user, or of root if `user` is empty: GetSessionToken.
TemporaryCredentials issue_user_session(Iam& iam, const std::string& user, std::int64_t seconds);

// "AKIA" and sixteen characters, "AROA" and seventeen, …
std::string make_id(Random& random, std::string_view prefix, std::size_t length);

cloud::Api api(Iam& iam);
std::vector<cloud::About> operations();

}  // namespace integreat::iam
