// SPDX-License-Identifier: Apache-2.0
#include "cloud/local/provision.h"

#include <set>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "aws/sigv4.h"
#include "cloud/aws/protocol/protocol.h"
#include "crypto/encoding.h"
#include "crypto/hasher.h"
#include "http/routing/router.h"
#include "json/value/parse.h"

namespace integreat::cloud {

namespace json = boost::json;

namespace {

using Form = std::vector<std::pair<std::string, std::string>>;

// A client of the cloud without a socket: root's requests, signed like anybody's.
struct Root {
    LocalCloud& cloud;

    Result<http::Reply> send(http::Request request, const std::string& service) {
        auto key = cloud.iam->root_key();
        const auto& front = cloud.front;
        auto now = front.clock.now();
        request.method = http::Method::post;
        request.target = "/";
        request.peer.address = "127.0.0.1";
        request.headers.set("Host", "127.0.0.1");
        request.headers.set("X-Amz-Date", aws::format_sigv4_time(now));
        std::vector<aws::SigV4Field> fields;
        for (auto field : request.headers)
            fields.push_back({field.name, field.value});
        auto hash = crypto::hash_of(crypto::Hash::sha256, request.body);
        auto authorization =
            aws::sign_request({"POST", "/", "", fields},
                              {.access_key_id = key->id,
                               .secret_key = key->secret,
                               .region = service == "iam" ? "us-east-1" : front.settings.region,
                               .service = service,
                               .security_token = {},
                               .path = aws::SigV4Path::encoded_again},
                              now, crypto::hex_encode(hash));
        request.headers.set("Authorization", authorization);
        http::Call call;
        auto response = http::handle(cloud.application, request, call);
        return std::get<http::Reply>(std::move(response));
    }

    Result<std::string> form(const std::string& service, const Form& form) {
        http::Request request;
        request.headers.set("Content-Type", "application/x-www-form-urlencoded");
        for (const auto& [name, value] : form)
            request.body += (request.body.empty() ? "" : "&") + name + "=" + aws::uri_encode(value);
        auto reply = TRY(send(std::move(request), service));
        if (reply.status < 300) return std::move(reply.body);
        return Error{Fault::internal, "the tenant's " + form[0].second + " failed", reply.body};
    }

