// SPDX-License-Identifier: Apache-2.0
#include "cloud/iam/simulation.h"

#include "cloud/aws/protocol/protocol.h"
#include "cloud/iam/sessions.h"
#include "policy/document/arn.h"
#include "policy/evaluation/explain.h"
#include "policy/evaluation/simulate.h"

namespace integreat::iam {

using cloud::Caller;
using cloud::element;

namespace {

AwsResult<Caller> find_principal(const Iam& iam, const std::string& arn) {
    auto directory = iam.directory();
    if (arn == policy::root(iam.account()).arn) return make_root_caller(iam);
    for (const auto& [name, user] : directory->users) {
        if (user->identity.arn == arn) return make_caller(iam, *directory, *user);
    }
    for (const auto& [name, role] : directory->roles) {
        if (role->identity.arn == arn) return make_caller(iam, *directory, *role);
    }
    auto account = "arn:aws:iam::" + iam.account() + ":";
    for (std::string kind : {"user", "role"}) {
        if (!arn.starts_with(account + kind + "/")) continue;
        return no_such_entity("The " + kind + " with name " + std::string(policy::last_path_segment(arn)) +
                              " cannot be found.");
    }
    return AwsError{
        .status = 400,
        .code = "InvalidInput",
        .message = "Invalid Entity Arn: " + arn + " does not clearly define entity type and name."};
}

policy::Policies to_policies(const Caller& caller) {
    return {.identity = caller.identity_policies, .resource = {}, .session = {}, .boundary = caller.boundary};
}

policy::Request make_request(const Iam& iam, const Caller& caller) {
    return {.caller = caller.principal,
            .action = {},
            .resource = {},
            .resource_account = iam.account(),
            .context = policy::make_context(caller.principal, {.now = iam.clock().now()})};
}

void add_context_entries(const OperationContext& context, policy::Context& condition_context) {
    for (int i = 1;; ++i) {
        auto prefix = "ContextEntries.member." + std::to_string(i);
        auto name = context.parameter(prefix + ".ContextKeyName");
        if (!name) return;
        policy::set(condition_context, *name, list_parameter(context, prefix + ".ContextKeyValues"));
    }
}

std::string to_xml(const policy::SimulationResult& simulated) {
    std::vector<std::string> matched;
    for (const auto& deciding : simulated.matched) {
        matched.push_back(element("SourcePolicyId", deciding.policy->name) +
                          element("SourcePolicyType", deciding.policy_type == policy::PolicyType::boundary
                                                          ? "PermissionsBoundary"
                                                          : "IAM Policy"));
    }
    std::vector<std::string> missing;
    for (const auto& key : simulated.missing_keys)
        missing.push_back(cloud::escape_xml(key));
    return element("EvalActionName", simulated.action) + element("EvalResourceName", simulated.resource) +
           element("EvalDecision", policy::eval_decision_name(simulated.decision.reason)) +
           member_list_xml("MatchedStatements", matched) + member_list_xml("MissingContextValues", missing);
}

}  // namespace

OperationResult simulate_principal_policy(Iam& iam, OperationContext& context) {
    auto arn = TRY(required_parameter(context, "PolicySourceArn",
                                      {.min_length = 20, .max_length = 2'048, .is_name = false}));
    TRY(require_permission(context, arn));
    auto caller = TRY(find_principal(iam, arn));
    auto actions = list_parameter(context, "ActionNames");
    auto resources = list_parameter(context, "ResourceArns");
    if (actions.empty()) return invalid("ActionNames must not be empty.");
    auto request = make_request(iam, caller);
    add_context_entries(context, request.context);
    auto simulated = policy::simulate(request, to_policies(caller), actions, resources);
    if (!simulated) return invalid(simulated.error().message);
    std::vector<std::string> results;
    for (const auto& one : *simulated)
        results.push_back(to_xml(one));
    return cloud::query_result(
        context, member_list_xml("EvaluationResults", results) + element("IsTruncated", "false"));
}

AwsResult<Explanation> explain_permission(const Iam& iam, const PermissionQuery& query) {
    auto caller = TRY(find_principal(iam, query.principal));
    auto request = make_request(iam, caller);
    request.action = query.action;
    request.resource = query.resource;
    auto policies = to_policies(caller);
    auto decision = policy::evaluate(request, policies);
    return Explanation{decision.allowed, policy::explain(request, policies, decision)};
}

}  // namespace integreat::iam
