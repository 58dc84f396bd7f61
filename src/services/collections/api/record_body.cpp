// SPDX-License-Identifier: Apache-2.0
#include "services/collections/api/record_body.h"

#include <algorithm>

#include <boost/json/object.hpp>

#include "base/text/closest_match.h"
#include "json/document/node.h"

namespace integreat::collections {

namespace {

namespace bj = boost::json;

enum class BodyKind { create, patch, transition };

// The body being parsed: its collection, the caller's view and the fields that may be written.
struct BodyContext {
    const CollectionPlan& plan;
    const RoleView& view;
    BodyKind kind;
    std::vector<const Field*> writable;
    const std::string& pointer;
    ValidationErrors& errors;
};

bool includes_field(const std::vector<const Field*>& fields, const Field* field) {
    return std::find(fields.begin(), fields.end(), field) != fields.end();
}

std::string reason_not_writable(const BodyContext& context, std::string_view name) {
    const auto* field = context.plan.collection->find(name);
    const auto& view = context.view;
    bool known = field && (view.find_readable(name) || includes_field(view.creatable, field) ||
                           includes_field(view.updatable, field));
    if (!known) {
        std::vector<std::string> names;
        for (const auto* one : context.writable)
            names.push_back(one->name);
        return "is unknown" + did_you_mean(name, names);
    }
    if (field->name == "state" && field->system) return "can be changed only by a transition";
    if (field->system) return "is set by the platform";
    if (field->computed()) return "is computed and cannot be written";
    if (context.kind == BodyKind::transition) return "is not accepted by this transition";
    if (context.kind == BodyKind::patch && field->immutable)
        return "can be set only when the record is created";
    return "cannot be written by the role " + view.role;
}

void parse_member(const BodyContext& context, ColumnValues& columns, const Field& field,
                  const bj::value& value) {
    auto pointer = json::append_pointer(context.pointer, field.name);
    if (value.is_null()) {
        if (context.kind == BodyKind::create) return;
        if (field.required) return context.errors.add(pointer, "is required: it cannot be cleared");
        columns.fields.push_back(&field);
        columns.values.emplace_back();
        return;
    }
    auto checked = validate_value(context.plan.compiled(field), value, pointer, context.errors);
    if (!checked) return;
    columns.fields.push_back(&field);
    columns.values.emplace_back(*std::move(checked));
}

ColumnValues parse_body(const BodyContext& context, const bj::value& body) {
    ColumnValues columns;
    const auto* object = body.if_object();
    if (!object) {
        context.errors.add(context.pointer, "must be an object");
        return columns;
    }
    for (const auto& member : *object) {
        std::string_view name(member.key().data(), member.key().size());
        bool writable = std::any_of(context.writable.begin(), context.writable.end(),
                                    [&](const Field* field) { return field->name == name; });
        if (!writable)
            context.errors.add(json::append_pointer(context.pointer, name.substr(0, 100)),
                               reason_not_writable(context, name));
    }
    for (const auto* field : context.writable) {
        if (const auto* value = object->if_contains(field->name))
            parse_member(context, columns, *field, *value);
    }
    if (context.kind != BodyKind::create) return columns;
    for (const auto* field : context.writable) {
        const auto* value = object->if_contains(field->name);
        bool given = value && !value->is_null();
        if (field->required && !given && field->default_kind == Field::Default::none)
            context.errors.add(json::append_pointer(context.pointer, field->name), "is required");
    }
    return columns;
}

}  // namespace

ColumnValues parse_create_body(const CollectionPlan& plan, const RoleView& view, const bj::value& body,
                               const std::string& pointer, ValidationErrors& errors) {
    return parse_body({plan, view, BodyKind::create, view.creatable, pointer, errors}, body);
}

std::string reason_not_creatable(const CollectionPlan& plan, const RoleView& view, std::string_view name) {
    const auto* field = plan.collection->find(name);
    if (field && includes_field(view.creatable, field)) return {};
    std::string root;
    ValidationErrors none;
    return reason_not_writable({plan, view, BodyKind::create, view.creatable, root, none}, name);
}

ColumnValues parse_patch_body(const CollectionPlan& plan, const RoleView& view, const bj::value& body,
                              ValidationErrors& errors) {
    std::string root;
    std::vector<const Field*> writable;
    for (const auto* field : view.updatable) {
        if (!field->immutable) writable.push_back(field);
    }
    return parse_body({plan, view, BodyKind::patch, std::move(writable), root, errors}, body);
}

ColumnValues parse_transition_body(const CollectionPlan& plan, const RoleView& view,
                                   const Transition& transition, const bj::value& body,
                                   ValidationErrors& errors) {
    std::string root;
    std::vector<const Field*> accepted;
    for (const auto& field : plan.collection->fields) {
        const auto& names = transition.accepts;
        if (std::find(names.begin(), names.end(), field.name) != names.end()) accepted.push_back(&field);
    }
    return parse_body({plan, view, BodyKind::transition, std::move(accepted), root, errors}, body);
}

std::vector<const Field*> fields_to_merge(const RoleView& view, const bj::value& body) {
    std::vector<const Field*> fields;
    const auto* object = body.if_object();
    if (!object) return fields;
    for (const auto* field : view.updatable) {
        bool holds_object = field->type == FieldType::address || field->type == FieldType::file ||
                            field->type == FieldType::json;
        const auto* value = holds_object ? object->if_contains(field->name) : nullptr;
        if (value && value->is_object() && view.find_readable(field->name)) fields.push_back(field);
    }
    return fields;
}

// The recursion is bounded by the nesting limit of the JSON parser.
bj::value merge_patch(bj::value target, const bj::value& patch) {
    if (!patch.is_object()) return patch;
    if (!target.is_object()) target = bj::object();
    auto& object = target.get_object();
    for (const auto& member : patch.get_object()) {
        if (member.value().is_null()) {
            object.erase(member.key());
            continue;
        }
        bj::value before;
        if (auto* present = object.if_contains(member.key())) before = std::move(*present);
        object[member.key()] = merge_patch(std::move(before), member.value());
    }
    return target;
}

}  // namespace integreat::collections
