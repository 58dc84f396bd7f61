// SPDX-License-Identifier: Apache-2.0
// What the database says when it refuses a change, and what that means in the words of the collection. The
// guards of the tables (guards.cpp) raise SQLSTATEs of a class of our own and name the fields in the place of
// the column; constraints have names (names.h) from which their fields are read.
//
// A statement that carries out a transition says so, else a change of state is refused:
//     UPDATE data.enrollments SET state = 'enrolled' ... FROM (SELECT set_config('integreat.transition',
//     'enroll', true) AS name OFFSET 0) AS transition WHERE id = $1 AND transition.name <> ''
// Its transition is named until the end of the transaction, or until it is set to '' again.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/model/model.h"
#include "postgres/driver/pool.h"

namespace integreat::collections {

inline constexpr std::string_view state_wrong_state = "IG001";
inline constexpr std::string_view state_unreadable_reference = "IG002";
inline constexpr std::string_view state_forbidden = "IG003";
inline constexpr std::string_view state_required_for_transition = "IG004";
inline constexpr std::string_view state_guard = "IG005";

enum class Refused {
    other,                    // Not for the caller to mend: a bug, or the database is not well.
    wrong_state,              // The transition does not start from the record's state.
    unreadable_reference,     // `fields` points to no record that the caller may read.
    forbidden,                // No rule allows it: the change, this transition, or a field of `fields`.
    required_for_transition,  // `fields` must be filled in first.
    guard,                    // The transition's guard does not hold.
    already_exists,           // Another record has the same `fields`.
    referenced,               // Records of `collection` refer to it by `fields`; on_delete is restrict.
    missing,                  // `fields` is required.
    out_of_range,             // `fields` breaks a limit, or a number is too large for its column.
};

struct RefusedChange {
    Refused why = Refused::other;
    std::vector<std::string> fields;  // May be empty.
    std::string collection;           // Whose fields those are; the one asked about, but for `referenced`.
};

// `collection` is the one that the refused statement wrote to.
RefusedChange explain(const Model& model, const Collection& collection, const postgres::Refusal& refusal);

}  // namespace integreat::collections
