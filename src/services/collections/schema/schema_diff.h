// SPDX-License-Identifier: Apache-2.0
// Computes the migration steps from the current schema to the target schema.
#pragma once

#include <functional>

#include "base/result.h"
#include "services/collections/schema/catalog.h"
#include "services/collections/schema/migration_plan.h"
#include "services/collections/schema/table_definitions.h"

namespace integreat::collections {

struct SchemaDiff {
    const TenantId& app;
    const TargetSchema& target;
    const CurrentSchema& current;
    const MigrationOptions& options;
    // Returns whether a record of a table (first) has NULL in a column (second).
    std::function<Result<bool>(const std::string&, const std::string&)> has_nulls;
};

Result<MigrationPlan> diff_schema(const SchemaDiff& diff);

// Comment on retired tables and columns.
inline constexpr std::string_view retired_comment = "integreat: left over";

}  // namespace integreat::collections
