// SPDX-License-Identifier: Apache-2.0
#include "policy/evaluation/explain.h"

#include <gtest/gtest.h>

#include "policy/testing/policy_matchers.h"

namespace integreat::policy {
namespace {

using testing::attach_policies;
using testing::PolicyTexts;

const Caller ann = user("arn:aws:iam::111122223333:user/ann", "AIDAANN");

struct Explained {
    std::string sentence;
    std::string aws;
};

Explained explained(const PolicyTexts& texts, Request request, bool is_trust = false) {
    auto attached = attach_policies(texts);
    auto policies = attached.policies();
    auto decision = is_trust ? evaluate_trust(request, policies) : evaluate(request, policies);
    return {explain(request, policies, decision),
            decision.allowed ? "" : access_denied_message(request, decision)};
}

Request put(const Caller& caller = ann, std::string_view owner = "111122223333") {
    return {.caller = caller,
            .action = "s3:PutObject",
            .resource = "arn:aws:s3:::b/k",
            .resource_account = std::string(owner),
            .context = {}};
}

TEST(Explain, NamesTheDeterminingStatement) {
    auto allowed = explained(
        {.identity = R"({"Sid": "Write", "Effect": "Allow", "Action": "s3:*", "Resource": "*"})"}, put());
    EXPECT_EQ(allowed.sentence, R"(Allowed: statement "Write" of the identity-based policy "Role" allows )"
                                "s3:PutObject on arn:aws:s3:::b/k.");
    auto denied = explained(
        {.resource = R"({"Effect": "Deny", "Principal": "*", "Action": "s3:Put*", "Resource": "*"})"}, put());
    EXPECT_EQ(denied.sentence,
              R"(Denied: statement 1 of the resource-based policy "Bucket" denies s3:PutObject on )"
              "arn:aws:s3:::b/k to arn:aws:iam::111122223333:user/ann. A Deny wins over every Allow.");
    EXPECT_EQ(denied.aws,
              "User: arn:aws:iam::111122223333:user/ann is not authorized to perform: s3:PutObject on "
              R"(resource: "arn:aws:s3:::b/k" with an explicit deny in a resource-based policy)");
    EXPECT_EQ(
        explained({}, put(root("111122223333"))).sentence,
        "Allowed: the root user of account 111122223333 may do everything in it that no policy denies.");
}

TEST(Explain, NamesThePolicyTypesThatDoNotAllow) {
    auto nothing = explained({}, put());
    EXPECT_EQ(nothing.sentence,
              "Denied: no identity-based policy of arn:aws:iam::111122223333:user/ann allows "
              "s3:PutObject on arn:aws:s3:::b/k.");
    EXPECT_EQ(
        nothing.aws,
        "User: arn:aws:iam::111122223333:user/ann is not authorized to perform: s3:PutObject on "
        R"(resource: "arn:aws:s3:::b/k" because no identity-based policy allows the s3:PutObject action)");
    EXPECT_EQ(explained({}, put(ann, "444455556666")).sentence,
              "Denied: no identity-based policy of arn:aws:iam::111122223333:user/ann allows s3:PutObject on "
              "arn:aws:s3:::b/k, and no resource-based policy allows it. The caller belongs to account "
              "111122223333 and the resource to another one: the policies of both sides must allow it.");
    EXPECT_EQ(explained({}, put({})).aws,
              R"(User: anonymous is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::b/k" )"
              "because no resource-based policy allows the s3:PutObject action");
}

TEST(Explain, NamesTheMismatch) {
    auto request = put();
    set(request.context, "aws:PrincipalTag/team", std::string("blue"));
    auto close = explained({.identity = R"(
        {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"},
        {"Effect": "Allow", "Action": "s3:Put*", "Resource": "*", "Condition":
            {"StringEquals": {"aws:PrincipalTag/team": ["red", "green"]}}},
        {"Sid": "Mfa", "Effect": "Allow", "Action": "s3:Put*", "Resource": "*", "Condition":
            {"Bool": {"aws:MultiFactorAuthPresent": true}}})"},
                           request);
    EXPECT_EQ(
        close.sentence,
        "Denied: no identity-based policy of arn:aws:iam::111122223333:user/ann allows s3:PutObject on "
        "arn:aws:s3:::b/k. Statement 2 of the identity-based policy \"Role\" would allow it, but its "
        "condition StringEquals on aws:PrincipalTag/team requires \"red\", \"green\", and the request has "
        "\"blue\". Statement \"Mfa\" of the identity-based policy \"Role\" would allow it, but its "
        "condition Bool on aws:MultiFactorAuthPresent requires \"true\", and the request has no such key.");
    auto elsewhere = explained(
        {.identity = R"({"Effect": "Allow", "Action": "s3:Put*", "Resource": ["arn:aws:s3:::c/*"]})"}, put());
    EXPECT_TRUE(
        elsewhere.sentence.ends_with("Statement 1 of the identity-based policy \"Role\" allows this "
                                     "action, but only on \"arn:aws:s3:::c/*\"."))
        << elsewhere.sentence;
    auto others = explained({.resource = R"({"Effect": "Allow", "Principal": {"AWS": "444455556666"},
        "Action": "s3:*", "Resource": "*"})"},
                            put({}));
    EXPECT_TRUE(
        others.sentence.ends_with("Statement 1 of the resource-based policy \"Bucket\" would allow "
                                  "it, but its Principal does not include an anonymous caller."))
        << others.sentence;
}

TEST(Explain, ShowsAtMostThreeStatementsAndFiveValues) {
    std::string statements;
    for (int i = 0; i < 5; ++i) {
        statements += std::string(i ? "," : "") + R"({"Effect": "Allow", "Action": "*", "Resource": "*",
            "Condition": {"StringEquals": {"a:b": ["1", "2", "3", "4", "5", "6"]}}})";
    }
    auto sentence = explained({.identity = statements}, put()).sentence;
    std::size_t count = 0;
    for (auto at = sentence.find("would allow"); at != std::string::npos; at = sentence.find("would", at + 1))
        ++count;
    EXPECT_EQ(count, 3u);
    EXPECT_NE(sentence.find("\"4\", \"5\", …, and"), std::string::npos) << sentence;
}

TEST(Explain, ExplainsSeveralValuesAndNull) {
    auto condition_of = [](std::string_view text) {
        auto policies =
            testing::make_policy("x", testing::document(R"({"Effect": "Allow", "Action": "*", "Resource": "*",
            "Condition": )" + std::string(text) + "}"),
                                 DocumentKind::identity);
        return policies.document->statements[0].conditions[0];
    };
    Context context;
    set(context, "a:b", std::vector<std::string>{"x", "y"});
    EXPECT_EQ(explain(condition_of(R"({"StringEquals": {"a:b": "x"}})"), context),
              "StringEquals on a:b requires \"x\", and the request has \"x\", \"y\" (several values require "
              "ForAnyValue: or ForAllValues:)");
    EXPECT_EQ(explain(condition_of(R"({"StringNotLike": {"a:b": "x*"}})"), context),
              "StringNotLike on a:b requires none of \"x*\", and the request has \"x\", \"y\"");
    EXPECT_EQ(explain(condition_of(R"({"Null": {"a:b": true}})"), context),
              "Null on a:b requires it to be absent, and the request has \"x\", \"y\"");
    EXPECT_EQ(explain(condition_of(R"({"Null": {"a:c": "false"}})"), context),
              "Null on a:c requires it to be present, and the request has no such key");
}

TEST(Explain, UsesTheMessagesOfSts) {
    Request request{.caller = ann,
                    .action = "sts:AssumeRole",
                    .resource = "arn:aws:iam::111122223333:role/r",
                    .resource_account = "",
                    .context = {}};
    constexpr std::string_view may = R"({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"})";
    constexpr std::string_view trust =
        R"({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "444455556666"}})";
    auto user = explained({.identity = may, .trust = trust}, request, true);
    EXPECT_EQ(user.aws,
              "User: arn:aws:iam::111122223333:user/ann is not authorized to perform: sts:AssumeRole "
              "on resource: arn:aws:iam::111122223333:role/r");
    EXPECT_EQ(user.sentence,
              "Denied: no trust policy allows sts:AssumeRole on arn:aws:iam::111122223333:role/r. Statement "
              "1 of the trust policy \"Trust\" would allow it, but its Principal does not include "
              "arn:aws:iam::111122223333:user/ann.");
    request.caller = web_identity("cognito-identity.amazonaws.com");
    request.action = "sts:AssumeRoleWithWebIdentity";
    EXPECT_EQ(explained({.trust = trust}, request, true).aws,
              "Not authorized to perform sts:AssumeRoleWithWebIdentity");
    request.caller = ann;
    constexpr std::string_view deny = R"({"Effect": "Deny", "Action": "sts:*", "Principal": "*"})";
    EXPECT_EQ(explained({.identity = may, .trust = deny}, request, true).aws,
              "User: arn:aws:iam::111122223333:user/ann is not authorized to perform: "
              "sts:AssumeRoleWithWebIdentity on resource: arn:aws:iam::111122223333:role/r with an explicit "
              "deny in the role trust policy");
}

}  // namespace
}  // namespace integreat::policy
