// SPDX-License-Identifier: Apache-2.0
// The rules and examples of "Policy evaluation logic" and its neighbours in the IAM user guide.
#include "policy/evaluation/evaluate.h"

#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/testing/policy_matchers.h"

namespace integreat::policy {
namespace {

using testing::account;
using testing::attach_policies;
using ::testing::ElementsAre;
using testing::ExpectedDecision;
using ::testing::IsEmpty;
using testing::PolicyTexts;
using testing::user_ann;
using testing::writer_session;

constexpr std::string_view other_account = "444455556666";
const Caller federated = federated_user("arn:aws:iam::111122223333:user/staff/ann", "guest");

Request get_object(const Caller& caller, std::string_view owner = account) {
    return {.caller = caller,
            .action = "s3:GetObject",
            .resource = "arn:aws:s3:::bucket/key",
            .resource_account = std::string(owner),
            .context = {}};
}

constexpr std::string_view may_get = R"({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"})";
constexpr std::string_view may_put = R"({"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"})";
constexpr std::string_view no_get =
    R"({"Sid": "NoGet", "Effect": "Deny", "Action": "s3:Get*", "Resource": "*"})";

std::string to(std::string_view principal, std::string_view effect = "Allow") {
    return R"({"Effect": ")" + std::string(effect) + R"(", "Action": "s3:GetObject", "Resource": )" +
           R"("arn:aws:s3:::bucket/*", "Principal": )" + std::string(principal) + "}";
}

const std::string to_account = to(R"({"AWS": "111122223333"})");
const std::string to_root = to(R"({"AWS": "arn:aws:iam::111122223333:root"})");
const std::string to_user = to(R"({"AWS": "arn:aws:iam::111122223333:user/staff/ann"})");
const std::string to_role = to(R"({"AWS": "arn:aws:iam::111122223333:role/app/writer"})");
const std::string to_session = to(R"({"AWS": "arn:aws:sts::111122223333:assumed-role/writer/s1"})");
const std::string to_guest = to(R"({"AWS": "arn:aws:sts::111122223333:federated-user/guest"})");
const std::string to_everyone = to(R"("*")");

void expect_decisions(const std::vector<ExpectedDecision>& rows, std::string_view owner) {
    for (const auto& row : rows) {
        auto policies = attach_policies(row.texts);
        auto decision = evaluate(get_object(row.caller, owner), policies.policies());
        EXPECT_EQ(decision.reason, row.reason) << row.about;
        EXPECT_EQ(decision.allowed, row.reason == Reason::allowed) << row.about;
        EXPECT_EQ(decision.missing, row.missing) << row.about;
        EXPECT_EQ(decision.determining_statement.has_value(), row.reason != Reason::implicit_deny)
            << row.about;
    }
}

constexpr auto allowed = Reason::allowed;
constexpr auto denied = Reason::implicit_deny;
constexpr auto explicitly_denied = Reason::explicit_deny;

TEST(Evaluate, WithinOneAccountIdentityOrResourceMayAllow) {
    expect_decisions(
        {{"no policy: denied", user_ann, {}, denied, {PolicyType::identity}},
         {"an identity policy is enough", user_ann, {.identity = may_get}, allowed},
         {"another action is not", user_ann, {.identity = may_put}, denied, {PolicyType::identity}},
         {"the resource's policy is enough", user_ann, {.resource = to_user}, allowed},
         {"also for the role of a session", writer_session, {.resource = to_role}, allowed},
         {"and for the session", writer_session, {.resource = to_session}, allowed},
         {"and for everyone", user_ann, {.resource = to_everyone}, allowed},
         {"an account's name delegates to its policies",
          user_ann,
          {.resource = to_account},
          denied,
          {PolicyType::identity}},
         {"in either form", writer_session, {.resource = to_root}, denied, {PolicyType::identity}},
         {"which may allow", user_ann, {.identity = may_get, .resource = to_root}, allowed},
         {"the name of another principal does not help",
          writer_session,
          {.resource = to_user},
          denied,
          {PolicyType::identity}},
         {"nor does a Deny for others",
          user_ann,
          {.identity = may_get, .resource = to(R"({"AWS": "444455556666"})", "Deny")},
          allowed}},
        account);
}

TEST(Evaluate, AnyDenyWins) {
    auto deny_account = to(R"({"AWS": "111122223333"})", "Deny");
    expect_decisions(
        {{"identity", user_ann, {.identity = no_get, .resource = to_user}, explicitly_denied},
         {"resource", user_ann, {.identity = may_get, .resource = deny_account}, explicitly_denied},
         {"session", writer_session, {.identity = may_get, .session = no_get}, explicitly_denied},
         {"boundary",
          user_ann,
          {.identity = may_get, .resource = to_user, .boundary = no_get},
          explicitly_denied},
         {"even against everyone's Allow",
          user_ann,
          {.identity = no_get, .resource = to_everyone},
          explicitly_denied}},
        account);
    auto policies = attach_policies({.identity = may_get, .resource = to_user, .boundary = no_get});
    auto decision = evaluate(get_object(user_ann), policies.policies());
    ASSERT_TRUE(decision.determining_statement);
    EXPECT_EQ(decision.determining_statement->policy_type, PolicyType::boundary);
    EXPECT_EQ(decision.determining_statement->policy->name, "Boundary");
    EXPECT_EQ(decision.determining_statement->statement->sid, "NoGet");
}

TEST(Evaluate, BoundariesAndSessionPoliciesIntersect) {
    expect_decisions(
        {{"boundary allows too", user_ann, {.identity = may_get, .boundary = may_get}, allowed},
         {"boundary does not",
          user_ann,
          {.identity = may_get, .boundary = may_put},
          denied,
          {PolicyType::boundary}},
         {"a boundary grants nothing", user_ann, {.boundary = may_get}, denied, {PolicyType::identity}},
         {"session allows too", writer_session, {.identity = may_get, .session = may_get}, allowed},
         {"session does not",
          writer_session,
          {.identity = may_get, .session = may_put},
          denied,
          {PolicyType::session}},
         {"a session policy grants nothing",
          writer_session,
          {.session = may_get},
          denied,
          {PolicyType::identity}},
         {"all three must",
          writer_session,
          {.identity = may_put, .session = may_put, .boundary = may_put},
          denied,
          {PolicyType::identity, PolicyType::boundary, PolicyType::session}},
         {"a federated user has what session policies allow",
          federated,
          {.identity = may_get},
          denied,
          {PolicyType::session}},
         {"of what its user has", federated, {.identity = may_get, .session = may_get}, allowed}},
        account);
}

// The table "Resource-based policies and implicit denies in other policy types (same account)".
TEST(Evaluate, ThePrincipalDeterminesTheLimits) {
    expect_decisions(
        {{"a user is not limited", user_ann, {.resource = to_user, .boundary = may_put}, allowed},
         {"a role is, by its boundary",
          writer_session,
          {.resource = to_role, .boundary = may_put},
          denied,
          {PolicyType::boundary}},
         {"and by session policies",
          writer_session,
          {.resource = to_role, .session = may_put},
          denied,
          {PolicyType::session}},
         {"which may allow",
          writer_session,
          {.resource = to_role, .session = may_get, .boundary = may_get},
          allowed},
         {"a session is not limited",
          writer_session,
          {.resource = to_session, .session = may_put, .boundary = may_put},
          allowed},
         {"nor a federated user", federated, {.resource = to_guest, .session = may_put}, allowed},
         {"unless it is its user that is named",
          federated,
          {.resource = to_user, .session = may_put},
          denied,
          {PolicyType::session}},
         {"everyone is not limited",
          writer_session,
          {.resource = to_everyone, .boundary = may_put},
          allowed}},
        account);
}

TEST(Evaluate, AcrossAccountsBothSidesMustAllow) {
    expect_decisions(
        {{"neither", user_ann, {}, denied, {PolicyType::identity, PolicyType::resource}},
         {"identity only", user_ann, {.identity = may_get}, denied, {PolicyType::resource}},
         {"resource only", user_ann, {.resource = to_user}, denied, {PolicyType::identity}},
         {"everyone", user_ann, {.resource = to_everyone}, denied, {PolicyType::identity}},
         {"the session itself", writer_session, {.resource = to_session}, denied, {PolicyType::identity}},
         {"both", user_ann, {.identity = may_get, .resource = to_user}, allowed},
         {"both, by account", user_ann, {.identity = may_get, .resource = to_root}, allowed},
         {"both, but the boundary",
          user_ann,
          {.identity = may_get, .resource = to_user, .boundary = may_put},
          denied,
          {PolicyType::boundary}},
         {"both, but the session",
          writer_session,
          {.identity = may_get, .resource = to_session, .session = may_put},
          denied,
          {PolicyType::session}},
         {"a Deny", user_ann, {.identity = no_get, .resource = to_user}, explicitly_denied},
         {"the root user needs no policy of its own", root(account), {.resource = to_root}, allowed},
         {"but the other account's", root(account), {.identity = may_get}, denied, {PolicyType::resource}}},
        other_account);
}

TEST(Evaluate, TheRootUserMayDoWhatNothingDenies) {
    auto policies = attach_policies({});
    auto decision = evaluate(get_object(root(account)), policies.policies());
    EXPECT_TRUE(decision.allowed);
    EXPECT_FALSE(decision.determining_statement);
    auto denying = attach_policies(
        {.resource = R"({"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"})"});
    EXPECT_EQ(evaluate(get_object(root(account)), denying.policies()).reason, explicitly_denied);
}

TEST(Evaluate, CallersWithoutAccountNeedAResourcePolicy) {
    auto lambda = service("lambda.amazonaws.com");
    auto to_lambda = to(R"({"Service": "lambda.amazonaws.com"})");
    auto to_canonical =
        to(R"({"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"})");
    auto canonical = user_ann;
    canonical.canonical_user = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be";
    expect_decisions(
        {{"anonymous", {}, {}, denied, {PolicyType::resource}},
         {"anonymous, public", {}, {.resource = to_everyone}, allowed},
         {"anonymous, public in the other form", {}, {.resource = to(R"({"AWS": "*"})")}, allowed},
         {"anonymous, of an account", {}, {.resource = to_root}, denied, {PolicyType::resource}},
         {"a service", lambda, {.resource = to_lambda}, allowed},
         {"another service",
          service("s3.amazonaws.com"),
          {.resource = to_lambda},
          denied,
          {PolicyType::resource}},
         {"a user is no service", user_ann, {.resource = to_lambda}, denied, {PolicyType::identity}},
         {"a canonical user is an account",
          canonical,
          {.identity = may_get, .resource = to_canonical},
          allowed},
         {"which decides itself", canonical, {.resource = to_canonical}, denied, {PolicyType::identity}}},
        account);
}

TEST(Evaluate, TakesTheOwnerFromTheArnOrElseFromTheCaller) {
    auto policies = attach_policies({.identity = R"({"Effect": "Allow", "Action": "*", "Resource": "*"})"});
    Request request{.caller = user_ann,
                    .action = "sqs:SendMessage",
                    .resource = "",
                    .resource_account = "",
                    .context = {}};
    request.resource = "arn:aws:sqs:eu-central-1:111122223333:q";
    EXPECT_TRUE(evaluate(request, policies.policies()).allowed);
    request.resource = "arn:aws:sqs:eu-central-1:444455556666:q";
    auto decision = evaluate(request, policies.policies());
    EXPECT_TRUE(decision.is_cross_account);
    EXPECT_THAT(decision.missing, ElementsAre(PolicyType::resource));
    request.resource = "arn:aws:s3:::bucket";
    EXPECT_TRUE(evaluate(request, policies.policies()).allowed);
    request.resource = "*";
    EXPECT_TRUE(evaluate(request, policies.policies()).allowed);
}

struct StatementRow {
    const char* about;
    const char* statement;
    const char* action;
    const char* resource;
    bool applies;
};

TEST(Evaluate, MatchesActionsAndResources) {
    for (const auto& row : {
             StatementRow{"the case of actions", R"("Action": "S3:getobject", "Resource": "*")",
                          "s3:GetObject", "arn:aws:s3:::b/k", true},
             StatementRow{"wildcards in actions", R"("Action": "iam:*AccessKey*", "Resource": "*")",
                          "iam:ListAccessKeys", "*", true},
             StatementRow{"another service", R"("Action": "iam:*", "Resource": "*")", "s3:GetObject", "*",
                          false},
             StatementRow{"every action", R"("Action": "*", "Resource": "*")", "sqs:SendMessage", "*", true},
             StatementRow{"NotAction", R"("NotAction": ["iam:*", "s3:Delete*"], "Resource": "*")",
                          "s3:DeleteObject", "*", false},
             StatementRow{"what NotAction leaves", R"("NotAction": ["iam:*", "s3:Delete*"], "Resource": "*")",
                          "s3:GetObject", "*", true},
             StatementRow{"the case of resources", R"("Action": "*", "Resource": "arn:aws:s3:::B/*")",
                          "s3:GetObject", "arn:aws:s3:::b/k", false},
             StatementRow{"a bucket is not its objects", R"("Action": "*", "Resource": "arn:aws:s3:::b")",
                          "s3:GetObject", "arn:aws:s3:::b/k", false},
             StatementRow{"objects are not their bucket", R"("Action": "*", "Resource": "arn:aws:s3:::b/*")",
                          "s3:ListBucket", "arn:aws:s3:::b", false},
             StatementRow{"a prefix is no bucket", R"("Action": "*", "Resource": "arn:aws:s3:::b/*")",
                          "s3:GetObject", "arn:aws:s3:::b2/k", false},
             StatementRow{"keys with colons", R"("Action": "*", "Resource": "arn:aws:s3:::b/*.txt")",
                          "s3:GetObject", "arn:aws:s3:::b/a:b.txt", true},
             StatementRow{"keys with wildcards", R"("Action": "*", "Resource": "arn:aws:s3:::b/x")",
                          "s3:GetObject", "arn:aws:s3:::b/*", false},
             StatementRow{"any region and account", R"("Action": "*", "Resource": "arn:aws:sqs:*:*:q-*")",
                          "sqs:SendMessage", "arn:aws:sqs:eu-central-1:1:q-7", true},
             StatementRow{"NotResource",
                          R"("Action": "*", "NotResource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"])",
                          "s3:GetObject", "arn:aws:s3:::b/k", false},
             StatementRow{"what NotResource leaves", R"("Action": "*", "NotResource": "arn:aws:s3:::b/*")",
                          "s3:GetObject", "arn:aws:s3:::c/k", true},
             // A variable without a value matches no resource: of NotResource everything is left.
             StatementRow{"an unknown variable", R"("Action": "*", "Resource": "arn:aws:s3:::b/${a:b}*")",
                          "s3:GetObject", "arn:aws:s3:::b/k", false},
             StatementRow{"an unknown variable in NotResource",
                          R"("Action": "*", "NotResource": "arn:aws:s3:::b/${a:b}*")", "s3:GetObject",
                          "arn:aws:s3:::b/k", true},
         }) {
        auto text = R"({"Effect": "Allow", )" + std::string(row.statement) + "}";
        auto policies = attach_policies({.identity = text});
        Request request{.caller = user_ann,
                        .action = row.action,
                        .resource = row.resource,
                        .resource_account = std::string(account),
                        .context = {}};
        EXPECT_EQ(evaluate(request, policies.policies()).allowed, row.applies) << row.about;
    }
}

// Policies of the maximum size with the patterns that are most expensive to match.
TEST(Evaluate, HostilePoliciesAreFast) {
    std::string resources;
    while (resources.size() < 18'000) {
        std::string pattern = "arn:aws:s3:::*";
        while (pattern.size() < 1'900)
            pattern += resources.empty() ? "${aws:userid}*" : "*a?a";
        resources += (resources.empty() ? "\"" : ",\"") + pattern + "b\"";
    }
    auto policies = attach_policies(
        {.identity = R"({"Effect": "Allow", "Action": "*", "Resource": [)" + resources + "]}"});
    auto request = get_object(user_ann);
    request.resource = "arn:aws:s3:::" + std::string(1'024, 'a');
    set(request.context, "aws:userid", std::string(60, 'a'));
    auto start = std::chrono::steady_clock::now();
    EXPECT_FALSE(evaluate(request, policies.policies()).allowed);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));  // In a debug build.
}

TEST(Evaluate, ADocumentOfTheWrongKindStopsTheProcess) {
    auto policies = attach_policies({.identity = may_get});
    Policies misplaced{.resource = policies.identity};
    EXPECT_DEATH(static_cast<void>(evaluate(get_object({}), misplaced)), "required_kind");
}

}  // namespace
}  // namespace integreat::policy
