// SPDX-License-Identifier: Apache-2.0
// Rules as SQL: conditions over a record, the functions that walk paths for them, policies and column grants.
//
// In a policy whatever does not depend on the record stands in a sub-select, so that it is asked once per
// query and an index can be used for the rest. In a guard (a trigger) a record is at hand as OLD or NEW.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "config/model/model.h"
#include "services/collections/schema/table_definitions.h"

namespace integreat::collections {

enum class Place { policy, old_record, new_record };
enum class States { matter, aside };

// What must hold for one rule; "true" if it has no condition.
std::string condition_of(const Rule& rule, const Collection& collection, Place place, States states);

// What must hold for any rule of those that can hold for `role`; "true" if one has no condition, "false" if
// there is none.
std::string condition_of(const std::vector<Rule>& rules, const Collection& collection, std::string_view role,
                         Place place, States states);

// Columns of each right that a role has on a table; empty: it has not.
struct ColumnRights {
    std::vector<std::string> read, create, update;
    bool remove = false;  // By DELETE; a soft delete is an update.
};
ColumnRights rights_of(const Collection& collection, std::string_view role);

// Fields that a transition of this role may change, and those of an update, of `rights_of(...).update`.
bool may_delete_softly(const Collection& collection, std::string_view role);
std::vector<std::string> changeable_fields(const Collection& collection, std::string_view role);
std::vector<const Transition*> transitions_of(const Collection& collection, std::string_view role);

// Fields that hold a caller: owners of its rules, and ends of paths from anywhere.
std::set<std::string> owner_fields(const Model& model, const Collection& collection);

void add_paths(Desired& desired, const Model& model);
void add_access(Desired& desired, const Model& model, const Collection& collection);

}  // namespace integreat::collections
