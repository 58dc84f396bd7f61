// SPDX-License-Identifier: Apache-2.0
// Operations on identity pools.
#include <algorithm>

#include <boost/json/array.hpp>

#include "base/text/ascii.h"
#include "cloud/aws/auth/authorize.h"
#include "cloud/aws/protocol/json_body.h"
#include "cloud/aws/protocol/protocol.h"
#include "cloud/cognito/operations.h"
#include "cloud/cognito/role_mapping.h"
#include "crypto/ids.h"

namespace integreat::cognito {

namespace json = boost::json;
using cloud::json_result;
using cloud::parse_json_body;
using cloud::Signing;

namespace {

AwsResult<> require_permission(const Cognito& cognito, OperationContext& context, const std::string& pool) {
    return cloud::authorize(
        context, {.action = "cognito-identity:" + std::string(context.operation->doc.name),
                  .resource = "arn:aws:cognito-identity:" + cognito.region + ":" + cognito.iam.account() +
                              ":identitypool/" + pool});
}

// Assigning a role to a pool delegates the role's permissions, so it requires iam:PassRole.
AwsResult<> require_pass_role(OperationContext& context, const std::string& role) {
    policy::Context keys;
    policy::set(keys, "iam:passedtoservice", std::string("cognito-identity.amazonaws.com"));
    return cloud::authorize(context, {.action = "iam:PassRole",
                                      .resource = role,
                                      .resource_policies = {},
                                      .resource_account = {},
                                      .request_tags = {},
                                      .resource_tags = {},
                                      .keys = std::move(keys)});
}

constexpr std::string_view description_members[] = {
    "IdentityPoolName",         "AllowUnauthenticatedIdentities",
    "AllowClassicFlow",         "SupportedLoginProviders",
    "DeveloperProviderName",    "OpenIdConnectProviderARNs",
    "CognitoIdentityProviders", "SamlProviderARNs",
    "IdentityPoolTags"};

// Parses and validates the description in a request to create or update a pool.
AwsResult<json::object> parse_description(const Cognito& cognito, const json::object& body) {
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
    for (auto name : description_members) {
        if (const auto* value = body.if_contains(name); value && !value->is_null())
            description[name] = *value;
    }
    return description;
}

OperationResult create_pool(Cognito& cognito, OperationContext& context) {
    TRY(require_permission(cognito, context, "*"));
    auto body = TRY(parse_json_body(context));
    auto description = TRY(parse_description(cognito, body));
    auto id = cognito.region + ":" + crypto::make_uuid(cognito.iam.random());
    description["IdentityPoolId"] = id;
    auto result = cognito.update([&](Cognito::Pools& pools) -> AwsResult<> {
        if (pools.size() >= pools_max) {
            return AwsError{
                .status = 400, .code = "LimitExceededException", .message = "Too many identity pools."};
        }
        pools[id] = std::make_shared<const Pool>(
            Pool{.id = id, .description = description, .roles = {}, .principal_tags = {}});
        return {};
    });
    if (!result) return std::move(result).error();
    return json_result(context, description);
}

OperationResult describe_pool(Cognito& cognito, OperationContext& context) {
    auto body = TRY(parse_json_body(context));
    auto id = TRY(required_id(body, "IdentityPoolId"));
    TRY(require_permission(cognito, context, id));
    auto pool = TRY(find_pool(cognito, id));
    return json_result(context, pool->description);
}

OperationResult list_pools(Cognito& cognito, OperationContext& context) {
    TRY(require_permission(cognito, context, "*"));
    json::array listed;
    auto pools = cognito.pools();
    for (const auto& [id, pool] : *pools) {
        listed.push_back(
            {{"IdentityPoolId", id}, {"IdentityPoolName", pool->description.at("IdentityPoolName")}});
    }
    return json_result(context, {{"IdentityPools", std::move(listed)}});
}

// Applies `edit` to a copy of a pool and saves it.
AwsResult<> update_pool_with(Cognito& cognito, const std::string& id,
                             const std::function<void(Pool&)>& edit) {
    return cognito.update([&](Cognito::Pools& pools) -> AwsResult<> {
        auto pool = pools.find(id);
        if (pool == pools.end()) return not_found("IdentityPool '" + id + "' not found.");
        auto changed = *pool->second;
        edit(changed);
        pool->second = std::make_shared<const Pool>(std::move(changed));
        return {};
    });
}

OperationResult update_pool(Cognito& cognito, OperationContext& context) {
    auto body = TRY(parse_json_body(context));
    auto id = TRY(required_id(body, "IdentityPoolId"));
    TRY(require_permission(cognito, context, id));
    auto description = TRY(parse_description(cognito, body));
    description["IdentityPoolId"] = id;
    TRY(update_pool_with(cognito, id, [&](Pool& pool) { pool.description = description; }));
    return json_result(context, description);
}

OperationResult delete_pool(Cognito& cognito, OperationContext& context) {
    auto body = TRY(parse_json_body(context));
    auto id = TRY(required_id(body, "IdentityPoolId"));
    TRY(require_permission(cognito, context, id));
    auto result = cognito.update([&](Cognito::Pools& pools) -> AwsResult<> {
        if (pools.erase(id) == 0) return not_found("IdentityPool '" + id + "' not found.");
        return {};
    });
    if (!result) return std::move(result).error();
    std::vector<std::string> ids;
    for (const auto& identity : cognito.list_identities(id, identities_max))
        ids.push_back(identity.id);
    TRY(cognito.delete_identities(ids));
    return json_result(context, {});
}

OperationResult set_roles(Cognito& cognito, OperationContext& context) {
    auto body = TRY(parse_json_body(context));
    auto id = TRY(required_id(body, "IdentityPoolId"));
    TRY(require_permission(cognito, context, id));
    auto roles = TRY(parse_roles(body));
    for (const auto& arn : role_arns(roles))
        TRY(require_pass_role(context, arn));
    TRY(update_pool_with(cognito, id, [&](Pool& pool) { pool.roles = roles; }));
    return json_result(context, {});
}

OperationResult get_roles(Cognito& cognito, OperationContext& context) {
    auto body = TRY(parse_json_body(context));
    auto id = TRY(required_id(body, "IdentityPoolId"));
    TRY(require_permission(cognito, context, id));
    auto pool = TRY(find_pool(cognito, id));
    auto result = pool->roles;
    result["IdentityPoolId"] = id;
    return json_result(context, result);
}

OperationResult set_tags(Cognito& cognito, OperationContext& context) {
    auto body = TRY(parse_json_body(context));
    auto id = TRY(required_id(body, "IdentityPoolId"));
    auto provider = TRY(cloud::required_text(body, "IdentityProviderName", 128));
    TRY(require_permission(cognito, context, id));
    bool defaults = TRY(cloud::optional_flag(body, "UseDefaults", false));
    json::object map{{"UseDefaults", defaults}, {"PrincipalTags", json::object()}};
    const auto* tags = TRY(cloud::optional_object(body, "PrincipalTags"));
    for (const auto& tag : tags ? *tags : json::object()) {
        if (!tag.value().is_string() || tags->size() > 50) {
            return invalid_parameter("PrincipalTags must map at most 50 tags to names of claims.");
        }
        map["PrincipalTags"].as_object()[tag.key()] = tag.value();
    }
    auto result = update_pool_with(cognito, id, [&](Pool& pool) { pool.principal_tags[provider] = map; });
    if (!result) return std::move(result).error();
    map["IdentityPoolId"] = id;
    map["IdentityProviderName"] = provider;
    return json_result(context, map);
}

OperationResult get_tags(Cognito& cognito, OperationContext& context) {
    auto body = TRY(parse_json_body(context));
    auto id = TRY(required_id(body, "IdentityPoolId"));
    auto provider = TRY(cloud::required_text(body, "IdentityProviderName", 128));
    TRY(require_permission(cognito, context, id));
    auto pool = TRY(find_pool(cognito, id));
    json::object map{{"UseDefaults", false}, {"PrincipalTags", json::object()}};
    if (const auto* tags = pool->principal_tags.if_contains(provider)) map = tags->as_object();
    map["IdentityPoolId"] = id;
    map["IdentityProviderName"] = provider;
    return json_result(context, map);
}

json::object make_identity_description(const PoolIdentity& identity) {
    json::array logins;
    for (const auto& login : identity.logins)
        logins.emplace_back(login.provider);
    return {{"IdentityId", identity.id},
            {"Logins", std::move(logins)},
            {"CreationDate", static_cast<double>(unix_seconds(identity.created))},
            {"LastModifiedDate", static_cast<double>(unix_seconds(identity.created))}};
}

OperationResult list_identities(Cognito& cognito, OperationContext& context) {
    auto body = TRY(parse_json_body(context));
    auto id = TRY(required_id(body, "IdentityPoolId"));
    TRY(require_permission(cognito, context, id));
    TRY(find_pool(cognito, id));
    json::array listed;
    for (const auto& identity : cognito.list_identities(id, 60))
        listed.push_back(make_identity_description(identity));
    return json_result(context, {{"IdentityPoolId", id}, {"Identities", std::move(listed)}});
}

OperationResult describe_identity(Cognito& cognito, OperationContext& context) {
    auto body = TRY(parse_json_body(context));
    auto id = TRY(required_id(body, "IdentityId"));
    auto identity = cognito.find_identity(id);
    TRY(require_permission(cognito, context, identity ? identity->pool : "*"));
    if (!identity) return not_found("Identity '" + id + "' not found.");
    return json_result(context, make_identity_description(*identity));
}

constexpr const char* checks = "signature; cognito-identity: permission on the pool";

constexpr cloud::OperationEntry<Cognito> pool_table[] = {
    {{"CreateIdentityPool", "With OpenID Connect providers of IAM; no SAML providers, no user pools.",
      checks},
     Signing::required,
     create_pool},
    {{"DescribeIdentityPool", "By id.", checks}, Signing::required, describe_pool},
    {{"ListIdentityPools", "All, without paging.", checks}, Signing::required, list_pools},
    {{"UpdateIdentityPool", "Replaces the description.", checks}, Signing::required, update_pool},
    {{"DeleteIdentityPool", "Deletes its identities too.", checks}, Signing::required, delete_pool},
    {{"SetIdentityPoolRoles", "Roles and role mappings of type Token and Rules.",
      "signature; cognito-identity: permission on the pool; iam:PassRole on each role"},
     Signing::required,
     set_roles},
    {{"GetIdentityPoolRoles", "Returns the roles as set.", checks}, Signing::required, get_roles},
    {{"SetPrincipalTagAttributeMap",
      "Maps claims to session tags; a list, or a value that no tag can have, sets none.", checks},
     Signing::required,
     set_tags},
    {{"GetPrincipalTagAttributeMap", "Returns the map as set.", checks}, Signing::required, get_tags},
    {{"ListIdentities", "The first 60 identities.", checks}, Signing::required, list_identities},
    {{"DescribeIdentity", "By id.", checks}, Signing::required, describe_identity},
};

}  // namespace

Table pool_operations() {
    return pool_table;
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

AwsResult<std::string> required_id(const json::object& body, std::string_view name) {
    auto id = TRY(cloud::required_text(body, name, 55));
    auto colon = id.find(':');
    bool valid = colon != std::string::npos && colon > 0 && colon + 1 < id.size() &&
                 std::ranges::all_of(std::string_view(id).substr(colon + 1), [](char c) {
                     return is_digit(c) || (c >= 'a' && c <= 'f') || c == '-';
                 });
    if (valid) return id;
    std::string member(name);
    member[0] = to_lower(member[0]);
    return cloud::validation_error("1 validation error detected: Value '" + id + "' at '" + member +
                                   "' failed to satisfy constraint: Member must satisfy regular expression "
                                   "pattern: [\\w-]+:[0-9a-f-]+");
}

AwsResult<std::shared_ptr<const Pool>> find_pool(const Cognito& cognito, const std::string& id) {
    auto pools = cognito.pools();
    auto pool = pools->find(id);
    if (pool == pools->end()) return not_found("IdentityPool '" + id + "' not found.");
    return pool->second;
}

std::string provider_from_arn(std::string_view arn) {
    constexpr std::string_view separator = ":oidc-provider/";
    auto at = arn.find(separator);
    return at == std::string_view::npos ? std::string() : std::string(arn.substr(at + separator.size()));
}

cloud::Api api(Cognito& cognito) {
    cloud::Api api{.name = "cognito-identity",
                   .title = "Amazon Cognito Identity",
                   .signing_name = "cognito-identity",
                   .protocol = cloud::Protocol::json,
                   .target_prefix = "AWSCognitoIdentityService"};
    for (auto operation_table : {pool_operations(), login_operations()})
        std::ranges::move(cloud::bind(cognito, operation_table), std::back_inserter(api.operations));
    return api;
}

std::vector<cloud::OperationDoc> operations() {
    std::vector<cloud::OperationDoc> all;
    for (auto operation_table : {login_operations(), pool_operations()}) {
        for (const auto& operation : operation_table)
            all.push_back(operation.doc);
    }
    return all;
}

}  // namespace integreat::cognito
