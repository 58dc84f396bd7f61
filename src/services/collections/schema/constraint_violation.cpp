// SPDX-License-Identifier: Apache-2.0
#include "services/collections/schema/constraint_violation.h"

#include "services/collections/views/sql_names.h"

namespace integreat::collections {

namespace {

using Fields = std::vector<std::string>;

Fields single_field(const std::string& field) {
    return field.empty() ? Fields{} : Fields{field};
}

Fields unique_fields(const Collection& collection, const std::string& constraint) {
    for (auto& set : unique_sets(collection)) {
        if (unique_constraint_name(collection, set) == constraint) return set;
    }
    return {};
}

Fields checked_field(const Collection& collection, const std::string& constraint) {
    for (const auto& field : collection.fields) {
        if (check_constraint_name(collection, field) == constraint) return {field.name};
    }
    return {};
}

// Classifies a foreign key violation by the table of the constraint: the written collection refers to a
// missing record, or other records refer to the one being deleted.
ConstraintViolation foreign_key_violation(const Model& model, const Collection& written,
                                          std::string_view constraint) {
    auto find = [&](const Collection& collection) -> const Field* {
        for (const auto& field : collection.fields) {
            if (field.type == FieldType::reference && foreign_key_name(collection, field) == constraint)
                return &field;
        }
        return nullptr;
    };
    for (const auto& collection : model.collections) {
        const auto* field = find(collection);
        if (!field) continue;
        bool is_own_reference = collection.name == written.name && field->target != written.name;
        return {is_own_reference ? ViolationKind::unreadable_reference : ViolationKind::referenced,
                {field->name},
                collection.name};
    }
    return {ViolationKind::other, {}, written.name};
}

}  // namespace

ConstraintViolation classify_violation(const Model& model, const Collection& collection,
                                       const postgres::ServerError& error) {
    const auto& sqlstate = error.sqlstate;
    auto violation = [&](ViolationKind kind, Fields fields) {
        return ConstraintViolation{kind, std::move(fields), collection.name};
    };
    if (sqlstate == sqlstate_wrong_state) return violation(ViolationKind::wrong_state, {});
    if (sqlstate == sqlstate_unreadable_reference)
        return violation(ViolationKind::unreadable_reference, single_field(error.column));
    if (sqlstate == sqlstate_forbidden)
        return violation(ViolationKind::forbidden, single_field(error.column));
    if (sqlstate == sqlstate_required_for_transition)
        return violation(ViolationKind::required_for_transition, single_field(error.column));
    if (sqlstate == sqlstate_quota) return violation(ViolationKind::quota, {});
    if (sqlstate == sqlstate_guard) return violation(ViolationKind::guard, {});
    if (sqlstate == "42501") return violation(ViolationKind::forbidden, {});
    if (sqlstate == "23505")
        return violation(ViolationKind::already_exists, unique_fields(collection, error.constraint));
    if (sqlstate == "23503") return foreign_key_violation(model, collection, error.constraint);
    if (sqlstate == "23502") return violation(ViolationKind::missing, single_field(error.column));
    if (sqlstate == "23514")
        return violation(ViolationKind::out_of_range, checked_field(collection, error.constraint));
    if (sqlstate == "22003") return violation(ViolationKind::out_of_range, {});
    return violation(ViolationKind::other, {});
}

}  // namespace integreat::collections
