// SPDX-License-Identifier: Apache-2.0
#include "config/model/model.h"

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "base/text/find_by_name.h"
#include "config/collections/collection_settings.h"

namespace integreat::config {

namespace {

constexpr std::string_view id_type =
    "id";  // The one type that no manifest names; after those of field_types.

}  // namespace

std::string_view to_string(FieldType type) {
    return type == FieldType::id ? id_type : field_types[static_cast<std::size_t>(type)];
}

FieldType parse_field_type(std::string_view name) {
    static_assert(static_cast<std::size_t>(FieldType::id) == field_types.size());
    if (name == id_type) return FieldType::id;
    auto found = std::find(field_types.begin(), field_types.end(), name);
    ASSERT(found != field_types.end());
    return static_cast<FieldType>(found - field_types.begin());
}

std::string_view to_string(Action action) {
    constexpr std::array<std::string_view, 4> names{"read", "create", "update", "delete"};
    return names[static_cast<std::size_t>(action)];
}

const Field* Collection::find(std::string_view field) const {
    return find_by_name(fields, field);
}

const std::vector<Rule>& Collection::rules(Action action) const {
    switch (action) {
        case Action::read: return read;
        case Action::create: return create;
        case Action::update: return update;
        case Action::remove: break;
    }
    return remove;
}

const Transition* Collection::transition(std::string_view transition_name) const {
    return find_by_name(transitions, transition_name);
}

const Collection* Model::find(std::string_view collection) const {
    return find_by_name(collections, collection);
}

std::vector<std::string> limited_roles(const Model& model, const Collection& collection) {
    std::vector<std::string> limited;
    for (const auto& role : model.roles) {
        auto rules = rules_for(collection.create, role);
        bool open = std::all_of(rules.begin(), rules.end(), [](const Rule* rule) {
            return contains(rule->roles, role_none) || contains(rule->roles, role_anonymous);
        });
        if (!rules.empty() && open) limited.push_back(role);
    }
    return limited;
}

std::vector<const Rule*> rules_for(const std::vector<Rule>& rules, std::string_view role) {
    std::vector<const Rule*> applicable;
    for (const auto& rule : rules)
        if (contains(rule.roles, role)) applicable.push_back(&rule);
    return applicable;
}

std::vector<const Field*> fields_for(const Collection& collection, Action action, std::string_view role) {
    auto rules = rules_for(collection.rules(action), role);
    std::vector<const Field*> fields;
    if (rules.empty()) return fields;
    for (const auto& field : collection.fields)  // All rules of a role name the same fields.
        if (contains(rules.front()->fields, field.name)) fields.push_back(&field);
    return fields;
}

}  // namespace integreat::config
