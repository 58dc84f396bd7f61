// SPDX-License-Identifier: Apache-2.0
// Parses request bodies into columns and their values, and reports all errors of a body at once. Error
// messages distinguish fields a role may not write from unknown fields only if the role may know that the
// field exists.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

#include "postgres/driver/pool.h"
#include "services/collections/views/role_view.h"

namespace integreat::collections {

inline constexpr std::size_t bulk_max = 1'000;  // Maximum number of records in a list.

struct ColumnValues {
    std::vector<const Field*> fields;  // In collection order, so that equal sets of fields give equal SQL.
    std::vector<postgres::Value> values;
};

// Parses a new record. A null member counts as absent: the database applies the default.
ColumnValues parse_create_body(const CollectionPlan& plan, const RoleView& view,
                               const boost::json::value& body, const std::string& pointer,
                               ValidationErrors& errors);

// Returns the reason a new record may not have this member; empty if it may.
std::string reason_not_creatable(const CollectionPlan& plan, const RoleView& view, std::string_view name);

// Parses a JSON merge patch (RFC 7396). Null clears a field.
ColumnValues parse_patch_body(const CollectionPlan& plan, const RoleView& view,
                              const boost::json::value& body, ValidationErrors& errors);

// Parses the body of a transition, which may have the fields the transition accepts.
ColumnValues parse_transition_body(const CollectionPlan& plan, const RoleView& view,
                                   const Transition& transition, const boost::json::value& body,
                                   ValidationErrors& errors);

// Returns the fields of a patch with an object to be merged into the stored one: fields of type address, file
// and json that the role may read.
std::vector<const Field*> fields_to_merge(const RoleView& view, const boost::json::value& body);

// Applies a merge patch (RFC 7396 section 2).
boost::json::value merge_patch(boost::json::value target, const boost::json::value& patch);

}  // namespace integreat::collections
