// SPDX-License-Identifier: Apache-2.0
#include "policy/evaluation/simulate.h"

#include <array>
#include <set>

#include "policy/document/wildcard.h"

namespace integreat::policy {

namespace {

constexpr std::array layers{Layer::identity, Layer::resource, Layer::session, Layer::boundary};

struct Keys {
    std::vector<std::string> names;
    std::set<std::string> seen;  // In lower case.
};

void note(Keys& keys, const std::string& name) {
    if (keys.seen.insert(lower_case(name)).second) keys.names.push_back(name);
}

void note(Keys& keys, const Pattern& pattern) {
    for (const auto& piece : pattern.pieces)
        if (piece.variable) note(keys, piece.variable->key);
}

void note(Keys& keys, const Statement& statement) {
    for (const auto& resource : statement.resources)
        note(keys, resource);
    for (const auto& condition : statement.conditions) {
        note(keys, condition.key_name);
        for (const auto& operand : condition.operands) {
            if (const auto* pattern = std::get_if<Pattern>(&operand)) note(keys, *pattern);
            if (const auto* arn = std::get_if<ArnPattern>(&operand))
                for (const auto& part : arn->parts)
                    note(keys, part);
        }
    }
}

std::vector<Deciding> matched(const Request& request, const Policies& policies) {
    std::vector<Deciding> found;
    auto lower_action = lower_case(request.action);
    for (auto layer : layers) {
        for (const auto& policy : policies_of(policies, layer)) {
            for (const auto& statement : policy.document->statements) {
                if (applies(statement, request, lower_action) != Naming::none)
                    found.push_back({layer, &policy, &statement});
            }
        }
    }
    return found;
}

}  // namespace

Result<std::vector<Simulated>> simulate(const Request& request, const Policies& policies,
                                        std::span<const std::string> actions,
                                        std::span<const std::string> resources) {
    static const std::vector<std::string> everything{"*"};
    if (resources.empty()) resources = everything;
    if (actions.size() > simulations_max / resources.size()) {
        return Error{Fault::invalid,
                     "actions times resources must be at most " + std::to_string(simulations_max), ""};
    }
    std::vector<std::string> missing_keys;
    for (auto& key : context_keys(policies))
        if (!find(request.context, lower_case(key))) missing_keys.push_back(std::move(key));
    std::vector<Simulated> results;
    auto asked = request;
    for (const auto& action : actions) {
        for (const auto& resource : resources) {
            asked.action = action;
            asked.resource = resource;
            results.push_back(
                {action, resource, evaluate(asked, policies), matched(asked, policies), missing_keys});
        }
    }
    return results;
}

std::vector<std::string> context_keys(const Policies& policies) {
    Keys keys;
    for (auto layer : layers)
        for (const auto& policy : policies_of(policies, layer))
            for (const auto& statement : policy.document->statements)
                note(keys, statement);
    return std::move(keys.names);
}

std::string_view evaluation_word(Reason reason) {
    switch (reason) {
        case Reason::allowed: return "allowed";
        case Reason::explicit_deny: return "explicitDeny";
        case Reason::implicit_deny: break;
    }
    return "implicitDeny";
}

}  // namespace integreat::policy
