// SPDX-License-Identifier: Apache-2.0
// The local Cognito Identity (https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/): exchanges a
// login token for an identity, and an identity of a pool for temporary credentials of the pool's role. Every
// step is checked as on AWS: the token against its issuer's keys, the provider against the pool, the identity
// against the token, the role against its trust policy.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "base/concurrency/synchronized.h"
#include "cloud/aws/core/frontend.h"
#include "cloud/document_store/document_store.h"
#include "cloud/iam/iam.h"
#include "cloud/oidc/login_tokens.h"

namespace integreat::cognito {

inline constexpr std::size_t pools_max = 1'000;
inline constexpr std::size_t identities_max = 1'000'000;

// An identity pool. The JSON members have the shapes of the API.
struct Pool {
    std::string id;                      // "us-east-1:11111111-2222-3333-4444-555555555555"
    boost::json::object description;     // The response of DescribeIdentityPool.
    boost::json::object roles;           // "Roles" and "RoleMappings" of SetIdentityPoolRoles.
    boost::json::object principal_tags;  // Keyed by provider: "UseDefaults", "PrincipalTags".
};

struct Login {
    std::string provider;  // "securetoken.google.com/campus-demo"
    std::string subject;
};

struct PoolIdentity {
    std::string id;
    std::string pool;
    std::vector<Login> logins;  // Empty for an unauthenticated identity.
    Time created;
};

class Cognito {
public:
    static Result<std::unique_ptr<Cognito>> open(cloud::DocumentStore& documents, iam::Iam& iam,
                                                 oidc::LoginTokens& tokens, std::string region);

    using Pools = std::map<std::string, std::shared_ptr<const Pool>, std::less<>>;
    std::shared_ptr<const Pools> pools() const { return pools_.load(); }
    // Like iam::Iam::update.
    cloud::AwsResult<> update(const std::function<cloud::AwsResult<>(Pools&)>& edit);

    std::optional<PoolIdentity> find_identity(const std::string& id);
    std::vector<PoolIdentity> list_identities(std::string_view pool, std::size_t count_max);
    // Returns the identity of these logins in the pool, creating it if there is none. Without logins, creates
    // an unauthenticated identity.
    cloud::AwsResult<PoolIdentity> find_or_create_identity(const std::string& pool,
                                                           const std::vector<Login>& logins);
    cloud::AwsResult<> delete_identities(const std::vector<std::string>& ids);

    // The key that signs the tokens of GetOpenIdToken, generated on first use.
    struct Signer {
        std::string key_id;
        crypto::RsaPrivateKey key;
    };
    cloud::AwsResult<std::shared_ptr<const Signer>> signer();

    iam::Iam& iam;
    oidc::LoginTokens& tokens;
    const std::string region;

private:
    Cognito(cloud::DocumentStore& documents, iam::Iam& account_iam, oidc::LoginTokens& login_tokens,
            std::string cloud_region)
        : iam(account_iam), tokens(login_tokens), region(std::move(cloud_region)), documents_(documents) {}
    Result<> load();

    struct Identities {
        std::map<std::string, PoolIdentity> by_id;
        std::map<std::string, std::string> by_login;  // Pool, provider and subject → id.
    };
    cloud::DocumentStore& documents_;
    Synchronized<int> update_mutex_{0};  // Serializes updates.
    std::atomic<std::shared_ptr<const Pools>> pools_;
    Synchronized<Identities> identities_;
    Synchronized<std::shared_ptr<const Signer>> signer_;
};

cloud::Api api(Cognito& cognito);
std::vector<cloud::OperationDoc> operations();

}  // namespace integreat::cognito
