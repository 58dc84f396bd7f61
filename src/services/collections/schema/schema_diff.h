// SPDX-License-Identifier: Apache-2.0
// The steps from what was found to what is desired.
#pragma once

#include <functional>

#include "base/result.h"
#include "services/collections/schema/catalog.h"
#include "services/collections/schema/migration_plan.h"
#include "services/collections/schema/table_definitions.h"

namespace integreat::collections {

struct Comparison {
    const TenantId& app;
    const Desired& desired;
    const Found& found;
    const SchemaOrder& order;
    // Has a record of the table (first) nothing in the column (second)?
    std::function<Result<bool>(const std::string&, const std::string&)> has_nulls;
};

Result<Plan> compare(const Comparison& comparison);

// Parts of compare.
void make_table(Plan& plan, const Table& table);
Result<> change_table(Plan& plan, const Comparison& comparison, const Table& table);
void leave_table(Plan& plan, const std::string& name, const FoundTable& table);
void add_references(Plan& plan, const Table& table, const FoundTable* found);

std::string definition_of(const Column& column, const Table& table);  // Hash, for the comment.
std::string definition_of(const Attachment& attachment);
std::string column_sql(const Column& column, const Table& table);  // "name" text NOT NULL DEFAULT ...
std::string comment_sql(std::string_view kind, const std::string& what, std::string_view text);

inline constexpr std::string_view leftover = "integreat: left over";

}  // namespace integreat::collections
