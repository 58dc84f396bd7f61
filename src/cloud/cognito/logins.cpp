// SPDX-License-Identifier: Apache-2.0
// From login tokens to identities and credentials.
#include <algorithm>

#include <boost/json/array.hpp>

#include "cloud/aws/protocol/json_body.h"
#include "cloud/aws/protocol/protocol.h"
#include "cloud/cognito/operations.h"
#include "cloud/cognito/role_mapping.h"
#include "crypto/jwt.h"
#include "policy/document/arn.h"

namespace integreat::cognito {

namespace json = boost::json;
using cloud::json_body;
using cloud::json_result;
using cloud::Signing;

namespace {

constexpr std::string_view host = "cognito-identity.amazonaws.com";
constexpr std::int64_t credentials_seconds = 3'600;
constexpr std::int64_t token_seconds = 600;
constexpr std::size_t logins_max = 10;
constexpr std::size_t token_bytes_max = 50'000;

AwsError no_anonymous() {
    return not_authorized("Unauthenticated access is not supported for this identity pool.");
}

// A verified login.
struct Verified {
    Login login;
    oidc::LoginToken token;
};

AwsError refuse_token(Exchange& exchange, const identity::Denial& denial) {
    exchange.part = "the login token: " + denial.type + ", " + denial.detail;
    const auto& type = denial.type;
    auto reason = [&]() -> std::string {
        if (type == "token-issuer") return "Issuer doesn't match providerName";
        if (type == "token-audience") return "Incorrect token audience.";
        if (type == "token-expired") return denial.detail;
        if (type == "token-not-yet-valid") return "Token is not yet valid.";
        if (type == "token-signature") return "Token signature invalid.";
        if (type == "token-unknown-key" || type == "token-algorithm") return "Couldn't verify signed token.";
        if (type == "keys-unavailable") return "Can't fetch the keys of the identity provider.";
        return "Not a valid OpenId Connect identity token.";
    }();
    return not_authorized("Invalid login token. " + reason);
}

bool takes_logins_of(const Pool& pool, const std::string& provider) {
    const auto* arns = pool.description.if_contains("OpenIdConnectProviderARNs");
    if (!arns || !arns->is_array()) return false;
    return std::ranges::any_of(arns->get_array(), [&](const json::value& arn) {
        return arn.is_string() && provider_of_arn(arn.get_string()) == provider;
    });
}

Outcome<std::vector<Verified>> verify_logins(Cognito& cognito, Exchange& exchange, const Pool& pool,
                                             const json::object& body) {
    std::vector<Verified> verified;
    const auto* logins = TRY(cloud::optional_object(body, "Logins"));
    if (!logins) return verified;
    if (logins->size() > logins_max) return invalid_parameter("Too many logins.");
    for (const auto& login : *logins) {
        std::string provider(login.key());
        auto arn = "arn:aws:iam::" + cognito.iam.account() + ":oidc-provider/" + provider;
        auto known = iam::find(cognito.iam.directory()->providers, arn);
        if (!takes_logins_of(pool, provider) || !known) {
            exchange.part = "the login token: " + provider + " is no provider of the pool";
            return not_authorized("Token is not from a supported provider of this identity pool.");
        }
        if (!login.value().is_string() || login.value().get_string().size() > token_bytes_max) {
            return cloud::validation_error(
                "1 validation error detected: Value at 'logins' failed to satisfy "
                "constraint: Map value must satisfy constraint: [Member must have length "
                "less than or equal to 50000, Member must have length greater than or "
                "equal to 1]");
        }
        auto token = cognito.tokens.verify(login.value().get_string(),
                                           {.issuer = provider, .audiences = known->client_ids});
        if (auto* denial = std::get_if<identity::Denial>(&token)) return refuse_token(exchange, *denial);
        auto& good = std::get<oidc::LoginToken>(token);
        verified.push_back({{provider, good.subject}, std::move(good)});
    }
    return verified;
}

bool allows(const Pool& pool, const char* flag) {
    const auto* value = pool.description.if_contains(flag);
    return value && value->is_bool() && value->get_bool();
}

Answer get_id(Cognito& cognito, Exchange& exchange) {
    auto body = TRY(json_body(exchange));
    auto id = TRY(asked_id(body, "IdentityPoolId"));
    auto pool = TRY(pool_of(cognito, id));
    auto verified = TRY(verify_logins(cognito, exchange, *pool, body));
    if (verified.empty() && !allows(*pool, "AllowUnauthenticatedIdentities")) return no_anonymous();
    std::vector<Login> logins;
    for (const auto& one : verified)
        logins.push_back(one.login);
    auto identity = TRY(cognito.identity_for(id, logins));
    return json_result(exchange, {{"IdentityId", identity.id}});
}

// The identity of a request with the logins that prove it.
struct Proved {
    PoolIdentity identity;
    std::shared_ptr<const Pool> pool;
    std::optional<Verified> login;  // None: unauthenticated.
};

Outcome<Proved> prove_identity(Cognito& cognito, Exchange& exchange, const json::object& body) {
    auto id = TRY(asked_id(body, "IdentityId"));
    auto identity = cognito.find_identity(id);
    if (!identity) return not_found("Identity '" + id + "' not found.");
    auto pool = TRY(pool_of(cognito, identity->pool));
    auto verified = TRY(verify_logins(cognito, exchange, *pool, body));
    if (verified.empty()) {
        if (!identity->logins.empty()) {
            exchange.part = "the identity has logins, the request none";
            return not_authorized("Access to Identity '" + id + "' is forbidden.");
        }
        if (!allows(*pool, "AllowUnauthenticatedIdentities")) return no_anonymous();
        return Proved{*identity, pool, std::nullopt};
    }
    for (auto& one : verified) {
        bool linked = std::ranges::any_of(identity->logins, [&](const Login& login) {
            return login.provider == one.login.provider && login.subject == one.login.subject;
        });
        if (linked) return Proved{*identity, pool, std::move(one)};
    }
    exchange.part = "the identity belongs to another login than the token's";
    return not_authorized(
        "Logins don't match. Please include at least one valid login for this identity or identity pool.");
}

// What a role's trust policy sees of the identity.
policy::WebIdentity web_identity_of(const Proved& proved) {
    policy::WebIdentity identity{.host = std::string(host),
                                 .audience = proved.pool->id,
                                 .subject = proved.identity.id,
                                 .methods = {"unauthenticated"}};
    if (!proved.login) return identity;
    const auto& login = proved.login->login;
    identity.methods = {"authenticated", login.provider, login.provider + ":OIDC:" + login.subject};
    return identity;
}

AwsError bad_configuration(Exchange& exchange, std::string why) {
    exchange.part = std::move(why);
    return {.status = 400,
            .code = "InvalidIdentityPoolConfigurationException",
            .message = "Invalid identity pool configuration. Check assigned IAM roles for this pool."};
}

iam::SessionGrant grant_for(const Proved& proved) {
    iam::SessionGrant grant{.role = {},
                            .session_name = "CognitoIdentityCredentials",
                            .seconds = credentials_seconds,
                            .provider = std::string(host),
                            .web_identity = web_identity_of(proved)};
    if (proved.login) {
        grant.tags = principal_tags(proved.pool->principal_tags, proved.login->login.provider,
                                    proved.login->token.claims);
    }
    return grant;
}

// May an identity like this assume the role? The pool's word is not enough: the role must trust it.
std::optional<AwsError> check_trust(Exchange& exchange, const iam::Role& role,
                                    const iam::SessionGrant& grant) {
    cloud::Caller caller{.who = policy::web_identity(host)};
    caller.federated_provider = std::string(host);
    caller.web_identity = grant.web_identity;
    cloud::Wanted wanted{
        .action = "sts:AssumeRoleWithWebIdentity",
        .resource = role.identity.arn,
        .resource_policies = {{"trust policy of " + role.identity.name, role.trust.document}},
        .resource_account = {},
        .request_tags = grant.tags,
        .resource_tags = role.identity.tags,
        .keys = {}};
    if (cloud::authorize_trust(exchange, caller, wanted))
        return bad_configuration(exchange, "the role's trust policy does not let this identity in");
    if (grant.tags.empty()) return std::nullopt;
    wanted.action = "sts:TagSession";
    if (cloud::authorize_trust(exchange, caller, wanted))
        return bad_configuration(exchange, "the role's trust policy does not allow sts:TagSession");
    return std::nullopt;
}

Answer get_credentials(Cognito& cognito, Exchange& exchange) {
    auto body = TRY(json_body(exchange));
    auto custom_role = TRY(cloud::optional_text(body, "CustomRoleArn"));
    auto proved = TRY(prove_identity(cognito, exchange, body));
    static const json::object no_claims;
    auto arn = TRY(choose_role({.roles = proved.pool->roles,
                                .provider = proved.login ? proved.login->login.provider : "",
                                .claims = proved.login ? proved.login->token.claims : no_claims,
                                .custom_role = custom_role}));
    auto parts = policy::split_arn(arn);
    auto role =
        parts ? iam::find(cognito.iam.directory()->roles, policy::last_step(parts->resource)) : nullptr;
    if (!role || role->identity.arn != arn)
        return bad_configuration(
            exchange, arn.empty() ? "the pool has no role for this identity" : "there is no role " + arn);
    auto grant = grant_for(proved);
    if (auto error = check_trust(exchange, *role, grant)) return *error;
    auto credentials = iam::issue_role_session(cognito.iam, *role, grant);
    return json_result(exchange,
                       {{"IdentityId", proved.identity.id},
                        {"Credentials",
                         {{"AccessKeyId", credentials.access_key_id},
                          {"SecretKey", credentials.secret_access_key},
                          {"SessionToken", credentials.session_token},
                          {"Expiration", static_cast<double>(unix_seconds(credentials.expires))}}}});
}

Answer get_open_id_token(Cognito& cognito, Exchange& exchange) {
    auto body = TRY(json_body(exchange));
    auto proved = TRY(prove_identity(cognito, exchange, body));
    if (!allows(*proved.pool, "AllowClassicFlow")) {
        return invalid_parameter("Basic (classic) flow is not enabled, please use enhanced flow.");
    }
    // The client would choose the role itself and go around the mapping.
    if (proved.pool->roles.contains("RoleMappings")) {
        return invalid_parameter(
            "Basic (classic) flow is not supported with RoleMappings, please use enhanced flow.");
    }
    auto signer = TRY(cognito.signer());
    auto identity = web_identity_of(proved);
    auto now = unix_seconds(cognito.iam.clock().now());
    json::object claims{{"sub", identity.subject},
                        {"aud", identity.audience},
                        {"amr", json::array(identity.methods.begin(), identity.methods.end())},
                        {"iss", "https://" + std::string(host)},
                        {"iat", now},
                        {"exp", now + token_seconds}};
    return json_result(exchange, {{"IdentityId", proved.identity.id},
                                  {"Token", crypto::sign_jwt(claims, signer->key_id, signer->key)}});
}

Answer delete_identities(Cognito& cognito, Exchange& exchange) {
    auto body = TRY(json_body(exchange));
    const auto* asked = TRY(cloud::optional_array(body, "IdentityIdsToDelete"));
    if (!asked || asked->empty() || asked->size() > 60)
        return invalid_parameter("IdentityIdsToDelete must name 1 to 60 identities.");
    std::vector<std::string> ids;
    for (const auto& id : *asked) {
        if (!id.is_string()) return invalid_parameter("IdentityIdsToDelete must be strings.");
        auto identity = cognito.find_identity(std::string(id.get_string()));
        if (auto error =
                cloud::authorize(exchange, {.action = "cognito-identity:DeleteIdentities",
                                            .resource = "arn:aws:cognito-identity:" + cognito.region + ":" +
                                                        cognito.iam.account() + ":identitypool/" +
                                                        (identity ? identity->pool : "*")}))
            return *error;
        ids.emplace_back(id.get_string());
    }
    TRY(cognito.delete_identities(ids));
    return json_result(exchange, {{"UnprocessedIdentityIds", json::array()}});
}

constexpr const char* token_checks =
    "login token: signature, issuer, audience, times; provider of the pool; unauthenticated only if allowed";

constexpr cloud::OperationOf<Cognito> table[] = {
    {{"GetId", "One identity per pool, issuer and subject, the same each time.", token_checks},
     Signing::none,
     get_id,
     nullptr,
     600'000},
    {{"GetCredentialsForIdentity",
      "Enhanced flow: default roles, token and rules based mappings, session tags; one hour. No scope-down "
      "policy "
      "for unauthenticated identities.",
      "login token as GetId; the identity belongs to the login; the role's trust policy with aud, sub and "
      "amr"},
     Signing::none,
     get_credentials,
     nullptr,
     600'000},
    {{"GetOpenIdToken", "Where the pool allows the classic flow; RS256, ten minutes.",
      "login token as GetId; the identity belongs to the login"},
     Signing::none,
     get_open_id_token,
     nullptr,
     600'000},
    {{"DeleteIdentities", "At most 60.", "signature; cognito-identity: permission on each pool"},
     Signing::required,
     delete_identities},
};

}  // namespace

Table login_operations() {
    return table;
}

}  // namespace integreat::cognito
