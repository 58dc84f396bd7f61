// SPDX-License-Identifier: Apache-2.0
// Access rules as SQL: conditions on a record, functions that follow reference paths, policies and column
// grants.
//
// In a policy, expressions that do not depend on the record are sub-selects: they are evaluated once per
// query, and an index can serve the rest. In a trigger, the record is OLD or NEW.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "services/collections/model.h"
#include "services/collections/schema/table_definitions.h"

namespace integreat::collections {

// Where a condition is evaluated.
enum class PolicyContext { policy, old_record, new_record };
// Whether a condition includes the states of its rule.
enum class StateCheck { include, ignore };

// Returns the condition of one rule; "true" if it has none.
std::string to_sql_condition(const Rule& rule, const Collection& collection, PolicyContext context,
                             StateCheck state_check);

// Returns the disjunction of the conditions of all rules for `role`: "true" if a rule has no condition,
// "false" if there is no rule.
std::string to_sql_condition(const std::vector<Rule>& rules, const Collection& collection,
                             std::string_view role, PolicyContext context, StateCheck state_check);

// Columns a role has each privilege on; empty if it lacks the privilege.
struct ColumnPrivileges {
    std::vector<std::string> read, create, update;
    bool remove = false;  // DELETE; a soft delete is an UPDATE.
};
ColumnPrivileges column_privileges(const Collection& collection, std::string_view role);

// The causes of `column_privileges(...).update`: soft delete, updates and transitions.
bool may_soft_delete(const Collection& collection, std::string_view role);
std::vector<std::string> updatable_fields(const Collection& collection, std::string_view role);
std::vector<const Transition*> allowed_transitions(const Collection& collection, std::string_view role);

// Returns the fields that hold a UID: owners of the collection's rules, and ends of paths of any collection.
std::set<std::string> owner_fields(const Model& model, const Collection& collection);

void add_path_functions(TargetSchema& target, const Model& model);
void add_policies_and_grants(TargetSchema& target, const Model& model, const Collection& collection);

}  // namespace integreat::collections
