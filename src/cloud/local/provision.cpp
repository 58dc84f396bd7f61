// SPDX-License-Identifier: Apache-2.0
#include "cloud/local/provision.h"

#include <set>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "aws/sigv4.h"
#include "cloud/aws/protocol/protocol.h"
#include "cloud/s3/operations/table.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"
#include "http/routing/router.h"
#include "json/value/parse.h"

namespace integreat::cloud {

namespace json = boost::json;

namespace {

using FormFields = std::vector<std::pair<std::string, std::string>>;

// An in-process client of the cloud that signs its requests with the root access key.
struct RootClient {
    LocalCloud& cloud;

    Result<http::FullResponse> send(http::Request request, const std::string& service) {
        auto key = cloud.iam->root_key();
        const auto& frontend = cloud.frontend;
        auto now = frontend.clock.now();
        request.method = http::Method::post;
        request.target = "/";
        request.peer.address = "127.0.0.1";
        request.headers.set("Host", "127.0.0.1");
        request.headers.set("X-Amz-Date", aws::format_sigv4_time(now));
        std::vector<aws::SigV4Header> fields;
        for (auto field : request.headers)
            fields.push_back({field.name, field.value});
        auto hash = crypto::hash(crypto::HashAlgorithm::sha256, request.body);
        auto authorization =
            aws::sign_request({"POST", "/", "", fields},
                              {.access_key_id = key->id,
                               .secret_key = key->secret,
                               .region = service == "iam" ? "us-east-1" : frontend.settings.region,
                               .service = service,
                               .security_token = {},
                               .path_encoding = aws::SigV4PathEncoding::twice},
                              now, crypto::hex_encode(hash));
        request.headers.set("Authorization", authorization);
        http::RequestContext context;
        auto response = http::handle(cloud.application, request, context);
        return std::get<http::FullResponse>(std::move(response));
    }

    Result<std::string> form(const std::string& service, const FormFields& fields) {
        http::Request request;
        request.headers.set("Content-Type", "application/x-www-form-urlencoded");
        for (const auto& [name, value] : fields)
            request.body += (request.body.empty() ? "" : "&") + name + "=" + aws::uri_encode(value);
        auto response = TRY(send(std::move(request), service));
        if (response.status < 300) return std::move(response.body);
        return Error{Fault::internal, "provisioning of a tenant failed at " + fields[0].second,
                     response.body};
    }

