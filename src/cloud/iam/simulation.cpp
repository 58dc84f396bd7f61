// SPDX-License-Identifier: Apache-2.0
#include "cloud/iam/simulation.h"

#include "cloud/aws/protocol/protocol.h"
#include "policy/document/arn.h"
#include "policy/evaluation/explain.h"
#include "policy/evaluation/simulate.h"

namespace integreat::iam {

using cloud::Caller;
using cloud::element;

namespace {

Outcome<Caller> principal_named(const Iam& iam, const std::string& arn) {
    auto directory = iam.directory();
    if (arn == policy::root(iam.account()).arn) return root_of(iam);
    for (const auto& [name, user] : directory->users) {
        if (user->identity.arn == arn) return caller_of(iam, *directory, *user);
    }
    for (const auto& [name, role] : directory->roles) {
        if (role->identity.arn == arn) return caller_of(iam, *directory, *role);
    }
    auto account = "arn:aws:iam::" + iam.account() + ":";
    for (std::string kind : {"user", "role"}) {
        if (!arn.starts_with(account + kind + "/")) continue;
        return no_such_entity("The " + kind + " with name " + std::string(policy::last_step(arn)) +
                              " cannot be found.");
    }
    return AwsError{
        .status = 400,
        .code = "InvalidInput",
        .message = "Invalid Entity Arn: " + arn + " does not clearly define entity type and name."};
}

policy::Policies policies_of(const Caller& caller) {
    return {.identity = caller.identity_policies, .resource = {}, .session = {}, .boundary = caller.boundary};
}

policy::Request request_of(const Iam& iam, const Caller& caller) {
    return {.caller = caller.who,
            .action = {},
            .resource = {},
            .resource_account = iam.account(),
            .context = policy::context_of(caller.who, {.now = iam.clock().now()})};
}

void add_context_entries(const Exchange& exchange, policy::Context& context) {
    for (int i = 1;; ++i) {
        auto prefix = "ContextEntries.member." + std::to_string(i);
        auto name = exchange.parameter(prefix + ".ContextKeyName");
        if (!name) return;
        policy::set(context, *name, members(exchange, prefix + ".ContextKeyValues"));
    }
}

std::string simulated_xml(const policy::Simulated& simulated) {
    std::vector<std::string> matched;
    for (const auto& deciding : simulated.matched) {
        matched.push_back(element("SourcePolicyId", deciding.policy->name) +
                          element("SourcePolicyType", deciding.layer == policy::Layer::boundary
                                                          ? "PermissionsBoundary"
                                                          : "IAM Policy"));
    }
    std::vector<std::string> missing;
    for (const auto& key : simulated.missing_keys)
        missing.push_back(cloud::escape_xml(key));
    return element("EvalActionName", simulated.action) + element("EvalResourceName", simulated.resource) +
           element("EvalDecision", policy::evaluation_word(simulated.decision.reason)) +
           member_list("MatchedStatements", matched) + member_list("MissingContextValues", missing);
}

}  // namespace

Answer simulate_principal_policy(Iam& iam, Exchange& exchange) {
    auto arn =
        TRY(required(exchange, "PolicySourceArn", {.length_min = 20, .length_max = 2'048, .is_name = false}));
    TRY(require(exchange, arn));
    auto caller = TRY(principal_named(iam, arn));
    auto actions = members(exchange, "ActionNames");
    auto resources = members(exchange, "ResourceArns");
    if (actions.empty()) return invalid("ActionNames must not be empty.");
    auto request = request_of(iam, caller);
    add_context_entries(exchange, request.context);
    auto simulated = policy::simulate(request, policies_of(caller), actions, resources);
    if (!simulated) return invalid(simulated.error().message);
    std::vector<std::string> results;
    for (const auto& one : *simulated)
        results.push_back(simulated_xml(one));
    return cloud::query_result(exchange,
                               member_list("EvaluationResults", results) + element("IsTruncated", "false"));
}

Outcome<Explanation> explain_permission(const Iam& iam, const Question& question) {
    auto caller = TRY(principal_named(iam, question.principal));
    auto request = request_of(iam, caller);
    request.action = question.action;
    request.resource = question.resource;
    auto policies = policies_of(caller);
    auto decision = policy::evaluate(request, policies);
    return Explanation{decision.allowed, policy::explain(request, policies, decision)};
}

}  // namespace integreat::iam
