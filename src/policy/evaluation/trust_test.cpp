// SPDX-License-Identifier: Apache-2.0
// Assuming roles, mainly with a web identity: the trust policies of the tenant stacks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/evaluation/evaluate.h"
#include "policy/evaluation/request_attributes.h"
#include "policy/testing/policy_matchers.h"

namespace integreat::policy {
namespace {

using testing::attach_policies;
using ::testing::ElementsAre;
using testing::ExpectedDecision;
using testing::PolicyTexts;

// The trust policy of a tenant's role as the stacks make it.
constexpr std::string_view tenant_trust = R"({
    "Effect": "Allow",
    "Action": "sts:AssumeRoleWithWebIdentity",
    "Principal": {"Federated": "cognito-identity.amazonaws.com"},
    "Condition": {
        "StringEquals": {
            "cognito-identity.amazonaws.com:aud": "eu-central-1:11111111-2222-3333-4444-555555555555"},
        "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "authenticated"}
    }})";
const std::string pool = "eu-central-1:11111111-2222-3333-4444-555555555555";
const std::string role = "arn:aws:iam::111122223333:role/campus-TenantUserRole";

Request with_token(const Caller& caller, const std::optional<WebIdentity>& web) {
    RequestAttributes facts{.now = from_unix_seconds(1'795'335'300)};
    facts.web_identity = web;
    return {.caller = caller,
            .action = "sts:AssumeRoleWithWebIdentity",
            .resource = role,
            .resource_account = "",
            .context = make_context(caller, facts)};
}

WebIdentity cognito(std::string audience, std::vector<std::string> methods) {
    return {"cognito-identity.amazonaws.com", std::move(audience), "eu-central-1:0b1c", std::move(methods)};
}

Decision tenant_decision(const Request& request) {
    auto policies = attach_policies({.trust = tenant_trust});
    return evaluate_trust(request, policies.policies());
}

TEST(Trust, OpensATenantsRoleToAuthenticatedIdentitiesOfItsPool) {
    auto caller = web_identity("cognito-identity.amazonaws.com");
    std::vector<std::string> signed_in{"authenticated", "securetoken.google.com/campus",
                                       "securetoken.google.com/campus:OIDC:uid"};
    EXPECT_TRUE(tenant_decision(with_token(caller, cognito(pool, signed_in))).allowed);
}

TEST(Trust, DeniesATenantsRoleToOthers) {
    auto caller = web_identity("cognito-identity.amazonaws.com");
    const std::vector<std::string> signed_in{"authenticated"};
    struct Refused {
        const char* about;
        Request request;
    };
    auto wrong_action = with_token(caller, cognito(pool, signed_in));
    wrong_action.action = "sts:AssumeRole";
    for (const auto& [about, request] : std::vector<Refused>{
             {"another pool", with_token(caller, cognito("eu-central-1:99999999-2222", signed_in))},
             {"unauthenticated", with_token(caller, cognito(pool, {"unauthenticated"}))},
             {"no methods", with_token(caller, cognito(pool, {}))},
             {"no audience", with_token(caller, cognito("", signed_in))},
             {"no token", with_token(caller, std::nullopt)},
             {"another provider", with_token(web_identity("accounts.google.com"), cognito(pool, signed_in))},
             {"keys of another provider",
              with_token(caller, WebIdentity{"accounts.google.com", pool, "x", signed_in})},
             {"an IAM user",
              with_token(user("arn:aws:iam::111122223333:user/ann", "AIDA"), cognito(pool, signed_in))},
             {"the account", with_token(root("111122223333"), cognito(pool, signed_in))},
             {"nobody", with_token({}, cognito(pool, signed_in))},
             {"another action", wrong_action}}) {
        auto decision = tenant_decision(request);
        EXPECT_EQ(decision.reason, Reason::implicit_deny) << about;
        EXPECT_FALSE(decision.missing.empty()) << about;
        EXPECT_EQ(decision.missing.back(), PolicyType::trust) << about;
    }
}

TEST(Trust, SupportsTokensOfAnOpenIdProvider) {
    constexpr std::string_view trust = R"({
        "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/securetoken.google.com/campus"},
        "Condition": {"StringEquals": {"securetoken.google.com/campus:aud": "campus"},
                      "StringLike": {"securetoken.google.com/campus:sub": "teacher-*"}}})";
    auto policies = attach_policies({.trust = trust});
    auto caller = web_identity("arn:aws:iam::111122223333:oidc-provider/securetoken.google.com/campus");
    WebIdentity token{"securetoken.google.com/campus", "campus", "teacher-7", {}};
    EXPECT_TRUE(evaluate_trust(with_token(caller, token), policies.policies()).allowed);
    token.subject = "pupil-7";
    EXPECT_FALSE(evaluate_trust(with_token(caller, token), policies.policies()).allowed);
}

constexpr std::string_view may_assume_any_role =
    R"({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::111122223333:role/*"})";
constexpr std::string_view trusts_account =
    R"({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "111122223333"}})";
constexpr std::string_view trusts_other =
    R"({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "444455556666"}})";
constexpr std::string_view trusts_ann =
    R"({"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"AWS": "arn:aws:iam::111122223333:user/ann"}})";
constexpr std::string_view trusts_service =
    R"({"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"Service": ["ecs.amazonaws.com", "lambda.amazonaws.com"]}})";
constexpr std::string_view refuses_ann =
    R"({"Effect": "Deny", "Action": "sts:*", "Principal": {"AWS": "arn:aws:iam::111122223333:user/ann"}})";

TEST(Trust, IsAlwaysRequired) {
    auto ann = user("arn:aws:iam::111122223333:user/ann", "AIDA");
    auto bob = user("arn:aws:iam::444455556666:user/bob", "AIDB");
    const auto both = std::string(trusts_account) + "," + std::string(refuses_ann);
    for (const auto& row : std::vector<ExpectedDecision>{
             {"an identity policy opens no role",
              ann,
              {.identity = may_assume_any_role, .trust = trusts_other},
              Reason::implicit_deny,
              {PolicyType::trust}},
             {"nor does no trust policy",
              ann,
              {.identity = may_assume_any_role},
              Reason::implicit_deny,
              {PolicyType::trust}},
             {"trust in the account lets its policies decide",
              ann,
              {.trust = trusts_account},
              Reason::implicit_deny,
              {PolicyType::identity}},
             {"which may allow",
              ann,
              {.identity = may_assume_any_role, .trust = trusts_account},
              Reason::allowed},
             {"trust in the user is enough", ann, {.trust = trusts_ann}, Reason::allowed},
             {"across accounts it is not",
              bob,
              {.trust = trusts_other},
              Reason::implicit_deny,
              {PolicyType::identity}},
             {"across accounts both must",
              bob,
              {.identity = may_assume_any_role, .trust = trusts_other},
              Reason::allowed},
             {"a service", service("lambda.amazonaws.com"), {.trust = trusts_service}, Reason::allowed},
             {"another service",
              service("ec2.amazonaws.com"),
              {.trust = trusts_service},
              Reason::implicit_deny,
              {PolicyType::trust}},
             {"a Deny", ann, {.identity = may_assume_any_role, .trust = both}, Reason::explicit_deny}}) {
        auto policies = attach_policies(row.texts);
        Request request{.caller = row.caller,
                        .action = "sts:AssumeRole",
                        .resource = role,
                        .resource_account = "",
                        .context = {}};
        auto decision = evaluate_trust(request, policies.policies());
        EXPECT_EQ(decision.reason, row.reason) << row.about;
        EXPECT_EQ(decision.missing, row.missing) << row.about;
    }
}

}  // namespace
}  // namespace integreat::policy
