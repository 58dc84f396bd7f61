// SPDX-License-Identifier: Apache-2.0
#include "cloud/local/provision.h"

#include <set>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "cloud/aws/client/client.h"
#include "cloud/s3/protocol/xml.h"
#include "cloud/s3/store/queries.h"

namespace integreat::cloud {

namespace json = boost::json;

namespace {

// Reads the state of the services directly, but changes it by their API only, as the root of the account.
struct Provisioning {
    LocalCloud& cloud;
    Client client{cloud.frontend, make_root_credentials(cloud)};
};

// Converts the error of a call, for TRY in functions that return a Result.
template <class T>
Result<T> to_result(std::string_view operation, AwsResult<T> result) {
    if (result) return *std::move(result);
    const auto& error = result.error();
    return Error{Fault::internal, "provisioning of a tenant failed at " + std::string(operation),
                 error.code + ": " + error.message + " (" + error.cause + ")"};
}

Result<formats::XmlElement> call_iam(Provisioning& provisioning, std::string_view action,
                                     const Parameters& parameters) {
    return to_result(action, provisioning.client.call_query("iam", action, parameters));
}

Result<json::object> call_cognito(Provisioning& provisioning, std::string_view operation,
                                  const json::object& parameters) {
    return to_result(operation, provisioning.client.call_json("cognito-identity", operation, parameters));
}

std::string make_issuer(const std::string& project) {
    return "securetoken.google.com/" + project;
}

std::string make_trust_policy(const std::string& pool) {
    return json::serialize(json::object{
        {"Version", "2012-10-17"},
        {"Statement",
         json::array{json::object{
             {"Effect", "Allow"},
             {"Action", json::array{"sts:AssumeRoleWithWebIdentity", "sts:TagSession"}},
             {"Principal", {{"Federated", "cognito-identity.amazonaws.com"}}},
             {"Condition",
              {{"StringEquals", {{"cognito-identity.amazonaws.com:aud", pool}}},
               {"ForAnyValue:StringLike", {{"cognito-identity.amazonaws.com:amr", "authenticated"}}}}}}}}});
}

std::string make_cors_configuration(const TenantSpec& spec) {
    s3::XmlWriter xml("CORSConfiguration");
    xml.open("CORSRule");
    xml.value("AllowedHeader", "*");
    for (const char* method : {"GET", "PUT", "POST", "DELETE", "HEAD"})
        xml.value("AllowedMethod", method);
    for (const auto& origin : spec.origins)
        xml.value("AllowedOrigin", origin);
    for (const char* header : {"ETag", "x-amz-request-id", "x-amz-id-2", "x-amz-version-id"})
        xml.value("ExposeHeader", header);
    xml.value("MaxAgeSeconds", std::uint64_t{3'000});
    return std::move(xml).finish();
}

std::string make_public_access_block() {
    s3::XmlWriter xml("PublicAccessBlockConfiguration");
    for (const char* name :
         {"BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"})
        xml.flag(name, true);
    return std::move(xml).finish();
}

// Every version is kept, so that a file of a record cannot change.
std::string make_versioning_configuration() {
    s3::XmlWriter xml("VersioningConfiguration");
    xml.value("Status", "Enabled");
    return std::move(xml).finish();
}

// us-east-1 is the only region that must not be named on creation.
std::string make_bucket_configuration(const std::string& region) {
    if (region == "us-east-1") return {};
    s3::XmlWriter xml("CreateBucketConfiguration");
    xml.value("LocationConstraint", region);
    return std::move(xml).finish();
}

std::string make_provider_arn(const LocalCloud& cloud, const std::string& project) {
    return "arn:aws:iam::" + cloud.iam->account() + ":oidc-provider/" + make_issuer(project);
}

Result<> ensure_provider(Provisioning& provisioning, const std::string& project) {
    const auto& cloud = provisioning.cloud;
    if (iam::find(cloud.iam->directory()->providers, make_provider_arn(cloud, project))) return {};
    TRY(call_iam(provisioning, "CreateOpenIDConnectProvider",
                 {{"Url", "https://" + make_issuer(project)}, {"ClientIDList.member.1", project}}));
    return {};
}

Result<std::string> ensure_pool(Provisioning& provisioning, const std::string& project) {
    const auto& cloud = provisioning.cloud;
    auto name = project + "-identity-pool";
    for (const auto& [id, pool] : *cloud.cognito->pools()) {
        if (pool->description.at("IdentityPoolName").as_string() == name) return id;
    }
    auto created =
        TRY(call_cognito(provisioning, "CreateIdentityPool",
                         {{"IdentityPoolName", name},
                          {"AllowUnauthenticatedIdentities", false},
                          {"OpenIdConnectProviderARNs", json::array{make_provider_arn(cloud, project)}}}));
    return std::string(created.at("IdentityPoolId").as_string());
}

Result<> ensure_bucket(Provisioning& provisioning, const std::string& name) {
    const auto& s3 = *provisioning.cloud.s3;
    if (TRY(s3::find_bucket(*s3.storage, name))) return {};
    TRY(to_result("CreateBucket",
                  provisioning.client.call_rest({.method = http::Method::put,
                                                 .path = "/" + name,
                                                 .body = make_bucket_configuration(s3.region)})));
    return {};
}

// Sets a setting of the bucket, "cors" or "publicAccessBlock", unless it has this document already.
Result<> ensure_setting(Provisioning& provisioning, const std::string& bucket, const std::string& name,
                        const std::string& document) {
    auto existing = TRY(s3::find_bucket(*provisioning.cloud.s3->storage, bucket));
    if (existing) {
        auto stored = existing->settings.find(name);
        if (stored != existing->settings.end() && stored->second == document) return {};
    }
    TRY(to_result(
        "PUT /" + bucket + "?" + name,
        provisioning.client.call_rest(
            {.method = http::Method::put, .path = "/" + bucket, .query = {{name, ""}}, .body = document})));
    return {};
}

Result<> ensure_versioning(Provisioning& provisioning, const std::string& bucket) {
    auto existing = TRY(s3::find_bucket(*provisioning.cloud.s3->storage, bucket));
    if (existing && existing->versioning == s3::Versioning::enabled) return {};
    TRY(to_result("PUT /" + bucket + "?versioning",
                  provisioning.client.call_rest({.method = http::Method::put,
                                                 .path = "/" + bucket,
                                                 .query = {{"versioning", ""}},
                                                 .body = make_versioning_configuration()})));
    return {};
}

constexpr const char* gateway_user = "integreat-gateway";

std::string make_record_files_trust(const LocalCloud& cloud) {
    auto user = "arn:aws:iam::" + cloud.iam->account() + ":user/" + gateway_user;
    return json::serialize(json::object{
        {"Version", "2012-10-17"},
        {"Statement",
         json::array{{{"Effect", "Allow"}, {"Action", "sts:AssumeRole"}, {"Principal", {{"AWS", user}}}}}}});
}

// Reads versions of the tenant's files; with the right to list, S3 tells a missing one from a denied one.
std::string make_record_files_policy(const std::string& bucket) {
    auto arn = "arn:aws:s3:::" + bucket;
    return json::serialize(json::object{
        {"Version", "2012-10-17"},
        {"Statement", json::array{{{"Effect", "Allow"},
                                   {"Action", json::array{"s3:GetObject", "s3:GetObjectVersion"}},
                                   {"Resource", arn + "/*"}},
                                  {{"Effect", "Allow"}, {"Action", "s3:ListBucket"}, {"Resource", arn}}}}});
}

// Creates the role or gives an existing one the trust policy and the inline policy of this version. Other
// policies of the role are left unchanged.
Result<> ensure_role(Provisioning& provisioning, const std::string& name, const std::string& policy_name,
                     const std::string& trust_policy, const std::string& access_policy) {
    auto role = iam::find(provisioning.cloud.iam->directory()->roles, name);
    if (!role) {
        TRY(call_iam(provisioning, "CreateRole",
                     {{"RoleName", name}, {"AssumeRolePolicyDocument", trust_policy}}));
    } else if (role->trust.text != trust_policy) {
        TRY(call_iam(provisioning, "UpdateAssumeRolePolicy",
                     {{"RoleName", name}, {"PolicyDocument", trust_policy}}));
    }
    if (role) {
        auto existing = role->identity.inline_policies.find(policy_name);
        if (existing != role->identity.inline_policies.end() && existing->second.text == access_policy)
            return {};
    }
    TRY(call_iam(provisioning, "PutRolePolicy",
                 {{"RoleName", name}, {"PolicyName", policy_name}, {"PolicyDocument", access_policy}}));
    return {};
}

// Maps claims of the project's ID tokens to the session tags that the role's policy needs.
Result<> ensure_principal_tags(Provisioning& provisioning, const std::string& pool_id,
                               const std::string& project) {
    const json::object tags{{policy::uid_tag, "sub"}, {policy::role_tag, "role"}};
    auto pool = provisioning.cloud.cognito->pools()->at(pool_id);
    if (const auto* map = pool->principal_tags.if_contains(make_issuer(project))) {
        if (!map->at("UseDefaults").as_bool() && map->at("PrincipalTags").as_object() == tags) return {};
    }
    TRY(call_cognito(provisioning, "SetPrincipalTagAttributeMap",
                     {{"IdentityPoolId", pool_id},
                      {"IdentityProviderName", make_issuer(project)},
                      {"UseDefaults", false},
                      {"PrincipalTags", tags}}));
    return {};
}

}  // namespace

Result<std::optional<std::size_t>> reserve_provider_quota(LocalCloud& cloud,
                                                          std::span<const TenantSpec> specs) {
    auto directory = cloud.iam->directory();
    std::set<std::string> issuers;
    for (const auto& [arn, provider] : directory->providers)
        issuers.insert(provider->url);
    for (const auto& spec : specs)
        issuers.insert(make_issuer(spec.project));
    if (issuers.size() <= directory->providers_quota) return std::optional<std::size_t>();
    TRY(iam::raise_providers_quota(*cloud.iam, issuers.size()));
    return std::optional(issuers.size());
}

Result<ClientCredentials> provision_gateway_user(LocalCloud& cloud) {
    Provisioning provisioning{.cloud = cloud};
    auto directory = cloud.iam->directory();
    if (!iam::find(directory->users, gateway_user))
        TRY(call_iam(provisioning, "CreateUser", {{"UserName", gateway_user}}));
    for (const auto& [id, key] : directory->keys) {
        if (key->user != gateway_user) continue;
        TRY(call_iam(provisioning, "DeleteAccessKey", {{"UserName", gateway_user}, {"AccessKeyId", id}}));
    }
    auto roles = "arn:aws:iam::" + cloud.iam->account() + ":role/*-RecordFilesRole";
    auto policy = json::serialize(json::object{
        {"Version", "2012-10-17"},
        {"Statement",
         json::array{{{"Effect", "Allow"}, {"Action", "sts:AssumeRole"}, {"Resource", roles}}}}});
    TRY(call_iam(provisioning, "PutUserPolicy",
                 {{"UserName", gateway_user}, {"PolicyName", "AssumeRoles"}, {"PolicyDocument", policy}}));
    auto created = TRY(call_iam(provisioning, "CreateAccessKey", {{"UserName", gateway_user}}));
    return ClientCredentials{.access_key_id = std::string(created.value("AccessKey/AccessKeyId")),
                             .secret_key = Secret(std::string(created.value("AccessKey/SecretAccessKey")))};
}

Result<TenantResources> provision_tenant(LocalCloud& cloud, const TenantSpec& spec) {
    Provisioning provisioning{.cloud = cloud};
    const auto& project = spec.project;
    TRY(ensure_provider(provisioning, project));
    TenantResources resources;
    resources.identity_pool = TRY(ensure_pool(provisioning, project));
    resources.bucket = project + "-tenant-bucket";
    TRY(ensure_bucket(provisioning, resources.bucket));
    TRY(ensure_setting(provisioning, resources.bucket, "cors", make_cors_configuration(spec)));
    TRY(ensure_setting(provisioning, resources.bucket, "publicAccessBlock", make_public_access_block()));
    TRY(ensure_versioning(provisioning, resources.bucket));
    auto role = project + "-TenantUserRole";
    TRY(ensure_principal_tags(provisioning, resources.identity_pool, project));
    TRY(ensure_role(provisioning, role, "TenantUserRoleDefaultPolicy",
                    make_trust_policy(resources.identity_pool),
                    policy::make_bucket_access_policy(resources.bucket, spec.files)));
    TRY(ensure_role(provisioning, project + "-RecordFilesRole", "RecordFilesPolicy",
                    make_record_files_trust(cloud), make_record_files_policy(resources.bucket)));
    resources.role = iam::find(cloud.iam->directory()->roles, role)->identity.arn;
    auto pool = cloud.cognito->pools()->at(resources.identity_pool);
    if (pool->roles.empty()) {
        TRY(call_cognito(
            provisioning, "SetIdentityPoolRoles",
            {{"IdentityPoolId", resources.identity_pool}, {"Roles", {{"authenticated", resources.role}}}}));
    }
    return resources;
}

}  // namespace integreat::cloud
