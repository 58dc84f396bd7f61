// SPDX-License-Identifier: Apache-2.0
// Compiles expressions over the fields of a record to SQL over the columns of one row: the value of a
// computed field (`price * quantity`) and the condition of a transition (`balance <= 0 and not waived`). The
// language is small, so that no text of a manifest reaches the database unchecked: every name is resolved and
// quoted, every type checked.
//
// Money has a currency: it can be added to money of the same currency and multiplied by numbers. A division
// by zero is null. Computed fields in an expression are inlined, because Postgres does not allow generated
// columns to refer to generated columns.
#pragma once

#include <string>
#include <string_view>

#include "config/collections/collection_settings.h"
#include "config/validators/validators.h"

namespace integreat::config {

inline constexpr std::size_t max_expression_sql = 10'000;
inline constexpr int max_expression_depth = 20;

// Time zone of `today` in defaults and guards.
inline constexpr std::string_view time_zone = "Asia/Manila";

struct CompiledExpression {
    std::string sql;
    CheckResult error;  // Completes "computed …" or "guard …"; ends with the character position.
};

// Compiles the `computed` expression of a field to a value of the type of its column.
CompiledExpression compile_computed(const CollectionSettings& collection, const FieldSettings& field);

// Compiles a condition to SQL that is true or false, never null.
CompiledExpression compile_guard(const CollectionSettings& collection, std::string_view guard);

}  // namespace integreat::config
