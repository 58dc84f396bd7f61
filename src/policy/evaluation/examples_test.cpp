// SPDX-License-Identifier: Apache-2.0
// Policies that people use, whole: of the tenant stacks and of the examples of the IAM user guide.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/evaluation/evaluate.h"
#include "policy/evaluation/request_attributes.h"
#include "policy/testing/policy_matchers.h"

namespace integreat::policy {
namespace {

using testing::applied;

constexpr std::string_view account = "111122223333";
const Caller session = role_session("arn:aws:iam::111122223333:role/campus-TenantUserRole",
                                    "AROACAMPUSCAMPUSCAMPU", "CognitoIdentityCredentials");
const Caller ann = user("arn:aws:iam::111122223333:user/ann", "AIDAANNANNANNANNANNAN");

Facts at_noon() {
    return {
        .now = *parse_rfc3339("2026-11-22T12:00:00Z"), .secure_transport = true, .source_ip = "203.0.113.7"};
}

bool may(std::string_view statements, const Caller& caller, std::string_view action,
         std::string_view resource, const Facts& facts, const std::vector<ContextKey>& more = {}) {
    auto made = applied({.identity = statements});
    Request request{.caller = caller,
                    .action = std::string(action),
                    .resource = std::string(resource),
                    .resource_account = std::string(account),
                    .context = context_of(caller, facts)};
    for (const auto& key : more)
        set(request.context, key.name, key.values);
    return evaluate(request, made.policies()).allowed;
}

constexpr std::string_view tenant_policy = R"(
    {"Action": "s3:ListBucket", "Effect": "Allow", "Resource": "arn:aws:s3:::campus-tenant-bucket"},
    {"Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], "Effect": "Allow",
     "Resource": "arn:aws:s3:::campus-tenant-bucket/*"})";

TEST(Examples, ATenantsRoleOpensItsBucketAndNothingElse) {
    auto facts = at_noon();
    EXPECT_TRUE(may(tenant_policy, session, "s3:ListBucket", "arn:aws:s3:::campus-tenant-bucket", facts));
    for (auto action : {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"}) {
        EXPECT_TRUE(may(tenant_policy, session, action, "arn:aws:s3:::campus-tenant-bucket/a/b", facts));
        EXPECT_FALSE(may(tenant_policy, session, action, "arn:aws:s3:::campus-tenant-bucket", facts));
        for (auto foreign : {"arn:aws:s3:::chess-tenant-bucket/a", "arn:aws:s3:::campus-tenant-bucket2/a",
                             "arn:aws:s3:::Campus-tenant-bucket/a", "arn:aws:s3:::*", "*"}) {
            EXPECT_FALSE(may(tenant_policy, session, action, foreign, facts)) << action << " " << foreign;
        }
    }
    for (auto action : {"s3:GetObjectVersion", "s3:PutObjectAcl", "s3:DeleteBucket", "s3:PutBucketPolicy",
                        "s3:ListAllMyBuckets", "s3:ListBucketVersions", "iam:GetRole", "sts:AssumeRole"}) {
        EXPECT_FALSE(may(tenant_policy, session, action, "arn:aws:s3:::campus-tenant-bucket", facts))
            << action;
        EXPECT_FALSE(may(tenant_policy, session, action, "arn:aws:s3:::campus-tenant-bucket/a", facts));
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
    auto facts = at_noon();
    facts.web_identity = WebIdentity{"cognito-identity.amazonaws.com", "pool", "us-east-1:12345678-ab", {}};
    const std::string folder = "arn:aws:s3:::bucket-name/cognito/application-name/";
    EXPECT_TRUE(may(policy, session, "s3:GetObject", folder + "us-east-1:12345678-ab/x", facts));
    EXPECT_FALSE(may(policy, session, "s3:GetObject", folder + "us-east-1:99999999-ab/x", facts));
    auto list = [&](const char* prefix) {
        return may(policy, session, "s3:ListBucket", "arn:aws:s3:::bucket-name", facts,
                   {{"s3:prefix", {prefix}}});
    };
    EXPECT_TRUE(list("cognito/application-name/us-east-1:12345678-ab/"));
    EXPECT_FALSE(list("cognito/application-name/"));
    EXPECT_FALSE(list(""));
    EXPECT_FALSE(may(policy, session, "s3:ListBucket", "arn:aws:s3:::bucket-name", facts));
    facts.web_identity.reset();
    EXPECT_FALSE(may(policy, session, "s3:GetObject", folder + "us-east-1:12345678-ab/x", facts));
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
    auto facts = at_noon();
    EXPECT_TRUE(may(policy, ann, "s3:PutObject", "arn:aws:s3:::bucket-name/home/ann/x", facts));
    EXPECT_FALSE(may(policy, ann, "s3:PutObject", "arn:aws:s3:::bucket-name/home/bob/x", facts));
    EXPECT_TRUE(may(policy, ann, "s3:ListAllMyBuckets", "arn:aws:s3:::*", facts));
    EXPECT_TRUE(may(policy, ann, "s3:ListBucket", "arn:aws:s3:::bucket-name", facts, {{"s3:prefix", {""}}}));
    // The name of a session's user is not known.
    EXPECT_FALSE(may(policy, session, "s3:PutObject", "arn:aws:s3:::bucket-name/home//x", facts));
}

// "AWS: Allows MFA-authenticated IAM users to manage their own credentials": the last statement.
TEST(Examples, WithoutMfaOnlyALittleIsLeft) {
    constexpr std::string_view policy = R"(
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Sid": "DenyAllExceptListedIfNoMFA", "Effect": "Deny",
         "NotAction": ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:GetUser",
                       "sts:GetSessionToken"],
         "Resource": "*", "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}})";
    auto facts = at_noon();
    EXPECT_FALSE(may(policy, ann, "s3:GetObject", "arn:aws:s3:::b/k", facts))
        << "absent, as with access keys";
    EXPECT_TRUE(may(policy, ann, "iam:GetUser", "arn:aws:iam::111122223333:user/ann", facts));
    facts.mfa_present = false;
    EXPECT_FALSE(may(policy, ann, "s3:GetObject", "arn:aws:s3:::b/k", facts));
    facts.mfa_present = true;
    EXPECT_TRUE(may(policy, ann, "s3:GetObject", "arn:aws:s3:::b/k", facts));
}

// "AWS: Denies access to AWS based on the source IP", "… within specific dates", "… requested Region"
TEST(Examples, PlaceTimeAndRegionOfARequest) {
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
    auto facts = at_noon();
    facts.requested_region = "eu-west-1";
    auto asked = [&](const Facts& from) {
        return may(policy, ann, "s3:GetObject", "arn:aws:s3:::b/k", from);
    };
    EXPECT_TRUE(asked(facts));
    auto elsewhere = facts;
    elsewhere.source_ip = "198.51.100.1";
    EXPECT_FALSE(asked(elsewhere));
    auto early = facts;
    early.now = *parse_rfc3339("2026-03-31T23:59:59Z");
    EXPECT_FALSE(asked(early));
    auto late = facts;
    late.now = *parse_rfc3339("2027-01-01T00:00:00Z");
    EXPECT_FALSE(asked(late));
    auto abroad = facts;
    abroad.requested_region = "us-east-1";
    EXPECT_FALSE(asked(abroad));
    auto unknown = facts;
    unknown.requested_region = "";
    EXPECT_FALSE(asked(unknown)) << "StringNotEquals denies where the key is absent";
    auto plain = facts;
    plain.secure_transport = false;
    EXPECT_FALSE(asked(plain));
}

// "IAM tutorial: Define permissions to access AWS resources based on tags"
TEST(Examples, TagsOfTheCallerMustBeThoseOfTheResource) {
    constexpr std::string_view policy = R"(
        {"Effect": "Allow", "Action": "secretsmanager:*", "Resource": "*", "Condition": {
            "StringEquals": {"aws:ResourceTag/access-project": "${aws:PrincipalTag/access-project}",
                             "aws:RequestTag/team": "${aws:PrincipalTag/team, 'none'}"},
            "ForAllValues:StringEquals": {"aws:TagKeys": ["team", "name"]},
            "Null": {"aws:TagKeys": "false"}}})";
    auto caller = session;
    caller.tags = {{"access-project", "peg"}};
    auto facts = at_noon();
    facts.resource_tags = {{"Access-Project", "peg"}};
    facts.request_tags = {{"team", "none"}, {"name", "x"}};
    const std::string secret = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:s";
    auto asked = [&](const Facts& from) {
        return may(policy, caller, "secretsmanager:TagResource", secret, from);
    };
    EXPECT_TRUE(asked(facts));
    auto foreign = facts;
    foreign.resource_tags = {{"access-project", "uni"}};
    EXPECT_FALSE(asked(foreign));
    auto more = facts;
    more.request_tags["cost"] = "1";
    EXPECT_FALSE(asked(more));
    auto none = facts;
    none.request_tags.clear();
    EXPECT_FALSE(asked(none));
    auto twice = facts;
    twice.resource_tags = {{"access-project", "peg"}, {"ACCESS-PROJECT", "uni"}};
    EXPECT_FALSE(asked(twice)) << "tags that differ in case only are one key with two values";
    caller.tags.clear();
    EXPECT_FALSE(asked(facts)) << "a variable without a value equals nothing";
}

TEST(Examples, OldPoliciesTakeVariablesLiterally) {
    auto policy = testing::attached("old", R"({"Version": "2008-10-17", "Statement": {"Effect": "Allow",
        "Action": "s3:*", "Resource": "arn:aws:s3:::b/${aws:username}"}})",
                                    DocumentKind::identity);
    std::vector<Attached> attached{policy};
    Request request{.caller = ann,
                    .action = "s3:GetObject",
                    .resource = "arn:aws:s3:::b/ann",
                    .resource_account = std::string(account),
                    .context = context_of(ann, at_noon())};
    EXPECT_FALSE(evaluate(request, {.identity = attached}).allowed);
    request.resource = "arn:aws:s3:::b/${aws:username}";
    EXPECT_TRUE(evaluate(request, {.identity = attached}).allowed);
}

}  // namespace
}  // namespace integreat::policy
