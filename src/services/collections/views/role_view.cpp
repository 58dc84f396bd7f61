// SPDX-License-Identifier: Apache-2.0
#include "services/collections/views/role_view.h"

#include <algorithm>

#include "postgres/driver/identifier.h"
#include "services/collections/views/caller_role.h"
#include "services/collections/views/sql_names.h"

namespace integreat::collections {

namespace {

View view_of(const Model& model, const Collection& collection, const std::string& role) {
    auto name = database_role(model.app, role);
    View view{.role = role,
              .database_role = name,
              .comment = "/* " + name + " */ ",
              .readable = fields_for(collection, Action::read, role),
              .creatable = fields_for(collection, Action::create, role),
              .updatable = fields_for(collection, Action::update, role),
              .columns = {},
              .by_id = {},
              .shown = {}};
    for (const auto* field : view.readable)
        view.columns += (view.columns.empty() ? "" : ", ") + column(*field);
    view.by_id = view.comment + "SELECT " + view.columns + " FROM " + table_of(collection.name) +
                 " WHERE \"id\" = $1::uuid";
    view.shown = shown_in_order(view.readable);
    const auto* version = view.sees("version");
    ASSERT(version || !view.reads());  // Those who see anything see the version.
    while (version && view.readable[view.version] != version)
        ++view.version;
    return view;
}

}  // namespace

const Field* View::sees(std::string_view field) const {
    auto found = std::find_if(readable.begin(), readable.end(),
                              [&](const Field* candidate) { return candidate->name == field; });
    return found == readable.end() ? nullptr : *found;
}

const CollectionPlan& ModelPlan::of(std::string_view collection) const {
    auto found = std::find_if(collections.begin(), collections.end(),
                              [&](const auto& plan) { return plan.collection->name == collection; });
    ASSERT(found != collections.end());
    return *found;
}

const View& ModelPlan::view(const CollectionPlan& collection, std::string_view role) const {
    auto found = std::find_if(collection.views.begin(), collection.views.end(),
                              [&](const View& view) { return view.role == role; });
    ASSERT(found != collection.views.end());  // role_of() knows no others.
    return *found;
}

std::shared_ptr<const ModelPlan> compile_plan(std::shared_ptr<const Model> model) {
    auto plan = std::make_shared<ModelPlan>();
    for (const auto& collection : model->collections) {
        auto& entry = plan->collections.emplace_back();
        entry.collection = &collection;
        entry.table = table_of(collection.name);
        for (const auto& field : collection.fields)
            entry.forms.push_back(form_of(field));
        for (const auto& role : model->roles)
            entry.views.push_back(view_of(*model, collection, role));
    }
    plan->model = std::move(model);
    return plan;
}

std::string column(const Field& field) {
    return postgres::quote_identifier(field.name);
}

}  // namespace integreat::collections
