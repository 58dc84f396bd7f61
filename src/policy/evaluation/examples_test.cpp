// SPDX-License-Identifier: Apache-2.0
// Complete policies: those of the tenant stacks and the examples of the IAM user guide.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/evaluation/evaluate.h"
#include "policy/evaluation/request_attributes.h"
#include "policy/testing/policy_matchers.h"

namespace integreat::policy {
namespace {

using testing::account;
using testing::attach_policies;

const Caller tenant_session = role_session("arn:aws:iam::111122223333:role/campus-TenantUserRole",
                                           "AROACAMPUSCAMPUSCAMPU", "CognitoIdentityCredentials");
const Caller campus_user = user("arn:aws:iam::111122223333:user/ann", "AIDAANNANNANNANNANNAN");

RequestAttributes at_noon() {
    return {
        .now = *parse_rfc3339("2026-11-22T12:00:00Z"), .secure_transport = true, .source_ip = "203.0.113.7"};
}

bool may(std::string_view statements, const Caller& caller, std::string_view action,
         std::string_view resource, const RequestAttributes& attributes,
         const std::vector<ContextKey>& more = {}) {
    auto made = attach_policies({.identity = statements});
    Request request{.caller = caller,
                    .action = std::string(action),
                    .resource = std::string(resource),
                    .resource_account = std::string(account),
                    .context = make_context(caller, attributes)};
    for (const auto& key : more)
        set(request.context, key.name, key.values);
    return evaluate(request, made.policies()).allowed;
}

constexpr std::string_view tenant_policy = R"(
    {"Action": "s3:ListBucket", "Effect": "Allow", "Resource": "arn:aws:s3:::campus-tenant-bucket"},
    {"Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], "Effect": "Allow",
     "Resource": "arn:aws:s3:::campus-tenant-bucket/*"})";

TEST(Examples, ATenantsRoleOpensItsBucketAndNothingElse) {
    auto attributes = at_noon();
    EXPECT_TRUE(
        may(tenant_policy, tenant_session, "s3:ListBucket", "arn:aws:s3:::campus-tenant-bucket", attributes));
    for (auto action : {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"}) {
        EXPECT_TRUE(
            may(tenant_policy, tenant_session, action, "arn:aws:s3:::campus-tenant-bucket/a/b", attributes));
        EXPECT_FALSE(
            may(tenant_policy, tenant_session, action, "arn:aws:s3:::campus-tenant-bucket", attributes));
        for (auto foreign : {"arn:aws:s3:::chess-tenant-bucket/a", "arn:aws:s3:::campus-tenant-bucket2/a",
                             "arn:aws:s3:::Campus-tenant-bucket/a", "arn:aws:s3:::*", "*"}) {
            EXPECT_FALSE(may(tenant_policy, tenant_session, action, foreign, attributes))
                << action << " " << foreign;
        }
    }
    for (auto action : {"s3:GetObjectVersion", "s3:PutObjectAcl", "s3:DeleteBucket", "s3:PutBucketPolicy",
                        "s3:ListAllMyBuckets", "s3:ListBucketVersions", "iam:GetRole", "sts:AssumeRole"}) {
        EXPECT_FALSE(
            may(tenant_policy, tenant_session, action, "arn:aws:s3:::campus-tenant-bucket", attributes))
            << action;
        EXPECT_FALSE(
            may(tenant_policy, tenant_session, action, "arn:aws:s3:::campus-tenant-bucket/a", attributes));
    }
}

// "Amazon S3: Allows Amazon Cognito users to access objects in their bucket"
TEST(Examples, CognitoUsersHaveTheirOwnFolder) {
    constexpr std::string_view policy = R"(
        {"Sid": "ListYourObjects", "Effect": "Allow", "Action": "s3:ListBucket",
         "Resource": ["arn:aws:s3:::bucket-name"],
         "Condition": {"StringLike": {
            "s3:prefix": ["cognito/application-name/${cognito-identity.amazonaws.com:sub}/*"]}}},
        {"Sid": "ReadWriteDeleteYourObjects", "Effect": "Allow",
         "Action": ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
         "Resource": [
            "arn:aws:s3:::bucket-name/cognito/application-name/${cognito-identity.amazonaws.com:sub}/*"]})";
    auto attributes = at_noon();
    attributes.web_identity =
        WebIdentity{"cognito-identity.amazonaws.com", "pool", "us-east-1:12345678-ab", {}};
    const std::string folder = "arn:aws:s3:::bucket-name/cognito/application-name/";
    EXPECT_TRUE(may(policy, tenant_session, "s3:GetObject", folder + "us-east-1:12345678-ab/x", attributes));
    EXPECT_FALSE(may(policy, tenant_session, "s3:GetObject", folder + "us-east-1:99999999-ab/x", attributes));
    auto list = [&](const char* prefix) {
        return may(policy, tenant_session, "s3:ListBucket", "arn:aws:s3:::bucket-name", attributes,
                   {{"s3:prefix", {prefix}}});
    };
    EXPECT_TRUE(list("cognito/application-name/us-east-1:12345678-ab/"));
    EXPECT_FALSE(list("cognito/application-name/"));
    EXPECT_FALSE(list(""));
    EXPECT_FALSE(may(policy, tenant_session, "s3:ListBucket", "arn:aws:s3:::bucket-name", attributes));
    attributes.web_identity.reset();
    EXPECT_FALSE(may(policy, tenant_session, "s3:GetObject", folder + "us-east-1:12345678-ab/x", attributes));
}

// "Amazon S3: Allows IAM users access to their S3 home directory"
TEST(Examples, UsersHaveAHomeDirectory) {
    constexpr std::string_view policy = R"(
        {"Effect": "Allow", "Action": ["s3:ListAllMyBuckets", "s3:GetBucketLocation"],
         "Resource": "arn:aws:s3:::*"},
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::bucket-name",
         "Condition": {"StringLike": {"s3:prefix": ["", "home/", "home/${aws:username}/*"]}}},
        {"Effect": "Allow", "Action": "s3:*",
         "Resource": ["arn:aws:s3:::bucket-name/home/${aws:username}",
                      "arn:aws:s3:::bucket-name/home/${aws:username}/*"]})";
    auto attributes = at_noon();
    EXPECT_TRUE(may(policy, campus_user, "s3:PutObject", "arn:aws:s3:::bucket-name/home/ann/x", attributes));
    EXPECT_FALSE(may(policy, campus_user, "s3:PutObject", "arn:aws:s3:::bucket-name/home/bob/x", attributes));
    EXPECT_TRUE(may(policy, campus_user, "s3:ListAllMyBuckets", "arn:aws:s3:::*", attributes));
    EXPECT_TRUE(may(policy, campus_user, "s3:ListBucket", "arn:aws:s3:::bucket-name", attributes,
                    {{"s3:prefix", {""}}}));
    // A session has no user name.
    EXPECT_FALSE(may(policy, tenant_session, "s3:PutObject", "arn:aws:s3:::bucket-name/home//x", attributes));
}

