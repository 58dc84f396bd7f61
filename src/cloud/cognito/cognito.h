// SPDX-License-Identifier: Apache-2.0
// The local Cognito Identity (https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/): a login
// token becomes an identity, and an identity of a pool becomes temporary credentials of the pool's role.
// Every step is checked as on AWS: the token against its issuer's keys, the provider against the pool, the
// identity against the token, the role against its trust policy.
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

// In the shapes of the API: what was set is what is described.
struct Pool {
    std::string id;                      // "us-east-1:11111111-2222-3333-4444-555555555555"
    boost::json::object description;     // As DescribeIdentityPool gives it.
    boost::json::object roles;           // "Roles" and "RoleMappings" of SetIdentityPoolRoles.
    boost::json::object principal_tags;  // By provider: "UseDefaults", "PrincipalTags".
};

struct Login {
    std::string provider;  // "securetoken.google.com/campus-demo"
    std::string subject;
};

struct PoolIdentity {
    std::string id;
    std::string pool;
    std::vector<Login> logins;  // None: unauthenticated.
    Time created;
};

class Cognito {
public:
    static Result<std::unique_ptr<Cognito>> open(cloud::Records& records, iam::Iam& iam,
                                                 oidc::LoginTokens& tokens, std::string region);

    using Pools = std::map<std::string, std::shared_ptr<const Pool>, std::less<>>;
    std::shared_ptr<const Pools> pools() const { return pools_.load(); }
    // As iam::Iam::change.
    std::optional<cloud::AwsError> change(
        const std::function<std::optional<cloud::AwsError>(Pools&)>& change);

    std::optional<PoolIdentity> find_identity(const std::string& id);
    std::vector<PoolIdentity> list_identities(std::string_view pool, std::size_t count_max);
    // The identity of these logins in the pool, the same each time; made if there is none. Without logins a
    // new unauthenticated one.
    cloud::Outcome<PoolIdentity> identity_for(const std::string& pool, const std::vector<Login>& logins);
    cloud::Outcome<> delete_identities(const std::vector<std::string>& ids);

    // Signs the tokens of GetOpenIdToken; made when it is first needed.
    struct Signer {
        std::string key_id;
        crypto::RsaPrivateKey key;
    };
    cloud::Outcome<std::shared_ptr<const Signer>> signer();

    iam::Iam& iam;
    oidc::LoginTokens& tokens;
    const std::string region;

private:
    Cognito(cloud::Records& records, iam::Iam& of_account, oidc::LoginTokens& logins, std::string in_region)
        : iam(of_account), tokens(logins), region(std::move(in_region)), records_(records) {}
    Result<> load();

    struct Identities {
        std::map<std::string, PoolIdentity> by_id;
        std::map<std::string, std::string> by_login;  // Pool, provider and subject → id.
    };
    cloud::Records& records_;
    Guarded<int> changing_{0};
    std::atomic<std::shared_ptr<const Pools>> pools_;
    Guarded<Identities> identities_;
    Guarded<std::shared_ptr<const Signer>> signer_;
};

cloud::Api api(Cognito& cognito);
std::vector<cloud::About> operations();

}  // namespace integreat::cognito
