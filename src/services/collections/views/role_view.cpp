// SPDX-License-Identifier: Apache-2.0
#include "services/collections/views/role_view.h"

#include <algorithm>

#include "postgres/driver/identifier.h"
#include "services/collections/views/caller_role.h"
#include "services/collections/views/sql_names.h"

namespace integreat::collections {

namespace {

RoleView make_view(const Model& model, const Collection& collection, const std::string& role) {
    auto name = database_role(model.app, role);
    RoleView view{.role = role,
                  .database_role = name,
                  .sql_comment = "/* " + name + " */ ",
                  .readable = fields_for(collection, Action::read, role),
                  .creatable = fields_for(collection, Action::create, role),
                  .updatable = fields_for(collection, Action::update, role),
                  .columns = {},
                  .select_by_id = {},
                  .output_columns = {}};
    for (const auto* field : view.readable)
        view.columns += (view.columns.empty() ? "" : ", ") + column(*field);
    view.select_by_id = view.sql_comment + "SELECT " + view.columns + " FROM " +
                        qualified_table(collection.name) + " WHERE \"id\" = $1::uuid";
    view.output_columns = output_columns(view.readable);
    const auto* version = view.find_readable("version");
    ASSERT(version || !view.can_read());  // A role that reads anything reads the version.
    while (version && view.readable[view.version_column] != version)
        ++view.version_column;
    return view;
}

}  // namespace

const Field* RoleView::find_readable(std::string_view field) const {
    auto found = std::find_if(readable.begin(), readable.end(),
                              [&](const Field* candidate) { return candidate->name == field; });
    return found == readable.end() ? nullptr : *found;
}

const CollectionPlan& ModelPlan::collection(std::string_view name) const {
    auto found = std::find_if(collections.begin(), collections.end(),
                              [&](const auto& plan) { return plan.collection->name == name; });
    ASSERT(found != collections.end());
    return *found;
}

const RoleView& ModelPlan::view(const CollectionPlan& collection, std::string_view role) const {
    auto found = std::find_if(collection.views.begin(), collection.views.end(),
                              [&](const RoleView& view) { return view.role == role; });
    ASSERT(found != collection.views.end());  // caller_role() returns no others.
    return *found;
}

std::shared_ptr<const ModelPlan> compile_plan(std::shared_ptr<const Model> model) {
    auto plan = std::make_shared<ModelPlan>();
    for (const auto& collection : model->collections) {
        auto& entry = plan->collections.emplace_back();
        entry.collection = &collection;
        entry.table = qualified_table(collection.name);
        for (const auto& field : collection.fields)
            entry.compiled_fields.push_back(compile_field(field));
        for (const auto& role : model->roles)
            entry.views.push_back(make_view(*model, collection, role));
    }
    plan->model = std::move(model);
    return plan;
}

std::string column(const Field& field) {
    return postgres::quote_identifier(field.name);
}

}  // namespace integreat::collections
