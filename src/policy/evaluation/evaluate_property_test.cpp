// SPDX-License-Identifier: Apache-2.0
// Properties of all policies and requests, tested with random ones over a small domain, so that
// statements meet requests often.
#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "base/text/ascii.h"
#include "policy/evaluation/evaluate.h"
#include "policy/testing/policy_matchers.h"

namespace integreat::policy {
namespace {

using Generator = std::mt19937;
using Texts = std::vector<std::string>;

template <class Value>
const Value& one_of(Generator& random, const std::vector<Value>& values) {
    return values[random() % values.size()];
}

const Texts actions{"s3:GetObject", "s3:Get*", "s3:*", "*", "s3:PutObject", "iam:*"};
const Texts resources{"*", "arn:aws:s3:::a/*", "arn:aws:s3:::b/*", "arn:aws:s3:::${aws:username}/*"};
const Texts principals{R"("*")",
                       R"({"AWS": "111122223333"})",
                       R"({"AWS": "444455556666"})",
                       R"({"AWS": "arn:aws:iam::111122223333:user/a"})",
                       R"({"AWS": "arn:aws:iam::111122223333:role/r"})",
                       R"({"AWS": "arn:aws:sts::111122223333:assumed-role/r/s"})"};
const Texts conditions{R"({"StringEquals": {"aws:username": "a"}})",
                       R"({"StringNotEquals": {"aws:username": "a"}})",
                       R"({"ForAnyValue:StringLike": {"x:tags": "t*"}})",
                       R"({"ForAllValues:StringEquals": {"x:tags": ["t1", "t2"]}})",
                       R"({"Null": {"x:tags": true}})",
                       R"({"BoolIfExists": {"x:flag": true}})"};

std::string statement(Generator& random, DocumentKind kind, std::string_view effect) {
    std::string text = R"({"Effect": ")" + std::string(effect) + "\", ";
    text += random() % 6 == 0 ? "\"NotAction\": \"" : "\"Action\": \"";
    text += one_of(random, actions) + "\", ";
    text += random() % 6 == 0 ? "\"NotResource\": \"" : "\"Resource\": \"";
    text += one_of(random, resources) + "\"";
    if (kind == DocumentKind::resource) {
        bool is_not = effect == "Deny" && random() % 4 == 0;
        text += is_not ? ", \"NotPrincipal\": " : ", \"Principal\": ";
        text += one_of(random, principals);
    }
    if (random() % 2 == 0) text += ", \"Condition\": " + one_of(random, conditions);
    return text + "}";
}

struct Layered {
    DocumentKind kind;
    std::vector<Texts> policies;  // Each a list of statements.
};

// Identity, resource, session, boundary.
using World = std::array<Layered, 4>;

World random_world(Generator& random) {
    World world{Layered{DocumentKind::identity, {}}, Layered{DocumentKind::resource, {}},
                Layered{DocumentKind::identity, {}}, Layered{DocumentKind::identity, {}}};
    const std::array<unsigned, 4> most{3, 2, 2, 2};
    for (std::size_t type = 0; type < world.size(); ++type) {
        for (auto count = random() % most[type]; count > 0; --count) {
            auto& statements = world[type].policies.emplace_back();
            for (auto more = 1 + random() % 3; more > 0; --more) {
                statements.push_back(
                    statement(random, world[type].kind, random() % 5 == 0 ? "Deny" : "Allow"));
            }
        }
    }
    return world;
}

Decision decide(const World& world, const Request& request) {
    std::array<std::vector<AttachedPolicy>, 4> attached;
    for (std::size_t type = 0; type < world.size(); ++type) {
        for (const auto& statements : world[type].policies) {
            auto text = join(statements, ",");
            attached[type].push_back(testing::make_policy("p", testing::document(text), world[type].kind));
        }
    }
    return evaluate(request, {attached[0], attached[1], attached[2], attached[3]});
}

Request random_request(Generator& random) {
    const std::vector<Caller> callers{user("arn:aws:iam::111122223333:user/a", "AIDA"),
                                      user("arn:aws:iam::444455556666:user/a", "AIDB"),
                                      role_session("arn:aws:iam::111122223333:role/r", "AROA", "s"),
                                      federated_user("arn:aws:iam::111122223333:user/a", "g"),
                                      root("111122223333"),
                                      Caller{}};
    Request request{.caller = one_of(random, callers),
                    .action = one_of(random, Texts{"s3:GetObject", "s3:PutObject", "iam:GetRole"}),
                    .resource = one_of(random, Texts{"arn:aws:s3:::a/x", "arn:aws:s3:::b/x"}),
                    .resource_account = "111122223333",
                    .context = {}};
    if (!request.caller.name.empty()) set(request.context, "aws:username", request.caller.name);
    if (random() % 2) set(request.context, "x:tags", one_of(random, std::vector<Texts>{{"t1"}, {"t1", "u"}}));
    if (random() % 2) set(request.context, "x:flag", std::string(random() % 2 ? "true" : "false"));
    return request;
}

// The types that have a policy to which a statement can be added.
std::vector<std::size_t> filled(const World& world) {
    std::vector<std::size_t> types;
    for (std::size_t type = 0; type < world.size(); ++type)
        if (!world[type].policies.empty()) types.push_back(type);
    return types;
}

constexpr int rounds = 1'000;

TEST(EvaluateProperty, AddingADenyNeverAllowsMore) {
    Generator random(1);
    int denied = 0;
    for (int i = 0; i < rounds; ++i) {
        auto world = random_world(random);
        auto request = random_request(random);
        auto before = decide(world, request).allowed;
        auto type = random() % world.size();
        if (world[type].policies.empty()) world[type].policies.emplace_back();
        world[type].policies.back().push_back(statement(random, world[type].kind, "Deny"));
        auto after = decide(world, request).allowed;
        ASSERT_TRUE(before || !after);
        denied += before && !after;
    }
    EXPECT_GT(denied, 20);
}

TEST(EvaluateProperty, AddingAnAllowNeverDeniesMore) {
    Generator random(2);
    int opened = 0;
    for (int i = 0; i < rounds; ++i) {
        auto world = random_world(random);
        auto request = random_request(random);
        auto types = filled(world);
        if (types.empty()) continue;
        auto before = decide(world, request).allowed;
        auto type = one_of(random, types);
        world[type].policies.back().push_back(statement(random, world[type].kind, "Allow"));
        auto after = decide(world, request).allowed;
        ASSERT_TRUE(!before || after);
        opened += !before && after;
    }
    EXPECT_GT(opened, 10);
}

TEST(EvaluateProperty, TheOrderOfStatementsAndPoliciesIsIrrelevant) {
    Generator random(3);
    int allowed = 0;
    for (int i = 0; i < rounds; ++i) {
        auto world = random_world(random);
        auto request = random_request(random);
        auto before = decide(world, request);
        for (auto& type : world) {
            std::shuffle(type.policies.begin(), type.policies.end(), random);
            for (auto& statements : type.policies)
                std::shuffle(statements.begin(), statements.end(), random);
        }
        auto after = decide(world, request);
        ASSERT_EQ(before.reason, after.reason);
        ASSERT_EQ(before.missing, after.missing);
        allowed += before.allowed;
    }
    EXPECT_GT(allowed, 70);
}

TEST(EvaluateProperty, AddingABoundaryOrASessionPolicyNeverAllowsMore) {
    Generator random(4);
    for (int i = 0; i < rounds; ++i) {
        auto world = random_world(random);
        auto request = random_request(random);
        if (request.caller.kind == CallerKind::federated_user) continue;  // It needs session policies.
        auto& type = world[2 + random() % 2];
        type.policies.clear();
        auto before = decide(world, request).allowed;
        type.policies.push_back({statement(random, type.kind, "Allow")});
        ASSERT_TRUE(before || !decide(world, request).allowed);
    }
}

TEST(EvaluateProperty, ADecisionIsConsistentInItself) {
    Generator random(5);
    for (int i = 0; i < rounds; ++i) {
        auto request = random_request(random);
        auto decision = decide(random_world(random), request);
        ASSERT_EQ(decision.allowed, decision.reason == Reason::allowed);
        ASSERT_EQ(decision.missing.empty(), decision.reason != Reason::implicit_deny);
        ASSERT_FALSE(decision.reason == Reason::explicit_deny && !decision.determining_statement);
    }
}

}  // namespace
}  // namespace integreat::policy
