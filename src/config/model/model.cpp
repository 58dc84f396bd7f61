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

FieldType parse_field_type(std::string_view name) {
    auto found = std::find(type_names.begin(), type_names.end(), name);
    ASSERT(found != type_names.end());
    return static_cast<FieldType>(found - type_names.begin());
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

// Converts "service_requests" to "Service requests".
std::string title_from_name(std::string_view name) {
    std::string title(name);
    std::replace(title.begin(), title.end(), '_', ' ');
    if (!title.empty() && title[0] >= 'a' && title[0] <= 'z')
        title[0] = static_cast<char>(title[0] - 'a' + 'A');
    return title;
}

Field make_system_field(std::string name, FieldType type) {
    Field field;
    field.name = std::move(name);
    field.type = type;
    field.system = true;
    field.required = field.name != "created_by";  // Null if the record was created without a token.
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
    field.min_length = settings.min_length;
    if (text) field.max_length = settings.max_length.value_or(config::default_text_length);
    field.pattern = settings.pattern;
    if (!settings.min.empty()) field.min = settings.min;
    if (!settings.max.empty()) field.max = settings.max;
    if (field.type == FieldType::money) {
        field.currency = settings.currency.empty() ? config::default_currency : settings.currency;
        if (!field.min && settings.computed.empty()) field.min = "0";
    }
    if (field.type == FieldType::decimal) {
        auto scale = settings.scale.value_or(config::default_decimal_scale);
        field.scale = static_cast<int>(scale);
        field.precision =
            static_cast<int>(settings.precision.value_or(std::max(config::default_decimal_precision, scale)));
    }
    if (field.type == FieldType::list) {
        field.element = parse_field_type(settings.of);
        field.max_items = static_cast<std::size_t>(settings.max_items.value_or(config::default_list_items));
    }
    if (field.type == FieldType::json)
        field.max_bytes = static_cast<std::size_t>(settings.max_bytes.value_or(config::default_json_bytes));
}

Field make_field(const config::FieldSettings& settings, const config::CollectionSettings& collection,
                 const config::Manifest& manifest) {
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
    if (config::is_rollup(settings.computed)) {
        field.rollup = config::resolve_rollup(settings, collection, manifest.collections).rollup;
    } else if (!settings.computed.empty()) {
        field.generated_sql = config::compile_computed(collection, settings).sql;
    }
    return field;
}

// Returns the roles that a rule applies to.
std::vector<std::string> applicable_roles(const config::RuleSettings& rule, const Model& model) {
    if (!rule.roles.empty()) return rule.roles;
    auto roles = model.roles;
    if (!rule.is_public) std::erase(roles, role_anonymous);
    return roles;
}

struct RuleCompiler {
    const config::Manifest& manifest;
    const config::CollectionSettings& settings;
    const Model& model;
    const Collection& collection;

    // `default_fields` apply to a rule that names no fields. A read rule always includes the system fields.
    Rule compile(const config::RuleSettings& source, const std::vector<std::string>& default_fields,
                 bool is_read) const;
    std::vector<Rule> compile_all(const std::vector<config::RuleSettings>& sources,
                                  const std::vector<std::string>& default_fields, bool is_read = false) const;
};

Rule RuleCompiler::compile(const config::RuleSettings& source, const std::vector<std::string>& default_fields,
                           bool is_read) const {
    Rule rule;
    rule.roles = applicable_roles(source, model);
    rule.owner = source.owner;
    if (!rule.owner.empty()) rule.owner_is_list = collection.find(rule.owner)->type == FieldType::list;
    if (!source.through.empty())
        rule.through = config::resolve_path(source.through, settings, manifest.collections).path;
    rule.states = source.states;
    for (const auto& field : collection.fields) {
        bool included = source.fields.empty() ? contains(default_fields, field.name)
                                              : contains(source.fields, field.name);
        if (included || (is_read && field.system)) rule.fields.push_back(field.name);
    }
    return rule;
}

std::vector<Rule> RuleCompiler::compile_all(const std::vector<config::RuleSettings>& sources,
                                            const std::vector<std::string>& default_fields,
                                            bool is_read) const {
    std::vector<Rule> rules;
    for (const auto& entry : sources)
        rules.push_back(compile(entry, default_fields, is_read));
    return rules;
}

void add_fields(Collection& collection, const config::CollectionSettings& settings,
                const config::Manifest& manifest) {
    collection.fields.push_back(make_system_field("id", FieldType::id));
    if (settings.states) {
        auto state = make_system_field("state", FieldType::enumeration);
        state.values = settings.states->names;
        collection.initial_state = settings.states->initial;
        collection.fields.push_back(std::move(state));
    }
    for (const auto& field : settings.fields)
        collection.fields.push_back(make_field(field, settings, manifest));
    collection.fields.push_back(make_system_field("created_at", FieldType::timestamp));
    collection.fields.push_back(make_system_field("created_by", FieldType::user));
    collection.fields.push_back(make_system_field("updated_at", FieldType::timestamp));
    collection.fields.push_back(make_system_field("version", FieldType::integer));
}

void add_rules(Collection& collection, const RuleCompiler& compiler) {
    std::vector<std::string> all, writable, updatable;
    for (const auto& field : collection.fields) {
        all.push_back(field.name);
        if (field.writable()) writable.push_back(field.name);
        if (field.writable() && !field.immutable) updatable.push_back(field.name);
    }
    const auto& access = compiler.settings.access;
    collection.read = compiler.compile_all(access.read, all, true);
    collection.create = compiler.compile_all(access.create, writable);
    collection.update = compiler.compile_all(access.update, updatable);
    collection.remove = compiler.compile_all(access.remove, all);
    for (const auto& source : compiler.settings.transitions) {
        Transition transition{
            .name = source.name, .summary = source.summary, .from = source.from, .to = source.to};
        transition.allow = compiler.compile_all(source.allow, all);
        transition.requires_fields = source.requires_fields;
        transition.accepts = source.accepts;
        transition.guard = source.guard;
        transition.publishes = source.publishes;
        if (!source.guard.empty())
            transition.guard_sql = config::compile_guard(compiler.settings, source.guard).sql;
        collection.transitions.push_back(std::move(transition));
    }
}

Collection make_collection(const config::CollectionSettings& settings, const config::Manifest& manifest,
                           const Model& model) {
    Collection collection;
    collection.name = settings.name;
    collection.title = settings.title.empty() ? title_from_name(settings.name) : settings.title;
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

std::shared_ptr<const Model> compile_model(const config::Manifest& manifest) {
    auto model = std::make_shared<Model>();
    model->app = manifest.app;
    model->title = manifest.title;
    model->roles = manifest.roles;
    model->roles.emplace_back(role_none);
    model->roles.emplace_back(role_anonymous);
    for (const auto& collection : manifest.collections)
        model->collections.push_back(make_collection(collection, manifest, *model));
    return model;
}

}  // namespace integreat::collections
