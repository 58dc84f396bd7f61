// SPDX-License-Identifier: Apache-2.0
// What SimulatePrincipalPolicy, SimulateCustomPolicy and GetContextKeysForPrincipalPolicy need: many actions
// on many resources at once, all statements that applied, the context keys that policies ask for.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "policy/evaluation/evaluate.h"

namespace integreat::policy {

inline constexpr std::size_t simulations_max = 10'000;  // Actions times resources.

struct Simulated {
    std::string action;
    std::string resource;
    Decision decision;
    std::vector<Deciding> matched;          // Allow and Deny, of every layer.
    std::vector<std::string> missing_keys;  // That policies ask for and the context has not.
};

// Every action on every resource ("*" if there are none); `request` gives the rest. Points into `policies`.
Result<std::vector<Simulated>> simulate(const Request& request, const Policies& policies,
                                        std::span<const std::string> actions,
                                        std::span<const std::string> resources);

// The keys of conditions and variables, each once, as they are first written.
std::vector<std::string> context_keys(const Policies& policies);

// "allowed", "explicitDeny", "implicitDeny": EvalDecision.
std::string_view evaluation_word(Reason reason);

}  // namespace integreat::policy
