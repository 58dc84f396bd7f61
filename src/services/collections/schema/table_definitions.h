// SPDX-License-Identifier: Apache-2.0
// The SQL schema of a model: tables, policies and triggers. Tables are compared with the current ones
// (migration_plan.h) and altered; policies, triggers and grants are dropped and created again whenever
// anything changes.
//
// Each collection is a table "data"."<name>" of the owner, with row-level security. A list in its default
// order (Collection::sort, then id in the direction of the last key, with the default order of nulls) is
// served by an index, also when filtered by owner, reference or state.
#pragma once

#include <string>
#include <vector>

#include "services/collections/model.h"

namespace integreat::collections {

struct Column {
    std::string name;
    std::string type;  // As returned by format_type().
    bool required = false;
    std::string default_sql;    // Empty if none.
    std::string generated_sql;  // Empty if not generated.
};

// A constraint or an index: created, compared and dropped as a whole.
struct ConstraintOrIndex {
    std::string name;
    std::string sql;  // "CHECK (...)", "FOREIGN KEY (...) ...", or the part after CREATE [UNIQUE] INDEX name.
};

struct Table {
    std::string name;
    std::vector<Column> columns;
    std::vector<ConstraintOrIndex> checks;
    std::vector<ConstraintOrIndex> references;
    std::vector<ConstraintOrIndex> unique;
    std::vector<ConstraintOrIndex> indexes;
    // UPDATE statements that compute a rollup column for all records, by column name.
    std::vector<ConstraintOrIndex> backfills;
};

struct TargetSchema {
    std::vector<std::string> roles;      // Database roles, one per role of the app.
    std::vector<Table> tables;           // In model order.
    std::vector<std::string> functions;  // CREATE FUNCTION ...
    std::vector<std::string> triggers;   // CREATE TRIGGER ...
    std::vector<std::string> access;     // CREATE POLICY ..., GRANT ...
};

TargetSchema make_target_schema(const Model& model);

// Returns a hash of 16 hex digits: equal for equal schemas.
std::string schema_fingerprint(const TargetSchema& target);
std::string schema_fingerprint(const Model& model);

// Returns the column type as format_type() does: "numeric(5,2)".
std::string column_type(const Field& field);

}  // namespace integreat::collections
