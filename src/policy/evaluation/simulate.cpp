// SPDX-License-Identifier: Apache-2.0
#include "policy/evaluation/simulate.h"

#include <array>
#include <set>

#include "base/text/ascii.h"

namespace integreat::policy {

namespace {

constexpr std::array policy_types{PolicyType::identity, PolicyType::resource, PolicyType::session,
                                  PolicyType::boundary};

struct KeyNames {
    std::vector<std::string> names;
    std::set<std::string> lower_names;
};

void collect(KeyNames& keys, const std::string& name) {
    if (keys.lower_names.insert(to_lower(name)).second) keys.names.push_back(name);
}

void collect(KeyNames& keys, const Pattern& pattern) {
    for (const auto& segment : pattern.segments)
        if (segment.variable) collect(keys, segment.variable->key);
}

void collect(KeyNames& keys, const Statement& statement) {
    for (const auto& resource : statement.resources)
        collect(keys, resource);
    for (const auto& condition : statement.conditions) {
        collect(keys, condition.key_name);
        for (const auto& operand : condition.operands) {
            if (const auto* pattern = std::get_if<Pattern>(&operand)) collect(keys, *pattern);
            if (const auto* arn = std::get_if<ArnPattern>(&operand))
                for (const auto& part : arn->parts)
                    collect(keys, part);
        }
    }
}

std::vector<MatchedStatement> find_matches(const Request& request, const Policies& policies) {
    std::vector<MatchedStatement> found;
    auto lower_action = to_lower(request.action);
    for (auto type : policy_types) {
        for (const auto& policy : policies_of_type(policies, type)) {
            for (const auto& statement : policy.document->statements) {
                if (match_statement(statement, request, lower_action) != PrincipalMatch::none)
                    found.push_back({type, &policy, &statement});
            }
        }
    }
    return found;
}

}  // namespace

Result<std::vector<SimulationResult>> simulate(const Request& request, const Policies& policies,
                                               std::span<const std::string> actions,
                                               std::span<const std::string> resources) {
    static const std::vector<std::string> any_resource{"*"};
    if (resources.empty()) resources = any_resource;
    if (actions.size() > simulations_max / resources.size()) {
        return Error{Fault::invalid,
                     "actions times resources must be at most " + std::to_string(simulations_max), ""};
    }
    std::vector<std::string> missing_keys;
    for (auto& key : context_keys(policies))
        if (!find(request.context, to_lower(key))) missing_keys.push_back(std::move(key));
    std::vector<SimulationResult> results;
    auto simulated = request;
    for (const auto& action : actions) {
        for (const auto& resource : resources) {
            simulated.action = action;
            simulated.resource = resource;
            results.push_back({action, resource, evaluate(simulated, policies),
                               find_matches(simulated, policies), missing_keys});
        }
    }
    return results;
}

std::vector<std::string> context_keys(const Policies& policies) {
    KeyNames keys;
    for (auto type : policy_types)
        for (const auto& policy : policies_of_type(policies, type))
            for (const auto& statement : policy.document->statements)
                collect(keys, statement);
    return std::move(keys.names);
}

std::string_view eval_decision_name(Reason reason) {
    switch (reason) {
        case Reason::allowed: return "allowed";
        case Reason::explicit_deny: return "explicitDeny";
        case Reason::implicit_deny: break;
    }
    return "implicitDeny";
}

}  // namespace integreat::policy
