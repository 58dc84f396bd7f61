// SPDX-License-Identifier: Apache-2.0
// Implements SimulatePrincipalPolicy, SimulateCustomPolicy and GetContextKeysForPrincipalPolicy: many actions
// on many resources, all statements that apply, the context keys that policies use.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "policy/evaluation/evaluate.h"

namespace integreat::policy {

inline constexpr std::size_t simulations_max = 10'000;  // Actions times resources.

struct SimulationResult {
    std::string action;
    std::string resource;
    Decision decision;
    std::vector<MatchedStatement> matched;  // Allow and Deny, of every policy type.
    std::vector<std::string> missing_keys;  // Keys used by policies and absent from the context.
};

// Evaluates every action on every resource ("*" if there are none) for `request`. The result points into
// `policies`.
Result<std::vector<SimulationResult>> simulate(const Request& request, const Policies& policies,
                                               std::span<const std::string> actions,
                                               std::span<const std::string> resources);

// Returns the keys of conditions and variables without duplicates, in their first spelling.
std::vector<std::string> context_keys(const Policies& policies);

// Returns the EvalDecision of AWS: "allowed", "explicitDeny", "implicitDeny".
std::string_view eval_decision_name(Reason reason);

}  // namespace integreat::policy
