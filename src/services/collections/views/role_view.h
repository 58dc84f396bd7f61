// SPDX-License-Identifier: Apache-2.0
// Each role's view of each collection, compiled once per manifest: the fields it may access and the SQL
// fragments that name them. Statements carry the role in a comment, so that two roles never share a prepared
// statement: Postgres plans a statement under row-level security for the role that runs it, and replans it
// whenever that role changes.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "services/collections/model.h"
#include "services/collections/values/field_validator.h"
#include "services/collections/values/json_rendering.h"

namespace integreat::collections {

struct RoleView {
    std::string role;           // App role: "registrar".
    std::string database_role;  // "tenant_campus__registrar"
    std::string sql_comment;    // "/* tenant_campus__registrar */ "
    std::vector<const Field*> readable, creatable, updatable;
    std::string columns;  // Column list of `readable`: "\"id\", \"state\""; empty without readable fields.
    std::string select_by_id;  // Complete statement that reads one record with these columns.
    std::vector<OutputColumn> output_columns;
    std::size_t version_column = 0;

    bool can_read() const { return !readable.empty(); }
    // Returns null if the collection has no such field or the role may not read it.
    const Field* find_readable(std::string_view field) const;
};

struct CollectionPlan {
    const Collection* collection = nullptr;
    std::string table;                           // "\"data\".\"students\""
    std::vector<CompiledField> compiled_fields;  // Same order as collection->fields.
    std::vector<RoleView> views;                 // Same order as Model::roles.

    const CompiledField& compiled(const Field& field) const {
        return compiled_fields[static_cast<std::size_t>(&field - collection->fields.data())];
    }
};

struct ModelPlan {
    std::shared_ptr<const Model> model;
    std::vector<CollectionPlan> collections;  // Same order as Model::collections.

    const CollectionPlan& collection(std::string_view name) const;  // Asserts that the collection exists.
    const RoleView& view(const CollectionPlan& collection, std::string_view role) const;
};

std::shared_ptr<const ModelPlan> compile_plan(std::shared_ptr<const Model> model);

// Returns the quoted column name of a field.
std::string column(const Field& field);

}  // namespace integreat::collections
