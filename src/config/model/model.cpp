// SPDX-License-Identifier: Apache-2.0
#include "config/model/model.h"

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "base/text/find_by_name.h"
#include "config/collections/literals.h"
#include "config/expression/expression.h"

namespace integreat::collections {

namespace {

constexpr std::array<std::string_view, 17> type_names{
    "text",  "integer", "decimal", "money",     "boolean", "date", "timestamp", "enum", "email",
    "phone", "address", "file",    "reference", "user",    "list", "json",      "id"};

FieldType type_from(std::string_view name) {
    auto found = std::find(type_names.begin(), type_names.end(), name);
    ASSERT(found != type_names.end());
    return static_cast<FieldType>(found - type_names.begin());
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

// "service_requests" → "Service requests"
std::string in_words(std::string_view name) {
    std::string words(name);
    std::replace(words.begin(), words.end(), '_', ' ');
    if (!words.empty() && words[0] >= 'a' && words[0] <= 'z')
        words[0] = static_cast<char>(words[0] - 'a' + 'A');
    return words;
}

Field system_field(std::string name, FieldType type) {
    Field field;
    field.name = std::move(name);
    field.type = type;
    field.system = true;
    field.required = field.name != "created_by";  // Nobody, if a record was made without a token.
    return field;
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

void set_limits(Field& field, const config::FieldSettings& settings) {
    bool text = field.type == FieldType::text;
    field.length_min = settings.length_min;
    if (text) field.length_max = settings.length_max.value_or(config::text_length_default);
    field.pattern = settings.pattern;
    if (!settings.least.empty()) field.least = settings.least;
    if (!settings.most.empty()) field.most = settings.most;
    if (field.type == FieldType::money) {
        field.currency = settings.currency.empty() ? config::currency_default : settings.currency;
        if (!field.least && settings.computed.empty()) field.least = "0";
    }
    if (field.type == FieldType::decimal) {
        auto scale = settings.scale.value_or(config::decimal_scale_default);
        field.scale = static_cast<int>(scale);
        field.digits =
            static_cast<int>(settings.digits.value_or(std::max(config::decimal_digits_default, scale)));
    }
    if (field.type == FieldType::list) {
        field.element = type_from(settings.of);
        field.items_max = static_cast<std::size_t>(settings.items_max.value_or(config::list_items_default));
    }
    if (field.type == FieldType::json)
        field.bytes_max = static_cast<std::size_t>(settings.bytes_max.value_or(config::json_bytes_default));
}

Field field_of(const config::FieldSettings& settings, const config::CollectionSettings& collection,
               const config::Manifest& manifest) {
    Field field;
    field.name = settings.name;
    field.type = type_from(settings.type);
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
    if (config::is_rollup(settings.computed)) {
        field.rollup = config::resolve_rollup(settings, collection, manifest.collections).rollup;
    } else if (!settings.computed.empty()) {
        field.generated_sql = config::compile_computed(collection, settings).sql;
    }
    return field;
}

// Those of the caller that a rule can hold for.
std::vector<std::string> roles_of(const config::RuleSettings& rule, const Model& model) {
    if (!rule.roles.empty()) return rule.roles;
    auto roles = model.roles;
    if (!rule.is_public) std::erase(roles, role_anonymous);
    return roles;
}

struct Compiling {
    const config::Manifest& manifest;
    const config::CollectionSettings& settings;
    const Model& model;
    const Collection& collection;

    // `open` are the fields of a rule that names none; of a reader, the system's always show.
    Rule rule(const config::RuleSettings& written, const std::vector<std::string>& open, bool reads) const;
    std::vector<Rule> rules(const std::vector<config::RuleSettings>& written,
                            const std::vector<std::string>& open, bool reads = false) const;
};

Rule Compiling::rule(const config::RuleSettings& written, const std::vector<std::string>& open,
                     bool reads) const {
    Rule rule;
    rule.roles = roles_of(written, model);
    rule.owner = written.owner;
    if (!rule.owner.empty()) rule.owner_is_list = collection.find(rule.owner)->type == FieldType::list;
    if (!written.through.empty())
        rule.through = config::resolve_path(written.through, settings, manifest.collections).path;
    rule.states = written.states;
    for (const auto& field : collection.fields) {
        bool named =
            written.fields.empty() ? contains(open, field.name) : contains(written.fields, field.name);
        if (named || (reads && field.system)) rule.fields.push_back(field.name);
    }
    return rule;
}

std::vector<Rule> Compiling::rules(const std::vector<config::RuleSettings>& written,
                                   const std::vector<std::string>& open, bool reads) const {
    std::vector<Rule> rules;
    for (const auto& one : written)
        rules.push_back(rule(one, open, reads));
    return rules;
}

void add_fields(Collection& collection, const config::CollectionSettings& settings,
                const config::Manifest& manifest) {
    collection.fields.push_back(system_field("id", FieldType::id));
    if (settings.states) {
        auto state = system_field("state", FieldType::enumeration);
        state.values = settings.states->names;
        collection.initial_state = settings.states->initial;
        collection.fields.push_back(std::move(state));
    }
    for (const auto& field : settings.fields)
        collection.fields.push_back(field_of(field, settings, manifest));
    collection.fields.push_back(system_field("created_at", FieldType::timestamp));
    collection.fields.push_back(system_field("created_by", FieldType::user));
    collection.fields.push_back(system_field("updated_at", FieldType::timestamp));
    collection.fields.push_back(system_field("version", FieldType::integer));
}

void add_rules(Collection& collection, const Compiling& compiling) {
    std::vector<std::string> all, writable, changeable;
    for (const auto& field : collection.fields) {
        all.push_back(field.name);
        if (field.writable()) writable.push_back(field.name);
        if (field.writable() && !field.immutable) changeable.push_back(field.name);
    }
    const auto& access = compiling.settings.access;
    collection.read = compiling.rules(access.read, all, true);
    collection.create = compiling.rules(access.create, writable);
    collection.update = compiling.rules(access.update, changeable);
    collection.remove = compiling.rules(access.remove, all);
    for (const auto& written : compiling.settings.transitions) {
        Transition transition{
            .name = written.name, .summary = written.summary, .from = written.from, .to = written.to};
        transition.allow = compiling.rules(written.allow, all);
        transition.requires_fields = written.requires_fields;
        transition.accepts = written.accepts;
        transition.guard = written.guard;
        transition.publishes = written.publishes;
        if (!written.guard.empty())
            transition.guard_sql = config::compile_guard(compiling.settings, written.guard).sql;
        collection.transitions.push_back(std::move(transition));
    }
}

Collection collection_of(const config::CollectionSettings& settings, const config::Manifest& manifest,
                         const Model& model) {
    Collection collection;
    collection.name = settings.name;
    collection.title = settings.title.empty() ? in_words(settings.name) : settings.title;
    collection.summary = settings.summary;
    collection.unique = settings.unique;
    collection.search = settings.search;
    collection.subject = settings.subject;
    collection.soft_delete = settings.soft_delete;
    collection.if_match_required = settings.if_match == "required";
    collection.history_roles = settings.history;
    if (settings.history.empty() && contains(manifest.roles, "admin")) collection.history_roles = {"admin"};
    for (const auto& key : settings.sort) {
        bool descending = key.starts_with('-');
        collection.sort.push_back({key.substr(descending ? 1 : 0), descending});
    }
    std::erase_if(collection.sort, [](const auto& key) { return key.field == "id"; });
    add_fields(collection, settings, manifest);
    add_rules(collection, {manifest, settings, model, collection});
    return collection;
}

}  // namespace

std::string_view to_string(FieldType type) {
    return type_names[static_cast<std::size_t>(type)];
}

std::string_view to_string(Action action) {
    constexpr std::array<std::string_view, 4> names{"read", "create", "update", "delete"};
    return names[static_cast<std::size_t>(action)];
}

const Field* Collection::find(std::string_view field) const {
    return find_named(fields, field);
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

const Transition* Collection::transition(std::string_view wanted) const {
    return find_named(transitions, wanted);
}

const Collection* Model::find(std::string_view collection) const {
    return find_named(collections, collection);
}

std::vector<const Rule*> rules_for(const std::vector<Rule>& rules, std::string_view role) {
    std::vector<const Rule*> held;
    for (const auto& rule : rules)
        if (contains(rule.roles, role)) held.push_back(&rule);
    return held;
}

std::vector<const Field*> fields_for(const Collection& collection, Action action, std::string_view role) {
    auto rules = rules_for(collection.rules(action), role);
    std::vector<const Field*> fields;
    if (rules.empty()) return fields;
    for (const auto& field : collection.fields)  // All rules of a role name the same.
        if (contains(rules.front()->fields, field.name)) fields.push_back(&field);
    return fields;
}

std::shared_ptr<const Model> compile_model(const config::Manifest& manifest) {
    auto model = std::make_shared<Model>();
    model->app = manifest.app;
    model->title = manifest.title;
    model->roles = manifest.roles;
    model->roles.emplace_back(role_none);
    model->roles.emplace_back(role_anonymous);
    for (const auto& collection : manifest.collections)
        model->collections.push_back(collection_of(collection, manifest, *model));
    return model;
}

}  // namespace integreat::collections
