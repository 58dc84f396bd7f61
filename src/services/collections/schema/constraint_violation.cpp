// SPDX-License-Identifier: Apache-2.0
#include "services/collections/schema/constraint_violation.h"

#include "services/collections/views/sql_names.h"

namespace integreat::collections {

namespace {

using Fields = std::vector<std::string>;

Fields one(const std::string& field) {
    return field.empty() ? Fields{} : Fields{field};
}

Fields unique_fields(const Collection& collection, const std::string& constraint) {
    for (auto& set : unique_sets(collection)) {
        if (unique_name(collection, set) == constraint) return set;
    }
    return {};
}

Fields checked_field(const Collection& collection, const std::string& constraint) {
    for (const auto& field : collection.fields) {
        if (check_name(collection, field) == constraint) return {field.name};
    }
    return {};
}

// A reference to nothing, or a record that others refer to: which it is, the table of the constraint says.
RefusedChange broken_reference(const Model& model, const Collection& written, std::string_view constraint) {
    auto find = [&](const Collection& collection) -> const Field* {
        for (const auto& field : collection.fields) {
            if (field.type == FieldType::reference && reference_name(collection, field) == constraint)
                return &field;
        }
        return nullptr;
    };
    for (const auto& collection : model.collections) {
        const auto* field = find(collection);
        if (!field) continue;
        bool own = collection.name == written.name && field->target != written.name;
        return {own ? Refused::unreadable_reference : Refused::referenced, {field->name}, collection.name};
    }
    return {Refused::other, {}, written.name};
}

}  // namespace

RefusedChange explain(const Model& model, const Collection& collection, const postgres::Refusal& refusal) {
    const auto& state = refusal.state;
    auto because = [&](Refused why, Fields fields) {
        return RefusedChange{why, std::move(fields), collection.name};
    };
    if (state == state_wrong_state) return because(Refused::wrong_state, {});
    if (state == state_unreadable_reference)
        return because(Refused::unreadable_reference, one(refusal.column));
    if (state == state_forbidden) return because(Refused::forbidden, one(refusal.column));
    if (state == state_required_for_transition)
        return because(Refused::required_for_transition, one(refusal.column));
    if (state == state_guard) return because(Refused::guard, {});
    if (state == "42501") return because(Refused::forbidden, {});
    if (state == "23505")
        return because(Refused::already_exists, unique_fields(collection, refusal.constraint));
    if (state == "23503") return broken_reference(model, collection, refusal.constraint);
    if (state == "23502") return because(Refused::missing, one(refusal.column));
    if (state == "23514")
        return because(Refused::out_of_range, checked_field(collection, refusal.constraint));
    if (state == "22003") return because(Refused::out_of_range, {});
    return because(Refused::other, {});
}

}  // namespace integreat::collections
