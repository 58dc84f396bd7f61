// SPDX-License-Identifier: Apache-2.0
// Pools: made, described, given roles.
#include <algorithm>

#include <boost/json/array.hpp>

#include "cloud/aws/protocol/json_body.h"
#include "cloud/aws/protocol/protocol.h"
#include "cloud/cognito/operations.h"
#include "cloud/cognito/role_mapping.h"
#include "crypto/ids.h"

namespace integreat::cognito {

namespace json = boost::json;
using cloud::json_body;
using cloud::json_result;
using cloud::Signing;

namespace {

using Change = std::optional<AwsError>;

Outcome<> require(const Cognito& cognito, Exchange& exchange, const std::string& pool) {
    return cloud::authorize(
        exchange, {.action = "cognito-identity:" + std::string(exchange.operation->about.name),
                   .resource = "arn:aws:cognito-identity:" + cognito.region + ":" + cognito.iam.account() +
                               ":identitypool/" + pool});
}

// Whoever gives a role to a pool hands out what the role may do.
Outcome<> require_pass(Exchange& exchange, const std::string& role) {
    policy::Context keys;
    policy::set(keys, "iam:passedtoservice", std::string("cognito-identity.amazonaws.com"));
    return cloud::authorize(exchange, {.action = "iam:PassRole",
                                       .resource = role,
                                       .resource_policies = {},
                                       .resource_account = {},
                                       .request_tags = {},
                                       .resource_tags = {},
                                       .keys = std::move(keys)});
}

constexpr std::string_view settable[] = {"IdentityPoolName",         "AllowUnauthenticatedIdentities",
                                         "AllowClassicFlow",         "SupportedLoginProviders",
                                         "DeveloperProviderName",    "OpenIdConnectProviderARNs",
                                         "CognitoIdentityProviders", "SamlProviderARNs",
                                         "IdentityPoolTags"};

// The description that a request to create or update asks for.
Outcome<json::object> read_description(const Cognito& cognito, const json::object& body) {
    TRY(cloud::required_text(body, "IdentityPoolName", 128));
    if (!body.contains("AllowUnauthenticatedIdentities")) {
        return cloud::validation_error(
            "1 validation error detected: Value null at 'allowUnauthenticatedIdentities' "
            "failed to satisfy constraint: Member must not be null");
    }
    TRY(cloud::optional_flag(body, "AllowUnauthenticatedIdentities", false));
    TRY(cloud::optional_flag(body, "AllowClassicFlow", false));
    const auto* providers = TRY(cloud::optional_array(body, "OpenIdConnectProviderARNs"));
    for (const auto& provider : providers ? *providers : json::array()) {
        std::string arn(provider.is_string() ? std::string_view(provider.get_string()) : std::string_view());
        if (iam::find(cognito.iam.directory()->providers, arn)) continue;
        return invalid_parameter("Please provide a valid OIDC provider ARN: " + arn);
    }
    for (const char* unsupported :
         {"CognitoIdentityProviders", "SamlProviderARNs", "SupportedLoginProviders"}) {
        const auto* value = body.if_contains(unsupported);
        bool empty = !value || value->is_null() || (value->is_array() && value->get_array().empty()) ||
                     (value->is_object() && value->get_object().empty());
        if (empty) continue;
        return invalid_parameter(
            std::string("The local cloud verifies tokens of OpenIdConnectProviderARNs; ") + unsupported +
            " are not supported.");
    }
    json::object description;
    for (auto name : settable) {
        if (const auto* value = body.if_contains(name); value && !value->is_null())
            description[name] = *value;
    }
    return description;
}

Answer create_pool(Cognito& cognito, Exchange& exchange) {
    TRY(require(cognito, exchange, "*"));
    auto body = TRY(json_body(exchange));
    auto description = TRY(read_description(cognito, body));
    auto id = cognito.region + ":" + crypto::make_uuid(cognito.iam.random());
    description["IdentityPoolId"] = id;
    auto failed = cognito.change([&](Cognito::Pools& pools) -> Change {
        if (pools.size() >= pools_max) {
            return AwsError{
                .status = 400, .code = "LimitExceededException", .message = "Too many identity pools."};
        }
        pools[id] = std::make_shared<const Pool>(
            Pool{.id = id, .description = description, .roles = {}, .principal_tags = {}});
        return std::nullopt;
    });
    if (failed) return *failed;
    return json_result(exchange, description);
}

Answer describe_pool(Cognito& cognito, Exchange& exchange) {
    auto body = TRY(json_body(exchange));
    auto id = TRY(asked_id(body, "IdentityPoolId"));
    TRY(require(cognito, exchange, id));
    auto pool = TRY(pool_of(cognito, id));
    return json_result(exchange, pool->description);
}

Answer list_pools(Cognito& cognito, Exchange& exchange) {
    TRY(require(cognito, exchange, "*"));
    json::array listed;
    auto pools = cognito.pools();
    for (const auto& [id, pool] : *pools) {
        listed.push_back(
            {{"IdentityPoolId", id}, {"IdentityPoolName", pool->description.at("IdentityPoolName")}});
    }
    return json_result(exchange, {{"IdentityPools", std::move(listed)}});
}

// Replaces a pool by what `edit` makes of a copy of it.
Change edit_pool(Cognito& cognito, const std::string& id, const std::function<void(Pool&)>& edit) {
    return cognito.change([&](Cognito::Pools& pools) -> Change {
        auto found = pools.find(id);
        if (found == pools.end()) return not_found("IdentityPool '" + id + "' not found.");
        auto changed = *found->second;
        edit(changed);
        found->second = std::make_shared<const Pool>(std::move(changed));
        return std::nullopt;
    });
}

Answer update_pool(Cognito& cognito, Exchange& exchange) {
    auto body = TRY(json_body(exchange));
    auto id = TRY(asked_id(body, "IdentityPoolId"));
    TRY(require(cognito, exchange, id));
    auto description = TRY(read_description(cognito, body));
    description["IdentityPoolId"] = id;
    if (auto failed = edit_pool(cognito, id, [&](Pool& pool) { pool.description = description; }))
        return *failed;
    return json_result(exchange, description);
}

Answer delete_pool(Cognito& cognito, Exchange& exchange) {
    auto body = TRY(json_body(exchange));
    auto id = TRY(asked_id(body, "IdentityPoolId"));
    TRY(require(cognito, exchange, id));
    auto failed = cognito.change([&](Cognito::Pools& pools) -> Change {
        if (pools.erase(id) == 0) return not_found("IdentityPool '" + id + "' not found.");
        return std::nullopt;
    });
    if (failed) return *failed;
    std::vector<std::string> ids;
    for (const auto& identity : cognito.list_identities(id, identities_max))
        ids.push_back(identity.id);
    TRY(cognito.delete_identities(ids));
    return json_result(exchange, {});
}

Answer set_roles(Cognito& cognito, Exchange& exchange) {
    auto body = TRY(json_body(exchange));
    auto id = TRY(asked_id(body, "IdentityPoolId"));
    TRY(require(cognito, exchange, id));
    auto roles = TRY(read_roles(body));
    for (const auto& arn : role_arns(roles))
        TRY(require_pass(exchange, arn));
    if (auto failed = edit_pool(cognito, id, [&](Pool& pool) { pool.roles = roles; })) return *failed;
    return json_result(exchange, {});
}

Answer get_roles(Cognito& cognito, Exchange& exchange) {
    auto body = TRY(json_body(exchange));
    auto id = TRY(asked_id(body, "IdentityPoolId"));
    TRY(require(cognito, exchange, id));
    auto pool = TRY(pool_of(cognito, id));
    auto result = pool->roles;
    result["IdentityPoolId"] = id;
    return json_result(exchange, result);
}

Answer set_tags(Cognito& cognito, Exchange& exchange) {
    auto body = TRY(json_body(exchange));
    auto id = TRY(asked_id(body, "IdentityPoolId"));
    auto provider = TRY(cloud::required_text(body, "IdentityProviderName", 128));
    TRY(require(cognito, exchange, id));
    bool defaults = TRY(cloud::optional_flag(body, "UseDefaults", false));
    json::object map{{"UseDefaults", defaults}, {"PrincipalTags", json::object()}};
    const auto* tags = TRY(cloud::optional_object(body, "PrincipalTags"));
    for (const auto& tag : tags ? *tags : json::object()) {
        if (!tag.value().is_string() || tags->size() > 50) {
            return invalid_parameter("PrincipalTags must map at most 50 tags to names of claims.");
        }
        map["PrincipalTags"].as_object()[tag.key()] = tag.value();
    }
    auto failed = edit_pool(cognito, id, [&](Pool& pool) { pool.principal_tags[provider] = map; });
    if (failed) return *failed;
    map["IdentityPoolId"] = id;
    map["IdentityProviderName"] = provider;
    return json_result(exchange, map);
}

Answer get_tags(Cognito& cognito, Exchange& exchange) {
    auto body = TRY(json_body(exchange));
    auto id = TRY(asked_id(body, "IdentityPoolId"));
    auto provider = TRY(cloud::required_text(body, "IdentityProviderName", 128));
    TRY(require(cognito, exchange, id));
    auto pool = TRY(pool_of(cognito, id));
    json::object map{{"UseDefaults", false}, {"PrincipalTags", json::object()}};
    if (const auto* known = pool->principal_tags.if_contains(provider)) map = known->as_object();
    map["IdentityPoolId"] = id;
    map["IdentityProviderName"] = provider;
    return json_result(exchange, map);
}

json::object described(const PoolIdentity& identity) {
    json::array logins;
    for (const auto& login : identity.logins)
        logins.emplace_back(login.provider);
    return {{"IdentityId", identity.id},
            {"Logins", std::move(logins)},
            {"CreationDate", static_cast<double>(unix_seconds(identity.created))},
            {"LastModifiedDate", static_cast<double>(unix_seconds(identity.created))}};
}

Answer list_identities(Cognito& cognito, Exchange& exchange) {
    auto body = TRY(json_body(exchange));
    auto id = TRY(asked_id(body, "IdentityPoolId"));
    TRY(require(cognito, exchange, id));
    TRY(pool_of(cognito, id));
    json::array listed;
    for (const auto& identity : cognito.list_identities(id, 60))
        listed.push_back(described(identity));
    return json_result(exchange, {{"IdentityPoolId", id}, {"Identities", std::move(listed)}});
}

Answer describe_identity(Cognito& cognito, Exchange& exchange) {
    auto body = TRY(json_body(exchange));
    auto id = TRY(asked_id(body, "IdentityId"));
    auto identity = cognito.find_identity(id);
    TRY(require(cognito, exchange, identity ? identity->pool : "*"));
    if (!identity) return not_found("Identity '" + id + "' not found.");
    return json_result(exchange, described(*identity));
}

constexpr const char* checks = "signature; cognito-identity: permission on the pool";

constexpr cloud::OperationOf<Cognito> table[] = {
    {{"CreateIdentityPool", "With OpenID Connect providers of IAM; no SAML, no user pools.", checks},
     Signing::required,
     create_pool},
    {{"DescribeIdentityPool", "By id.", checks}, Signing::required, describe_pool},
    {{"ListIdentityPools", "All at once, without paging.", checks}, Signing::required, list_pools},
    {{"UpdateIdentityPool", "Replaces the description.", checks}, Signing::required, update_pool},
    {{"DeleteIdentityPool", "With its identities.", checks}, Signing::required, delete_pool},
    {{"SetIdentityPoolRoles", "Roles and role mappings of type Token and Rules.",
      "signature; cognito-identity: permission on the pool; iam:PassRole on each role"},
     Signing::required,
     set_roles},
    {{"GetIdentityPoolRoles", "As they were set.", checks}, Signing::required, get_roles},
    {{"SetPrincipalTagAttributeMap", "Claims become session tags.", checks}, Signing::required, set_tags},
    {{"GetPrincipalTagAttributeMap", "As it was set.", checks}, Signing::required, get_tags},
    {{"ListIdentities", "The first 60.", checks}, Signing::required, list_identities},
    {{"DescribeIdentity", "By id.", checks}, Signing::required, describe_identity},
};

}  // namespace

Table pool_operations() {
    return table;
}

AwsError not_found(std::string message) {
    return {.status = 400, .code = "ResourceNotFoundException", .message = std::move(message)};
}
AwsError not_authorized(std::string message) {
    return {.status = 400, .code = "NotAuthorizedException", .message = std::move(message)};
}
AwsError invalid_parameter(std::string message) {
    return {.status = 400, .code = "InvalidParameterException", .message = std::move(message)};
}

Outcome<std::string> asked_id(const json::object& body, std::string_view name) {
    auto id = TRY(cloud::required_text(body, name, 55));
    auto colon = id.find(':');
    bool fits = colon != std::string::npos && colon > 0 && colon + 1 < id.size() &&
                std::ranges::all_of(std::string_view(id).substr(colon + 1), [](char c) {
                    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == '-';
                });
    if (fits) return id;
    std::string member(name);
    member[0] = static_cast<char>(member[0] + 32);
    return cloud::validation_error("1 validation error detected: Value '" + id + "' at '" + member +
                                   "' failed to satisfy constraint: Member must satisfy regular expression "
                                   "pattern: [\\w-]+:[0-9a-f-]+");
}

Outcome<std::shared_ptr<const Pool>> pool_of(const Cognito& cognito, const std::string& id) {
    auto pools = cognito.pools();
    auto found = pools->find(id);
    if (found == pools->end()) return not_found("IdentityPool '" + id + "' not found.");
    return found->second;
}

std::string provider_of_arn(std::string_view arn) {
    constexpr std::string_view mark = ":oidc-provider/";
    auto at = arn.find(mark);
    return at == std::string_view::npos ? std::string() : std::string(arn.substr(at + mark.size()));
}

cloud::Api api(Cognito& cognito) {
    cloud::Api api{.name = "cognito-identity",
                   .title = "Amazon Cognito Identity",
                   .signing_name = "cognito-identity",
                   .protocol = cloud::Protocol::json,
                   .target_prefix = "AWSCognitoIdentityService"};
    for (auto part : {pool_operations(), login_operations()})
        std::ranges::move(cloud::bind(cognito, part), std::back_inserter(api.operations));
    return api;
}

std::vector<cloud::About> operations() {
    std::vector<cloud::About> all;
    for (auto part : {login_operations(), pool_operations()}) {
        for (const auto& operation : part)
            all.push_back(operation.about);
    }
    return all;
}

}  // namespace integreat::cognito
