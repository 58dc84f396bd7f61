// SPDX-License-Identifier: Apache-2.0
// Expressions over a record's own fields, of two kinds: what a computed field is worth (`price * quantity`)
// and what must be true before a transition (`balance <= 0 and not waived`). A small language of its own, so
// that nothing a manifest says reaches the database as it is written: every name is looked up and quoted,
// every type checked, and what comes out is SQL over the columns of one row.
//
// Money keeps its currency: it adds to money of the same, and is multiplied by numbers only. A division
// through zero is null. Fields that are computed themselves are put in, since Postgres computes generated
// columns from ordinary ones only.
#pragma once

#include <string>
#include <string_view>

#include "config/collections/collection_settings.h"
#include "config/validators/validators.h"

namespace integreat::config {

inline constexpr std::size_t expression_sql_max = 10'000;
inline constexpr int expression_depth_max = 20;

// Days begin and end here, for `today` in defaults and guards.
inline constexpr std::string_view time_zone = "Asia/Manila";

struct ExpressionReading {
    std::string sql;
    Complaint complaint;  // Completes "computed …" or "guard …", with the character where it is.
};

// Of a field with `computed`: a value of the type of its column.
ExpressionReading compile_computed(const CollectionSettings& collection, const FieldSettings& field);

// True or false, never null.
ExpressionReading compile_guard(const CollectionSettings& collection, std::string_view guard);

}  // namespace integreat::config
