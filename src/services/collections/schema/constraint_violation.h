// SPDX-License-Identifier: Apache-2.0
// Errors of INSERT, UPDATE and DELETE, expressed in terms of the collection. The record triggers
// (triggers.cpp) raise SQLSTATEs of the custom class IG and name the field in the error's column; the fields
// of a constraint are derived from its name (views/sql_names.h).
//
// A statement that applies a transition names it, otherwise a change of state is rejected:
//     UPDATE data.enrollments SET state = 'enrolled' ... FROM (SELECT set_config('integreat.transition',
//     'enroll', true) AS name OFFSET 0) AS transition WHERE id = $1 AND transition.name <> ''
// The name stays set until the end of the transaction, or until it is set to '' again.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "postgres/driver/pool.h"
#include "services/collections/model.h"

namespace integreat::collections {

inline constexpr std::string_view sqlstate_wrong_state = "IG001";
inline constexpr std::string_view sqlstate_unreadable_reference = "IG002";
inline constexpr std::string_view sqlstate_forbidden = "IG003";
inline constexpr std::string_view sqlstate_required_for_transition = "IG004";
inline constexpr std::string_view sqlstate_guard = "IG005";
inline constexpr std::string_view sqlstate_quota = "IG006";

enum class ViolationKind {
    other,                    // Not caused by the request: a bug, or the database is unavailable.
    wrong_state,              // The transition does not start from the state of the record.
    unreadable_reference,     // `fields` refers to no record that the caller may read.
    forbidden,                // No rule allows the change, the transition, or a field of `fields`.
    required_for_transition,  // The transition requires `fields`, which are empty.
    quota,                    // The caller has created max_per_owner records already.
    guard,                    // The transition's guard does not hold.
    already_exists,           // Another record has the same values in `fields`.
    referenced,    // Records of `collection` refer to the record through `fields`; on_delete is restrict.
    missing,       // `fields` is required.
    out_of_range,  // `fields` violates a limit, or a number is too large for its column.
};

struct ConstraintViolation {
    ViolationKind kind = ViolationKind::other;
    std::vector<std::string> fields;  // May be empty.
    std::string collection;           // Collection of `fields`: the written one, except for `referenced`.
};

// `collection` is the one that the failed statement wrote to.
ConstraintViolation classify_violation(const Model& model, const Collection& collection,
                                       const postgres::ServerError& error);

}  // namespace integreat::collections
