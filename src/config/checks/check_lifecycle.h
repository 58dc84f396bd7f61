// SPDX-License-Identifier: Apache-2.0
// Checks states and transitions: every state must be reachable, and some role must be allowed to perform
// every transition.
#pragma once

#include "config/checks/collection_check.h"

namespace integreat::config {

// Adds the transitions to `check.compiled`, which must have its fields.
void check_lifecycle(const CollectionCheck& check);

}  // namespace integreat::config
