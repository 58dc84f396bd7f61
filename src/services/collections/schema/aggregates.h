// SPDX-License-Identifier: Apache-2.0
// Rollup fields, computed over the records that refer to a record. Statement triggers update them in the
// transaction of the change. They lock the records to update first, in the order of their IDs, and read the
// values afterwards, so that the later of two concurrent changes sees the earlier one.
#pragma once

#include "services/collections/model.h"
#include "services/collections/schema/table_definitions.h"

namespace integreat::collections {

void add_rollup_triggers(TargetSchema& target, const Model& model, const Collection& collection);

}  // namespace integreat::collections
