// SPDX-License-Identifier: Apache-2.0
// What each role sees of each collection, worked out once per manifest: its fields and the parts of SQL that
// name them. Statements carry the role in a comment, so that no two roles share one that is kept prepared:
// Postgres plans a statement under row-level security for the role that runs it, and plans it anew whenever
// that changes.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/model/model.h"
#include "services/collections/values/field_validator.h"
#include "services/collections/values/json_rendering.h"

namespace integreat::collections {

struct View {
    std::string role;           // Of the app.
    std::string database_role;  // "tenant_campus__registrar"
    std::string comment;        // "/* tenant_campus__registrar */ "
    std::vector<const Field*> readable, creatable, updatable;
    std::string columns;  // Of `readable`: "\"id\", \"state\""; empty if nothing is.
    std::string by_id;    // The whole statement that reads one record with these columns.
    std::vector<Shown> shown;
    std::size_t version = 0;  // Its column.

    bool reads() const { return !readable.empty(); }
    const Field* sees(std::string_view field) const;  // Null: for this role there is no such field.
};

struct CollectionPlan {
    const Collection* collection = nullptr;
    std::string table;             // "\"data\".\"students\""
    std::vector<FieldForm> forms;  // Of collection->fields, in the same order.
    std::vector<View> views;       // Of Model::roles, in the same order.

    const FieldForm& form(const Field& field) const {
        return forms[static_cast<std::size_t>(&field - collection->fields.data())];
    }
};

struct ModelPlan {
    std::shared_ptr<const Model> model;
    std::vector<CollectionPlan> collections;  // Of Model::collections, in the same order.

    const CollectionPlan& of(std::string_view collection) const;  // It exists.
    const View& view(const CollectionPlan& collection, std::string_view role) const;
};

std::shared_ptr<const ModelPlan> compile_plan(std::shared_ptr<const Model> model);

// The column of a field as SQL names it.
std::string column(const Field& field);

}  // namespace integreat::collections
