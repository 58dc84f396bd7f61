// SPDX-License-Identifier: Apache-2.0
// Checks access rules. An error in a rule grants too much or too little, so every condition that has no
// effect or can never hold is refused.
#pragma once

#include <vector>

#include "config/checks/collection_check.h"

namespace integreat::config {

// Adds the access rules to `check.compiled`, which must have its fields.
void check_access(const CollectionCheck& check);

// Checks the access rules of a transition and returns them compiled.
std::vector<Rule> check_allow(const CollectionCheck& check, const TransitionSettings& transition);

}  // namespace integreat::config
