// SPDX-License-Identifier: Apache-2.0
// Record triggers of a collection, for checks that policies cannot express. The BEFORE trigger distinguishes
// updates, transitions and soft deletes, checks the rules and fields of each, and rejects references to
// records the caller may not read. It runs with the caller's privileges, and its queries are subject to the
// caller's policies. The AFTER trigger writes the change log.
//
// Queries are repeated per role: a plan under row-level security is valid for one role only, and the
// connections of the pool serve all roles.
#pragma once

#include "services/collections/model.h"
#include "services/collections/schema/table_definitions.h"

namespace integreat::collections {

void add_record_triggers(TargetSchema& target, const Model& model, const Collection& collection);

// Adds the trigger that counts the records of a caller for max_per_owner, if the collection has it.
void add_quota_trigger(TargetSchema& target, const Model& model, const Collection& collection);

}  // namespace integreat::collections
