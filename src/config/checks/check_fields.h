// SPDX-License-Identifier: Apache-2.0
// Checks the fields of a collection: keys per type, literals, and computed fields.
#pragma once

#include "config/checks/collection_check.h"

namespace integreat::config {

// Adds the fields to `check.compiled`, in their order in the model: system fields at both ends.
void check_fields(const CollectionCheck& check);

}  // namespace integreat::config
