// SPDX-License-Identifier: Apache-2.0
#include "services/collections/api/record_body.h"

#include <algorithm>

#include <boost/json/object.hpp>

#include "base/text/closest_match.h"
#include "json/document/node.h"

namespace integreat::collections {

namespace {

namespace bj = boost::json;

enum class Purpose { creation, change, transition };

// One body on its way to columns.
struct Writing {
    const CollectionPlan& plan;
    const View& view;
    Purpose purpose;
    std::vector<const Field*> writable;
    const std::string& pointer;
    Mistakes& mistakes;
};

bool has(const std::vector<const Field*>& fields, const Field* field) {
    return std::find(fields.begin(), fields.end(), field) != fields.end();
}

std::string why_not_writable(const Writing& writing, std::string_view name) {
    const auto* field = writing.plan.collection->find(name);
    const auto& view = writing.view;
    bool known = field && (view.sees(name) || has(view.creatable, field) || has(view.updatable, field));
    if (!known) {
        std::vector<std::string> names;
        for (const auto* one : writing.writable)
            names.push_back(one->name);
        return "is not known here" + did_you_mean(name, names);
    }
    if (field->name == "state" && field->system) return "changes by transitions only";
    if (field->system) return "is set by the platform";
    if (field->computed()) return "is computed";
    if (writing.purpose == Purpose::transition) return "is not accepted by this transition";
    if (writing.purpose == Purpose::change && field->immutable)
        return "can be set only when the record is made";
    return "cannot be written by the role " + view.role;
}

void take_member(const Writing& writing, Written& written, const Field& field, const bj::value& value) {
    auto pointer = json::below(writing.pointer, field.name);
    if (value.is_null()) {
        if (writing.purpose == Purpose::creation) return;
        if (field.required) return writing.mistakes.add(pointer, "is required: it cannot be cleared");
        written.fields.push_back(&field);
        written.values.emplace_back();
        return;
    }
    auto checked = check_value(writing.plan.form(field), value, pointer, writing.mistakes);
    if (!checked) return;
    written.fields.push_back(&field);
    written.values.emplace_back(*std::move(checked));
}

Written check(const Writing& writing, const bj::value& body) {
    Written written;
    const auto* object = body.if_object();
    if (!object) {
        writing.mistakes.add(writing.pointer, "must be an object");
        return written;
    }
    for (const auto& member : *object) {
        std::string_view name(member.key().data(), member.key().size());
        bool fits = std::any_of(writing.writable.begin(), writing.writable.end(),
                                [&](const Field* field) { return field->name == name; });
        if (!fits)
            writing.mistakes.add(json::below(writing.pointer, name.substr(0, 100)),
                                 why_not_writable(writing, name));
    }
    for (const auto* field : writing.writable) {
        if (const auto* value = object->if_contains(field->name))
            take_member(writing, written, *field, *value);
    }
    if (writing.purpose != Purpose::creation) return written;
    for (const auto* field : writing.writable) {
        const auto* value = object->if_contains(field->name);
        bool given = value && !value->is_null();
        if (field->required && !given && field->default_kind == Field::Default::none)
            writing.mistakes.add(json::below(writing.pointer, field->name), "is required");
    }
    return written;
}

}  // namespace

Written check_new(const CollectionPlan& plan, const View& view, const bj::value& body,
                  const std::string& pointer, Mistakes& mistakes) {
    return check({plan, view, Purpose::creation, view.creatable, pointer, mistakes}, body);
}

std::string why_not_creatable(const CollectionPlan& plan, const View& view, std::string_view name) {
    const auto* field = plan.collection->find(name);
    if (field && has(view.creatable, field)) return {};
    std::string whole;
    Mistakes none;
    return why_not_writable({plan, view, Purpose::creation, view.creatable, whole, none}, name);
}

Written check_patch(const CollectionPlan& plan, const View& view, const bj::value& body, Mistakes& mistakes) {
    std::string whole;
    std::vector<const Field*> writable;
    for (const auto* field : view.updatable) {
        if (!field->immutable) writable.push_back(field);
    }
    return check({plan, view, Purpose::change, std::move(writable), whole, mistakes}, body);
}

Written check_accepted(const CollectionPlan& plan, const View& view, const Transition& transition,
                       const bj::value& body, Mistakes& mistakes) {
    std::string whole;
    std::vector<const Field*> accepted;
    for (const auto& field : plan.collection->fields) {
        const auto& names = transition.accepts;
        if (std::find(names.begin(), names.end(), field.name) != names.end()) accepted.push_back(&field);
    }
    return check({plan, view, Purpose::transition, std::move(accepted), whole, mistakes}, body);
}

std::vector<const Field*> merged_fields(const View& view, const bj::value& body) {
    std::vector<const Field*> fields;
    const auto* object = body.if_object();
    if (!object) return fields;
    for (const auto* field : view.updatable) {
        bool holds_object = field->type == FieldType::address || field->type == FieldType::file ||
                            field->type == FieldType::json;
        const auto* value = holds_object ? object->if_contains(field->name) : nullptr;
        if (value && value->is_object() && view.sees(field->name)) fields.push_back(field);
    }
    return fields;
}

// Bodies nest at most as deep as the parser allows, and so does this.
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