    Result<json::object> cognito(const std::string& operation, const json::object& body) {
        http::Request request;
        request.headers.set("Content-Type", "application/x-amz-json-1.1");
        request.headers.set("X-Amz-Target", "AWSCognitoIdentityService." + operation);
        request.body = json::serialize(body);
        auto response = TRY(send(std::move(request), "cognito-identity"));
        if (response.status < 300) return integreat::json::parse_object(response.body);
        return Error{Fault::internal, "provisioning of a tenant failed at " + operation, response.body};
    }
};

std::string make_issuer(const std::string& project) {
    return "securetoken.google.com/" + project;
}

std::string make_trust_policy(const std::string& pool) {
    return json::serialize(json::object{
        {"Version", "2012-10-17"},
        {"Statement",
         json::array{json::object{
             {"Effect", "Allow"},
             {"Action", "sts:AssumeRoleWithWebIdentity"},
             {"Principal", {{"Federated", "cognito-identity.amazonaws.com"}}},
             {"Condition",
              {{"StringEquals", {{"cognito-identity.amazonaws.com:aud", pool}}},
               {"ForAnyValue:StringLike", {{"cognito-identity.amazonaws.com:amr", "authenticated"}}}}}}}}});
}

std::string make_bucket_access_policy(const std::string& bucket) {
    auto arn = "arn:aws:s3:::" + bucket;
    return json::serialize(json::object{
        {"Version", "2012-10-17"},
        {"Statement",
         json::array{json::object{{"Effect", "Allow"}, {"Action", "s3:ListBucket"}, {"Resource", arn}},
                     json::object{{"Effect", "Allow"},
                                  {"Action", json::array{"s3:GetObject", "s3:PutObject", "s3:DeleteObject"}},
                                  {"Resource", arn + "/*"}}}}});
}

std::string make_cors_configuration(const TenantSpec& spec) {
    std::string rule = "<CORSConfiguration><CORSRule><AllowedHeader>*</AllowedHeader>";
    for (const char* method : {"GET", "PUT", "POST", "DELETE", "HEAD"})
        rule += element("AllowedMethod", method);
    for (const auto& origin : spec.origins)
        rule += element("AllowedOrigin", origin);
    for (const char* header : {"ETag", "x-amz-request-id", "x-amz-id-2", "x-amz-version-id"})
        rule += element("ExposeHeader", header);
    return rule + element("MaxAgeSeconds", "3000") + "</CORSRule></CORSConfiguration>";
}

constexpr const char* public_access_block =
    "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls>"
    "<IgnorePublicAcls>true</IgnorePublicAcls><BlockPublicPolicy>true</BlockPublicPolicy>"
    "<RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>";

std::string make_provider_arn(const LocalCloud& cloud, const std::string& project) {
    return "arn:aws:iam::" + cloud.iam->account() + ":oidc-provider/" + make_issuer(project);
}

Result<> ensure_provider(RootClient& root, const std::string& project) {
    if (iam::find(root.cloud.iam->directory()->providers, make_provider_arn(root.cloud, project))) return {};
    TRY(root.form("iam", {{"Action", "CreateOpenIDConnectProvider"},
                          {"Url", "https://" + make_issuer(project)},
                          {"ClientIDList.member.1", project}}));
    return {};
}

Result<std::string> ensure_pool(LocalCloud& cloud, RootClient& root, const std::string& project) {
    auto name = project + "-identity-pool";
    for (const auto& [id, pool] : *cloud.cognito->pools()) {
        if (pool->description.at("IdentityPoolName").as_string() == name) return id;
    }
    auto created =
        TRY(root.cognito("CreateIdentityPool",
                         {{"IdentityPoolName", name},
                          {"AllowUnauthenticatedIdentities", false},
                          {"OpenIdConnectProviderARNs", json::array{make_provider_arn(cloud, project)}}}));
    return std::string(created.at("IdentityPoolId").as_string());
}

Result<> ensure_role(RootClient& root, const std::string& name, const std::string& pool,
                     const std::string& bucket) {
    auto role = iam::find(root.cloud.iam->directory()->roles, name);
    // A role without policies was left by a process that was killed between the two calls below.
    if (role && (!role->identity.inline_policies.empty() || !role->identity.attached.empty())) return {};
    if (!role) {
        TRY(root.form("iam", {{"Action", "CreateRole"},
                              {"RoleName", name},
                              {"AssumeRolePolicyDocument", make_trust_policy(pool)}}));
    }
    TRY(root.form("iam", {{"Action", "PutRolePolicy"},
                          {"RoleName", name},
                          {"PolicyName", "TenantUserRoleDefaultPolicy"},
                          {"PolicyDocument", make_bucket_access_policy(bucket)}}));
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

Result<TenantResources> provision_tenant(LocalCloud& cloud, const TenantSpec& spec) {
    RootClient root{cloud};
    const auto& project = spec.project;
    TRY(ensure_provider(root, project));
    TenantResources resources;
    resources.identity_pool = TRY(ensure_pool(cloud, root, project));
    resources.bucket = project + "-tenant-bucket";
    TRY(s3::ensure_bucket(*cloud.s3, resources.bucket));
    TRY(s3::ensure_setting(*cloud.s3, resources.bucket, "cors", make_cors_configuration(spec)));
    TRY(s3::ensure_setting(*cloud.s3, resources.bucket, "publicAccessBlock", public_access_block));
    auto role = project + "-TenantUserRole";
    TRY(ensure_role(root, role, resources.identity_pool, resources.bucket));
    resources.role = iam::find(cloud.iam->directory()->roles, role)->identity.arn;
    auto pool = cloud.cognito->pools()->at(resources.identity_pool);
    if (pool->roles.empty()) {
        TRY(root.cognito("SetIdentityPoolRoles", {{"IdentityPoolId", resources.identity_pool},
                                                  {"Roles", {{"authenticated", resources.role}}}}));
    }
    return resources;
}

}  // namespace integreat::cloud
