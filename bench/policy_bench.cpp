// SPDX-License-Identifier: Apache-2.0
// The cost of a policy decision, which every request to S3 needs. The target is S3RequestOfATenant <= 2 us.
#include <benchmark/benchmark.h>

#include "policy/evaluation/request_attributes.h"
#include "policy/testing/policy_matchers.h"

namespace integreat::policy {
namespace {

constexpr std::string_view tenant_policy = R"(
    {"Action": "s3:ListBucket", "Effect": "Allow", "Resource": "arn:aws:s3:::campus-tenant-bucket"},
    {"Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], "Effect": "Allow",
     "Resource": "arn:aws:s3:::campus-tenant-bucket/*"})";

constexpr std::string_view bucket_policy = R"(
    {"Effect": "Deny", "Principal": "*", "Action": "s3:*",
     "Resource": ["arn:aws:s3:::campus-tenant-bucket", "arn:aws:s3:::campus-tenant-bucket/*"],
     "Condition": {"Bool": {"aws:SecureTransport": "false"},
                   "NotIpAddress": {"aws:SourceIp": ["127.0.0.0/8", "::1"]}}})";

constexpr std::string_view own_folder = R"({"Action": "s3:*", "Effect": "Allow",
    "Resource": "arn:aws:s3:::campus-tenant-bucket/${cognito-identity.amazonaws.com:sub}/*",
    "Condition": {"StringEquals": {"aws:PrincipalTag/school": "${aws:ResourceTag/school, 'north'}"},
                  "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "authenticated"}}})";

Caller session() {
    auto caller = role_session("arn:aws:iam::111122223333:role/campus-TenantUserRole",
                               "AROACAMPUSCAMPUSCAMPU", "CognitoIdentityCredentials");
    caller.tags = {{"school", "north"}};
    return caller;
}

RequestAttributes request_attributes() {
    RequestAttributes attributes{.now = from_unix_seconds(1'795'335'300),
                                 .secure_transport = true,
                                 .source_ip = "127.0.0.1",
                                 .user_agent = "aws-sdk-js/3.1164.0",
                                 .referer = "",
                                 .requested_region = "eu-central-1"};
    attributes.token_issued = from_unix_seconds(1'795'335'000);
    attributes.federated_provider = "cognito-identity.amazonaws.com";
    attributes.web_identity = WebIdentity{"cognito-identity.amazonaws.com",
                                          "eu-central-1:11111111-2222-3333-4444-555555555555",
                                          "eu-central-1:0b1c",
                                          {"authenticated", "securetoken.google.com/campus"}};
    return attributes;
}

Request get_object() {
    return {.caller = session(),
            .action = "s3:GetObject",
            .resource = "arn:aws:s3:::campus-tenant-bucket/eu-central-1:0b1c/photos/2026/summer.jpg",
            .resource_account = "111122223333",
            .context = make_context(session(), request_attributes())};
}

void measure(benchmark::State& state, const testing::PolicyTexts& layers) {
    auto made = testing::attach_policies(layers);
    auto request = get_object();
    for (auto _ : state) {
        auto decision = evaluate(request, made.policies());
        ASSERT(decision.allowed);
        benchmark::DoNotOptimize(decision);
    }
}

void S3RequestOfATenant(benchmark::State& state) {
    measure(state, {.identity = tenant_policy});
}
BENCHMARK(S3RequestOfATenant);

void S3RequestWithABucketPolicy(benchmark::State& state) {
    measure(state, {.identity = tenant_policy, .resource = bucket_policy});
}
BENCHMARK(S3RequestWithABucketPolicy);

void S3RequestWithVariablesAndTags(benchmark::State& state) {
    measure(state, {.identity = own_folder});
}
BENCHMARK(S3RequestWithVariablesAndTags);

void MakeTheContext(benchmark::State& state) {
    auto caller = session();
    auto attributes = request_attributes();
    for (auto _ : state)
        benchmark::DoNotOptimize(make_context(caller, attributes));
}
BENCHMARK(MakeTheContext);

void ParseTheTenantsPolicy(benchmark::State& state) {
    auto text = testing::document(tenant_policy);
    for (auto _ : state)
        benchmark::DoNotOptimize(parse_document(text, DocumentKind::identity));
}
BENCHMARK(ParseTheTenantsPolicy);

}  // namespace
}  // namespace integreat::policy