// "AWS: Allows MFA-authenticated IAM users to manage their own credentials": the last statement.
TEST(Examples, LimitsCallersWithoutMfa) {
    constexpr std::string_view policy = R"(
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Sid": "DenyAllExceptListedIfNoMFA", "Effect": "Deny",
         "NotAction": ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:GetUser",
                       "sts:GetSessionToken"],
         "Resource": "*", "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}})";
    auto attributes = at_noon();
    EXPECT_FALSE(may(policy, campus_user, "s3:GetObject", "arn:aws:s3:::b/k", attributes))
        << "absent, as with access keys";
    EXPECT_TRUE(may(policy, campus_user, "iam:GetUser", "arn:aws:iam::111122223333:user/ann", attributes));
    attributes.mfa_present = false;
    EXPECT_FALSE(may(policy, campus_user, "s3:GetObject", "arn:aws:s3:::b/k", attributes));
    attributes.mfa_present = true;
    EXPECT_TRUE(may(policy, campus_user, "s3:GetObject", "arn:aws:s3:::b/k", attributes));
}

// "AWS: Denies access to AWS based on the source IP", "… within specific dates", "… requested Region"
TEST(Examples, SourceTimeAndRegionOfARequest) {
    constexpr std::string_view policy = R"(
        {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {
            "DateGreaterThan": {"aws:CurrentTime": "2026-04-01T00:00:00Z"},
            "DateLessThan": {"aws:EpochTime": "1798761600"}}},
        {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {
            "NotIpAddress": {"aws:SourceIp": ["192.0.2.0/24", "203.0.113.0/24"]},
            "Bool": {"aws:ViaAWSService": "false"}}},
        {"Effect": "Deny", "NotAction": ["iam:*"], "Resource": "*", "Condition": {
            "StringNotEquals": {"aws:RequestedRegion": ["eu-central-1", "eu-west-1"]}}},
        {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {
            "Bool": {"aws:SecureTransport": "false"}}})";
    auto attributes = at_noon();
    attributes.requested_region = "eu-west-1";
    auto is_allowed = [&](const RequestAttributes& from) {
        return may(policy, campus_user, "s3:GetObject", "arn:aws:s3:::b/k", from);
    };
    EXPECT_TRUE(is_allowed(attributes));
    auto elsewhere = attributes;
    elsewhere.source_ip = "198.51.100.1";
    EXPECT_FALSE(is_allowed(elsewhere));
    auto early = attributes;
    early.now = *parse_rfc3339("2026-03-31T23:59:59Z");
    EXPECT_FALSE(is_allowed(early));
    auto late = attributes;
    late.now = *parse_rfc3339("2027-01-01T00:00:00Z");
    EXPECT_FALSE(is_allowed(late));
    auto abroad = attributes;
    abroad.requested_region = "us-east-1";
    EXPECT_FALSE(is_allowed(abroad));
    auto unknown = attributes;
    unknown.requested_region = "";
    EXPECT_FALSE(is_allowed(unknown)) << "StringNotEquals denies where the key is absent";
    auto plain = attributes;
    plain.secure_transport = false;
    EXPECT_FALSE(is_allowed(plain));
}

