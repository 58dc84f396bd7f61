// SPDX-License-Identifier: Apache-2.0
#include "policy/evaluation/simulate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/testing/policy_matchers.h"

namespace integreat::policy {
namespace {

using testing::attach_policies;
using ::testing::ElementsAre;
using ::testing::SizeIs;

Request make_request() {
    return {.caller = user("arn:aws:iam::111122223333:user/ann", "AIDAANN"),
            .action = "",
            .resource = "",
            .resource_account = "111122223333",
            .context = {}};
}

TEST(Simulate, EvaluatesEveryActionOnEveryResource) {
    auto policies = attach_policies({.identity = R"(
        {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::a/*"},
        {"Sid": "Keep", "Effect": "Deny", "Action": "s3:Delete*", "Resource": "*"})"});
    auto results = simulate(make_request(), policies.policies(),
                            std::vector<std::string>{"s3:GetObject", "s3:DeleteObject"},
                            std::vector<std::string>{"arn:aws:s3:::a/x", "arn:aws:s3:::b/x"});
    ASSERT_TRUE(results);
    std::vector<std::string> lines;
    for (const auto& result : *results) {
        lines.push_back(result.action + " " + result.resource + " " +
                        std::string(eval_decision_name(result.decision.reason)) + " " +
                        std::to_string(result.matched.size()));
    }
    EXPECT_THAT(lines, ElementsAre("s3:GetObject arn:aws:s3:::a/x allowed 1",
                                   "s3:GetObject arn:aws:s3:::b/x implicitDeny 0",
                                   "s3:DeleteObject arn:aws:s3:::a/x explicitDeny 2",
                                   "s3:DeleteObject arn:aws:s3:::b/x explicitDeny 1"));
    EXPECT_EQ((*results)[2].matched[1].statement->sid, "Keep");
    EXPECT_EQ((*results)[2].matched[1].policy->name, "Role");
}

TEST(Simulate, UsesAnyResourceByDefault) {
    auto policies = attach_policies(
        {.identity = R"({"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"})"});
    auto results =
        simulate(make_request(), policies.policies(), std::vector<std::string>{"s3:ListAllMyBuckets"}, {});
    ASSERT_TRUE(results);
    ASSERT_THAT(*results, SizeIs(1));
    EXPECT_EQ((*results)[0].resource, "*");
    EXPECT_TRUE((*results)[0].decision.allowed);
}

TEST(Simulate, ListsTheContextKeysOfPolicies) {
    auto policies = attach_policies({.identity = R"({"Effect": "Allow", "Action": "s3:*",
            "Resource": "arn:aws:s3:::a/${aws:username}/${aws:PrincipalTag/Team, 'x'}",
            "Condition": {"StringLike": {"s3:prefix": "${aws:userid}"},
                          "Bool": {"aws:SecureTransport": true}}})",
                                     .boundary = R"({"Effect": "Allow", "Action": "*", "Resource": "*",
            "Condition": {"ArnLike": {
                "AWS:securetransport": "arn:aws:iam::${aws:PrincipalAccount}:role/*"}}})"});
    EXPECT_THAT(context_keys(policies.policies()),
                ElementsAre("aws:username", "aws:principaltag/team", "s3:prefix", "aws:userid",
                            "aws:SecureTransport", "aws:principalaccount"));
    auto request = make_request();
    set(request.context, "aws:username", std::string("ann"));
    set(request.context, "aws:securetransport", std::string("true"));
    set(request.context, "aws:userid", std::string("AIDA"));
    auto results = simulate(request, policies.policies(), std::vector<std::string>{"s3:GetObject"}, {});
    ASSERT_TRUE(results);
    EXPECT_THAT((*results)[0].missing_keys,
                ElementsAre("aws:principaltag/team", "s3:prefix", "aws:principalaccount"));
}

TEST(Simulate, LimitsTheNumberOfSimulations) {
    auto policies = attach_policies({});
    std::vector<std::string> actions(100, "s3:GetObject"), resources(100, "*");
    auto results = simulate(make_request(), policies.policies(), actions, resources);
    ASSERT_TRUE(results);
    EXPECT_THAT(*results, SizeIs(simulations_max));
    actions.emplace_back("s3:PutObject");
    auto rejected = simulate(make_request(), policies.policies(), actions, resources);
    ASSERT_FALSE(rejected);
    EXPECT_EQ(rejected.error().message, "actions times resources must be at most 10000");
}

}  // namespace
}  // namespace integreat::policy
