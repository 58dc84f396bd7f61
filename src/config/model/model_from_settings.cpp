// SPDX-License-Identifier: Apache-2.0
#include "config/model/model_from_settings.h"

#include <algorithm>

#include "base/text/ascii.h"
#include "base/text/find_by_name.h"
#include "config/collections/literals.h"

namespace integreat::config {

namespace {

// Converts "service_requests" to "Service requests".
std::string title_from_name(std::string_view name) {
    std::string title(name);
    std::replace(title.begin(), title.end(), '_', ' ');
    if (!title.empty()) title[0] = to_upper(title[0]);
    return title;
}

void set_default(Field& field, const std::string& text) {
    using Default = Field::Default;
    if (text.empty()) return;
    bool caller = field.type == FieldType::user;
    bool now = field.type == FieldType::timestamp;
    bool today = field.type == FieldType::date && text == "today";
    field.default_kind = caller  ? Default::caller
                         : now   ? Default::now
                         : today ? Default::today
                                 : Default::literal;
    if (field.default_kind == Default::literal) field.default_literal = text;
}

void set_limits(Field& field, const FieldSettings& settings) {
    bool text = field.type == FieldType::text;
    field.min_length = settings.min_length;
    if (text) field.max_length = settings.max_length.value_or(default_text_length);
    field.pattern = settings.pattern;
    if (!settings.min.empty()) field.min = settings.min;
    if (!settings.max.empty()) field.max = settings.max;
    if (field.type == FieldType::money) {
        field.currency = money_currency(settings);
        if (!field.min && settings.computed.empty()) field.min = "0";
    }
    if (field.type == FieldType::decimal) {
        field.scale = static_cast<int>(decimal_scale(settings));
        field.precision = static_cast<int>(decimal_precision(settings));
    }
    if (field.type == FieldType::list) {
        if (!settings.of.empty()) field.element = parse_field_type(settings.of);
        field.max_items = static_cast<std::size_t>(settings.max_items.value_or(default_list_items));
    }
    if (field.type == FieldType::json)
        field.max_bytes = static_cast<std::size_t>(settings.max_bytes.value_or(default_json_bytes));
}

}  // namespace

Field field_from_settings(const FieldSettings& settings) {
    Field field;
    field.name = settings.name;
    field.type = parse_field_type(settings.type);
    field.required = settings.required;
    field.unique = settings.unique;
    field.indexed = settings.indexed;
    field.immutable = settings.immutable;
    field.personal = settings.personal;
    field.summary = settings.summary;
    field.example = settings.example;
    field.values = settings.values;
    field.target = settings.to;
    field.on_delete = settings.on_delete == "cascade" ? Field::OnDelete::cascade
                      : settings.on_delete == "clear" ? Field::OnDelete::clear
                                                      : Field::OnDelete::restrict;
    set_default(field, settings.default_value);
    set_limits(field, settings);
    return field;
}

Field make_system_field(std::string name, FieldType type) {
    Field field;
    field.name = std::move(name);
    field.type = type;
    field.system = true;
    field.required = field.name != "created_by";  // Null if the record was created without a token.
    return field;
}

Collection collection_from_settings(const CollectionSettings& settings,
                                    const std::vector<std::string>& app_roles) {
    Collection collection;
    collection.name = settings.name;
    collection.title = settings.title.empty() ? title_from_name(settings.name) : settings.title;
    collection.summary = settings.summary;
    collection.unique = settings.unique;
    collection.search = settings.search;
    collection.subject = settings.subject;
    collection.soft_delete = settings.soft_delete;
    collection.max_per_owner = settings.max_per_owner;
    collection.if_match_required = settings.if_match == "required";
    collection.history_roles = settings.history;
    if (settings.history.empty() && contains(app_roles, "admin")) collection.history_roles = {"admin"};
    if (settings.states) collection.initial_state = settings.states->initial;
    for (const auto& key : settings.sort) {
        bool descending = key.starts_with('-');
        collection.sort.push_back({key.substr(descending ? 1 : 0), descending});
    }
    std::erase_if(collection.sort, [](const auto& key) { return key.field == "id"; });
    return collection;
}

}  // namespace integreat::config