// "IAM tutorial: Define permissions to access AWS resources based on tags"
TEST(Examples, TagsOfTheCallerMustBeThoseOfTheResource) {
    constexpr std::string_view policy = R"(
        {"Effect": "Allow", "Action": "secretsmanager:*", "Resource": "*", "Condition": {
            "StringEquals": {"aws:ResourceTag/access-project": "${aws:PrincipalTag/access-project}",
                             "aws:RequestTag/team": "${aws:PrincipalTag/team, 'none'}"},
            "ForAllValues:StringEquals": {"aws:TagKeys": ["team", "name"]},
            "Null": {"aws:TagKeys": "false"}}})";
    auto caller = tenant_session;
    caller.tags = {{"access-project", "peg"}};
    auto attributes = at_noon();
    attributes.resource_tags = {{"Access-Project", "peg"}};
    attributes.request_tags = {{"team", "none"}, {"name", "x"}};
    const std::string secret = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:s";
    auto is_allowed = [&](const RequestAttributes& from) {
        return may(policy, caller, "secretsmanager:TagResource", secret, from);
    };
    EXPECT_TRUE(is_allowed(attributes));
    auto foreign = attributes;
    foreign.resource_tags = {{"access-project", "uni"}};
    EXPECT_FALSE(is_allowed(foreign));
    auto more = attributes;
    more.request_tags["cost"] = "1";
    EXPECT_FALSE(is_allowed(more));
    auto none = attributes;
    none.request_tags.clear();
    EXPECT_FALSE(is_allowed(none));
    auto twice = attributes;
    twice.resource_tags = {{"access-project", "peg"}, {"ACCESS-PROJECT", "uni"}};
    EXPECT_FALSE(is_allowed(twice)) << "tags that differ in case only are one key with two values";
    caller.tags.clear();
    EXPECT_FALSE(is_allowed(attributes)) << "a variable without a value equals nothing";
}

TEST(Examples, OldPoliciesHaveNoVariables) {
    auto policy = testing::make_policy("old", R"({"Version": "2008-10-17", "Statement": {"Effect": "Allow",
        "Action": "s3:*", "Resource": "arn:aws:s3:::b/${aws:username}"}})",
                                       DocumentKind::identity);
    std::vector<AttachedPolicy> attached{policy};
    Request request{.caller = campus_user,
                    .action = "s3:GetObject",
                    .resource = "arn:aws:s3:::b/ann",
                    .resource_account = std::string(account),
                    .context = make_context(campus_user, at_noon())};
    EXPECT_FALSE(evaluate(request, {.identity = attached}).allowed);
    request.resource = "arn:aws:s3:::b/${aws:username}";
    EXPECT_TRUE(evaluate(request, {.identity = attached}).allowed);
}

}  // namespace
}  // namespace integreat::policy
