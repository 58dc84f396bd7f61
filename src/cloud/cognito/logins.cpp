// SPDX-License-Identifier: Apache-2.0
// Operations that exchange login tokens for identities and credentials.
#include <algorithm>

#include <boost/json/array.hpp>

#include "cloud/aws/auth/authorize.h"
#include "cloud/aws/protocol/json_body.h"
#include "cloud/aws/protocol/protocol.h"
#include "cloud/cognito/operations.h"
#include "cloud/cognito/role_mapping.h"
#include "cloud/iam/sessions.h"
#include "crypto/jwt.h"
#include "policy/document/arn.h"

namespace integreat::cognito {

namespace json = boost::json;
using cloud::json_result;
using cloud::parse_json_body;
using cloud::Signing;

namespace {

constexpr std::string_view host = "cognito-identity.amazonaws.com";
constexpr std::int64_t credentials_seconds = 3'600;
constexpr std::int64_t token_seconds = 600;
constexpr std::size_t logins_max = 10;
constexpr std::size_t max_token_bytes = 50'000;

AwsError unauthenticated_access_denied() {
    return not_authorized("Unauthenticated access is not supported for this identity pool.");
}

// A verified login.
struct VerifiedLogin {
    Login login;
    oidc::LoginToken token;
};

AwsError token_error(OperationContext& context, const identity::AuthFailure& denial) {
    context.failed_part =
        "the login token: " + std::string(http::to_slug(denial.type)) + ", " + denial.detail;
    const auto& type = denial.type;
    auto reason = [&]() -> std::string {
        if (type == http::ProblemType::token_issuer) return "Issuer doesn't match providerName";
        if (type == http::ProblemType::token_audience) return "Incorrect token audience.";
        if (type == http::ProblemType::token_expired) return denial.detail;
        if (type == http::ProblemType::token_not_yet_valid) return "Token is not yet valid.";
        if (type == http::ProblemType::token_signature) return "Token signature invalid.";
        if (type == http::ProblemType::token_unknown_key || type == http::ProblemType::token_algorithm)
            return "Couldn't verify signed token.";
        if (type == http::ProblemType::identity_unavailable)
            return "Can't fetch the keys of the identity provider.";
        return "Not a valid OpenId Connect identity token.";
    }();
    return not_authorized("Invalid login token. " + reason);
}

bool has_provider(const Pool& pool, const std::string& provider) {
    const auto* arns = pool.description.if_contains("OpenIdConnectProviderARNs");
    if (!arns || !arns->is_array()) return false;
    return std::ranges::any_of(arns->get_array(), [&](const json::value& arn) {
        return arn.is_string() && provider_from_arn(arn.get_string()) == provider;
    });
}

AwsResult<std::vector<VerifiedLogin>> verify_logins(Cognito& cognito, OperationContext& context,
                                                    const Pool& pool, const json::object& body) {
    std::vector<VerifiedLogin> verified;
    const auto* logins = TRY(cloud::optional_object(body, "Logins"));
    if (!logins) return verified;
    if (logins->size() > logins_max) return invalid_parameter("Too many logins.");
    for (const auto& login : *logins) {
        std::string provider(login.key());
        auto arn = "arn:aws:iam::" + cognito.iam.account() + ":oidc-provider/" + provider;
        auto registered = iam::find(cognito.iam.directory()->providers, arn);
        if (!has_provider(pool, provider) || !registered) {
            context.failed_part = "the login token: " + provider + " is not a provider of the pool";
            return not_authorized("Token is not from a supported provider of this identity pool.");
        }
        if (!login.value().is_string() || login.value().get_string().size() > max_token_bytes) {
            return cloud::validation_error(
                "1 validation error detected: Value at 'logins' failed to satisfy "
                "constraint: Map value must satisfy constraint: [Member must have length "
                "less than or equal to 50000, Member must have length greater than or "
                "equal to 1]");
        }
        auto token = cognito.tokens.verify(login.value().get_string(),
                                           {.issuer = provider, .audiences = registered->client_ids});
        if (auto* denial = std::get_if<identity::AuthFailure>(&token)) return token_error(context, *denial);
        auto& login_token = std::get<oidc::LoginToken>(token);
        verified.push_back({{provider, login_token.subject}, std::move(login_token)});
    }
    return verified;
}

bool allows(const Pool& pool, const char* flag) {
    const auto* value = pool.description.if_contains(flag);
    return value && value->is_bool() && value->get_bool();
}

OperationResult get_id(Cognito& cognito, OperationContext& context) {
    auto body = TRY(parse_json_body(context));
    auto id = TRY(required_id(body, "IdentityPoolId"));
    auto pool = TRY(find_pool(cognito, id));
    auto verified = TRY(verify_logins(cognito, context, *pool, body));
    if (verified.empty() && !allows(*pool, "AllowUnauthenticatedIdentities"))
        return unauthenticated_access_denied();
    std::vector<Login> logins;
    for (const auto& one : verified)
        logins.push_back(one.login);
    auto identity = TRY(cognito.find_or_create_identity(id, logins));
    return json_result(context, {{"IdentityId", identity.id}});
}

// The identity of a request and the verified login that proves it.
struct ProvedIdentity {
    PoolIdentity identity;
    std::shared_ptr<const Pool> pool;
    std::optional<VerifiedLogin> login;  // Empty for an unauthenticated identity.
};

AwsResult<ProvedIdentity> prove_identity(Cognito& cognito, OperationContext& context,
                                         const json::object& body) {
    auto id = TRY(required_id(body, "IdentityId"));
    auto identity = cognito.find_identity(id);
    if (!identity) return not_found("Identity '" + id + "' not found.");
    auto pool = TRY(find_pool(cognito, identity->pool));
    auto verified = TRY(verify_logins(cognito, context, *pool, body));
    if (verified.empty()) {
        if (!identity->logins.empty()) {
            context.failed_part = "the identity has logins, but the request has none";
            return not_authorized("Access to Identity '" + id + "' is forbidden.");
        }
        if (!allows(*pool, "AllowUnauthenticatedIdentities")) return unauthenticated_access_denied();
        return ProvedIdentity{*identity, pool, std::nullopt};
    }
    for (auto& one : verified) {
        bool linked = std::ranges::any_of(identity->logins, [&](const Login& login) {
            return login.provider == one.login.provider && login.subject == one.login.subject;
        });
        if (linked) return ProvedIdentity{*identity, pool, std::move(one)};
    }
    context.failed_part = "the identity belongs to a different login";
    return not_authorized(
        "Logins don't match. Please include at least one valid login for this identity or identity pool.");
}

// Returns the identity as a role's trust policy sees it.
policy::WebIdentity make_web_identity(const ProvedIdentity& proved) {
    policy::WebIdentity identity{.host = std::string(host),
                                 .audience = proved.pool->id,
                                 .subject = proved.identity.id,
                                 .methods = {"unauthenticated"}};
    if (!proved.login) return identity;
    const auto& login = proved.login->login;
    identity.methods = {"authenticated", login.provider, login.provider + ":OIDC:" + login.subject};
    return identity;
}

AwsError invalid_pool_configuration(OperationContext& context, std::string reason) {
    context.failed_part = std::move(reason);
    return {.status = 400,
            .code = "InvalidIdentityPoolConfigurationException",
            .message = "Invalid identity pool configuration. Check assigned IAM roles for this pool."};
}

iam::SessionGrant make_grant(const ProvedIdentity& proved) {
    iam::SessionGrant grant{.role = {},
                            .session_name = "CognitoIdentityCredentials",
                            .seconds = credentials_seconds,
                            .provider = std::string(host),
                            .web_identity = make_web_identity(proved)};
    if (proved.login) {
        grant.tags = principal_tags(proved.pool->principal_tags, proved.login->login.provider,
                                    proved.login->token.claims);
    }
    return grant;
}

// Checks that the role's trust policy allows the identity; the pool's configuration alone is not enough.
AwsResult<> check_trust(OperationContext& context, const iam::Role& role, const iam::SessionGrant& grant) {
    cloud::Caller caller{.principal = policy::web_identity(host)};
    caller.federated_provider = std::string(host);
    caller.web_identity = grant.web_identity;
    cloud::AuthorizationRequest authorization{
        .action = "sts:AssumeRoleWithWebIdentity",
        .resource = role.identity.arn,
        .resource_policies = {{"trust policy of " + role.identity.name, role.trust.document}},
        .resource_account = {},
        .request_tags = grant.tags,
        .resource_tags = role.identity.tags,
        .keys = {}};
    if (!cloud::authorize_trust(context, caller, authorization))
        return invalid_pool_configuration(context, "the role's trust policy does not allow this identity");
    if (grant.tags.empty()) return {};
    authorization.action = "sts:TagSession";
    if (!cloud::authorize_trust(context, caller, authorization))
        return invalid_pool_configuration(context, "the role's trust policy does not allow sts:TagSession");
    return {};
}

OperationResult get_credentials(Cognito& cognito, OperationContext& context) {
    auto body = TRY(parse_json_body(context));
    auto custom_role = TRY(cloud::optional_text(body, "CustomRoleArn"));
    auto proved = TRY(prove_identity(cognito, context, body));
    static const json::object no_claims;
    auto arn = TRY(resolve_role({.roles = proved.pool->roles,
                                 .provider = proved.login ? proved.login->login.provider : "",
                                 .claims = proved.login ? proved.login->token.claims : no_claims,
                                 .custom_role = custom_role}));
    auto parts = policy::split_arn(arn);
    auto role = parts ? iam::find(cognito.iam.directory()->roles, policy::last_path_segment(parts->resource))
                      : nullptr;
    if (!role || role->identity.arn != arn)
        return invalid_pool_configuration(context, arn.empty() ? "the pool has no role for this identity"
                                                               : "the role " + arn + " does not exist");
    auto grant = make_grant(proved);
    TRY(check_trust(context, *role, grant));
    auto credentials = iam::issue_role_session(cognito.iam, *role, grant);
    return json_result(context, {{"IdentityId", proved.identity.id},
                                 {"Credentials",
                                  {{"AccessKeyId", credentials.access_key_id},
                                   {"SecretKey", credentials.secret_access_key},
                                   {"SessionToken", credentials.session_token},
                                   {"Expiration", static_cast<double>(unix_seconds(credentials.expires))}}}});
}

OperationResult get_open_id_token(Cognito& cognito, OperationContext& context) {
    auto body = TRY(parse_json_body(context));
    auto proved = TRY(prove_identity(cognito, context, body));
    if (!allows(*proved.pool, "AllowClassicFlow")) {
        return invalid_parameter("Basic (classic) flow is not enabled, please use enhanced flow.");
    }
    // In the classic flow the client chooses the role and would bypass the mapping.
    if (proved.pool->roles.contains("RoleMappings")) {
        return invalid_parameter(
            "Basic (classic) flow is not supported with RoleMappings, please use enhanced flow.");
    }
    auto signer = TRY(cognito.signer());
    auto identity = make_web_identity(proved);
    auto now = unix_seconds(cognito.iam.clock().now());
    json::object claims{{"sub", identity.subject},
                        {"aud", identity.audience},
                        {"amr", json::array(identity.methods.begin(), identity.methods.end())},
                        {"iss", "https://" + std::string(host)},
                        {"iat", now},
                        {"exp", now + token_seconds}};
    return json_result(context, {{"IdentityId", proved.identity.id},
                                 {"Token", crypto::sign_jwt(claims, signer->key_id, signer->key)}});
}

OperationResult delete_identities(Cognito& cognito, OperationContext& context) {
    auto body = TRY(parse_json_body(context));
    const auto* requested = TRY(cloud::optional_array(body, "IdentityIdsToDelete"));
    if (!requested || requested->empty() || requested->size() > 60)
        return invalid_parameter("IdentityIdsToDelete must name 1 to 60 identities.");
    std::vector<std::string> ids;
    for (const auto& id : *requested) {
        if (!id.is_string()) return invalid_parameter("IdentityIdsToDelete must be strings.");
        auto identity = cognito.find_identity(std::string(id.get_string()));
        TRY(cloud::authorize(
            context, {.action = "cognito-identity:DeleteIdentities",
                      .resource = "arn:aws:cognito-identity:" + cognito.region + ":" + cognito.iam.account() +
                                  ":identitypool/" + (identity ? identity->pool : "*")}));
        ids.emplace_back(id.get_string());
    }
    TRY(cognito.delete_identities(ids));
    return json_result(context, {{"UnprocessedIdentityIds", json::array()}});
}

constexpr const char* token_checks =
    "login token: signature, issuer, audience, times; provider of the pool; unauthenticated access only if "
    "allowed";

constexpr cloud::OperationEntry<Cognito> login_table[] = {
    {{"GetId", "Returns the same identity for the same pool, issuer and subject.", token_checks},
     Signing::none,
     get_id,
     nullptr,
     600'000},
    {{"GetCredentialsForIdentity",
      "Enhanced flow: default roles, token and rule based mappings, session tags; valid for one hour. No "
      "scope-down policy for unauthenticated identities.",
      "login token like GetId; the identity belongs to the login; the role's trust policy with aud, sub and "
      "amr"},
     Signing::none,
     get_credentials,
     nullptr,
     600'000},
    {{"GetOpenIdToken", "Only if the pool allows the classic flow; RS256, valid for ten minutes.",
      "login token like GetId; the identity belongs to the login"},
     Signing::none,
     get_open_id_token,
     nullptr,
     600'000},
    {{"DeleteIdentities", "At most 60 identities.", "signature; cognito-identity: permission on each pool"},
     Signing::required,
     delete_identities},
};

}  // namespace

Table login_operations() {
    return login_table;
}

}  // namespace integreat::cognito