    Result<json::object> cognito(const std::string& operation, const json::object& body) {
        http::Request request;
        request.headers.set("Content-Type", "application/x-amz-json-1.1");
        request.headers.set("X-Amz-Target", "AWSCognitoIdentityService." + operation);
        request.body = json::serialize(body);
        auto reply = TRY(send(std::move(request), "cognito-identity"));
        if (reply.status < 300) return integreat::json::parse_object(reply.body);
        return Error{Fault::internal, "the tenant's " + operation + " failed", reply.body};
    }
};

std::string issuer_of(const std::string& project) {
    return "securetoken.google.com/" + project;
}

std::string trust_policy(const std::string& pool) {
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

std::string bucket_policy_of_role(const std::string& bucket) {
    auto arn = "arn:aws:s3:::" + bucket;
    return json::serialize(json::object{
        {"Version", "2012-10-17"},
        {"Statement",
         json::array{json::object{{"Effect", "Allow"}, {"Action", "s3:ListBucket"}, {"Resource", arn}},
                     json::object{{"Effect", "Allow"},
                                  {"Action", json::array{"s3:GetObject", "s3:PutObject", "s3:DeleteObject"}},
                                  {"Resource", arn + "/*"}}}}});
}

std::string cors_of(const TenantPlan& plan) {
    std::string rule = "<CORSConfiguration><CORSRule><AllowedHeader>*</AllowedHeader>";
    for (const char* method : {"GET", "PUT", "POST", "DELETE", "HEAD"})
        rule += element("AllowedMethod", method);
    for (const auto& origin : plan.origins)
        rule += element("AllowedOrigin", origin);
    for (const char* header : {"ETag", "x-amz-request-id", "x-amz-id-2", "x-amz-version-id"})
        rule += element("ExposeHeader", header);
    return rule + element("MaxAgeSeconds", "3000") + "</CORSRule></CORSConfiguration>";
}

constexpr const char* public_access_block =
    "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls>"
    "<IgnorePublicAcls>true</IgnorePublicAcls><BlockPublicPolicy>true</BlockPublicPolicy>"
    "<RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>";

std::string provider_arn(const LocalCloud& cloud, const std::string& project) {
    return "arn:aws:iam::" + cloud.iam->account() + ":oidc-provider/" + issuer_of(project);
}

Result<> ensure_provider(Root& root, const std::string& project) {
    if (iam::find(root.cloud.iam->directory()->providers, provider_arn(root.cloud, project))) return {};
    TRY(root.form("iam", {{"Action", "CreateOpenIDConnectProvider"},
                          {"Url", "https://" + issuer_of(project)},
                          {"ClientIDList.member.1", project}}));
    return {};
}

Result<std::string> ensure_pool(LocalCloud& cloud, Root& root, const std::string& project) {
    auto name = project + "-identity-pool";
    for (const auto& [id, pool] : *cloud.cognito->pools()) {
        if (pool->description.at("IdentityPoolName").as_string() == name) return id;
    }
    auto made = TRY(root.cognito("CreateIdentityPool",
                                 {{"IdentityPoolName", name},
                                  {"AllowUnauthenticatedIdentities", false},
                                  {"OpenIdConnectProviderARNs", json::array{provider_arn(cloud, project)}}}));
    return std::string(made.at("IdentityPoolId").as_string());
}

Result<> ensure_role(Root& root, const std::string& name, const std::string& pool,
                     const std::string& bucket) {
    auto role = iam::find(root.cloud.iam->directory()->roles, name);
    // One that may do nothing was made by a start that was killed here.
    if (role && (!role->identity.inline_policies.empty() || !role->identity.attached.empty())) return {};
    if (!role) {
        TRY(root.form("iam", {{"Action", "CreateRole"},
                              {"RoleName", name},
                              {"AssumeRolePolicyDocument", trust_policy(pool)}}));
    }
    TRY(root.form("iam", {{"Action", "PutRolePolicy"},
                          {"RoleName", name},
                          {"PolicyName", "TenantUserRoleDefaultPolicy"},
                          {"PolicyDocument", bucket_policy_of_role(bucket)}}));
    return {};
}

}  // namespace

Result<std::optional<std::size_t>> make_room(LocalCloud& cloud, std::span<const TenantPlan> plans) {
    auto directory = cloud.iam->directory();
    std::set<std::string> issuers;
    for (const auto& [arn, provider] : directory->providers)
        issuers.insert(provider->url);
    for (const auto& plan : plans)
        issuers.insert(issuer_of(plan.project));
    if (issuers.size() <= directory->providers_quota) return std::optional<std::size_t>();
    TRY(iam::raise_providers_quota(*cloud.iam, issuers.size()));
    return std::optional(issuers.size());
}

Result<TenantResources> provision_tenant(LocalCloud& cloud, const TenantPlan& plan) {
    Root root{cloud};
    const auto& project = plan.project;
    TRY(ensure_provider(root, project));
    TenantResources made;
    made.identity_pool = TRY(ensure_pool(cloud, root, project));
    made.bucket = project + "-tenant-bucket";
    TRY(s3::ensure_bucket(*cloud.s3, made.bucket));
    TRY(s3::ensure_setting(*cloud.s3, made.bucket, "cors", cors_of(plan)));
    TRY(s3::ensure_setting(*cloud.s3, made.bucket, "publicAccessBlock", public_access_block));
    auto role = project + "-TenantUserRole";
    TRY(ensure_role(root, role, made.identity_pool, made.bucket));
    made.role = iam::find(cloud.iam->directory()->roles, role)->identity.arn;
    auto pool = cloud.cognito->pools()->at(made.identity_pool);
    if (pool->roles.empty()) {
        TRY(root.cognito("SetIdentityPoolRoles", {{"IdentityPoolId", made.identity_pool},
                                                  {"Roles", {{"authenticated", made.role}}}}));
    }
    return made;
}

}  // namespace integreat::cloud
