// SPDX-License-Identifier: Apache-2.0
// The body of a request becomes columns and their values, or the list of everything that is wrong with it.
// What a role may not write is told apart from what does not exist, as far as the role may know of it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

#include "postgres/driver/pool.h"
#include "services/collections/views/role_view.h"

namespace integreat::collections {

inline constexpr std::size_t bulk_max = 1'000;

struct Written {
    std::vector<const Field*> fields;  // In the order of the collection, so that equal shapes are equal SQL.
    std::vector<postgres::Value> values;
};

// A new record. Nulls are absences: the database fills in what has a default.
Written check_new(const CollectionPlan& plan, const View& view, const boost::json::value& body,
                  const std::string& pointer, Mistakes& mistakes);

// Why a new record may not have such a member; empty if it may.
std::string why_not_creatable(const CollectionPlan& plan, const View& view, std::string_view name);

// A JSON merge patch (RFC 7396). Null clears.
Written check_patch(const CollectionPlan& plan, const View& view, const boost::json::value& body,
                    Mistakes& mistakes);

// What comes with a transition: fields that it accepts.
Written check_accepted(const CollectionPlan& plan, const View& view, const Transition& transition,
                       const boost::json::value& body, Mistakes& mistakes);

// Members of a patch whose object has to be merged into what is stored already: fields of type address, file
// and json that the role can see.
std::vector<const Field*> merged_fields(const View& view, const boost::json::value& body);

// RFC 7396 section 2.
boost::json::value merge_patch(boost::json::value target, const boost::json::value& patch);

}  // namespace integreat::collections
