// SPDX-License-Identifier: Apache-2.0
#include "config/checks/check_access.h"

#include <algorithm>
#include <set>

#include "base/text/closest_match.h"
#include "base/text/find_by_name.h"
#include "config/collections/reference_paths.h"
#include "json/document/node.h"

namespace integreat::config {

namespace {

enum class RuleAction { read, create, update, remove, transition };

struct RuleList {
    const CollectionCheck& check;
    const std::vector<RuleSettings>& rules;
    RuleAction action;
    std::string pointer;  // "/access/read"

    void report(std::size_t index, std::string_view key, std::string message) const {
        auto rule_pointer = json::append_pointer(pointer, index);
        check.report(key.empty() ? rule_pointer : json::append_pointer(rule_pointer, key),
                     std::move(message));
    }
};

void check_roles(const RuleList& list, std::size_t index) {
    const auto& roles = list.rules[index].roles;
    const auto& declared = list.check.manifest.roles;
    for (std::size_t i = 0; i < roles.size(); ++i) {
        if (roles[i].empty() || contains(declared, roles[i])) continue;
        auto hint = did_you_mean(roles[i], declared);
        list.check.report(
            json::append_pointer(json::append_pointer(list.pointer, index) + "/roles", i),
            "unknown role " + json::quoted(roles[i]) + (hint.empty() ? ": add it to the app's roles" : hint));
    }
}

void check_public(const RuleList& list, std::size_t index) {
    const auto& rule = list.rules[index];
    bool has_other_condition =
        !rule.roles.empty() || !rule.owner.empty() || !rule.through.empty() || rule.signed_in;
    if (!rule.is_public) return;
    if (has_other_condition) {
        list.report(index, "public",
                    "public applies to everyone: remove roles, owner, through and signed_in");
    } else if (list.action != RuleAction::read && list.action != RuleAction::create) {
        list.report(index, "public", "public is not allowed for changes: name roles");
    }
}

void check_owner(const RuleList& list, std::size_t index, Rule& compiled) {
    const auto& rule = list.rules[index];
    if (rule.owner.empty()) return;
    const auto* field = find_field(list.check.collection, rule.owner);
    compiled.owner = rule.owner;
    compiled.owner_is_list = field && field->type == "list";
    if (!field) {
        list.report(index, "owner",
                    "unknown field " + json::quoted(rule.owner) +
                        did_you_mean(rule.owner, field_names(list.check.collection)));
    } else if (!field->type.empty() && !can_identify_user(*field)) {
        list.report(index, "owner",
                    "owner must be a field of type user, but " + field->name + " is of type " + field->type);
    } else if (list.action == RuleAction::create && field->name == "created_by") {
        list.report(index, "owner", "created_by is always the caller: write signed_in: true");
    }
}

void check_through(const RuleList& list, std::size_t index, Rule& compiled) {
    const auto& rule = list.rules[index];
    if (rule.through.empty()) return;
    auto result = resolve_path(rule.through, list.check.collection, list.check.manifest.collections);
    if (result.error) {
        list.report(index, "through", "through " + *result.error);
    } else if (list.action == RuleAction::create && result.path.steps.front().backward) {
        list.report(index, "through",
                    "no record can refer to a new record: start with a reference of the record "
                    "itself");
    } else {
        compiled.through = std::move(result.path);
    }
}

void check_states(const RuleList& list, std::size_t index) {
    const auto& rule = list.rules[index];
    const auto& states = list.check.collection.states;
    if (rule.states.empty()) return;
    if (!states) {
        list.report(index, "states", list.check.collection.name + " has no states");
    } else if (list.action == RuleAction::create) {
        list.report(
            index, "states",
            "a new record is always in the state " + json::quoted(states->initial) + ": remove states");
    } else if (list.action == RuleAction::transition) {
        list.report(index, "states", "write the states of a transition in from");
    } else {
        for (std::size_t i = 0; i < rule.states.size(); ++i) {
            if (contains(states->names, rule.states[i])) continue;
            list.check.report(json::append_pointer(json::append_pointer(list.pointer, index) + "/states", i),
                              "unknown state " + json::quoted(rule.states[i]) +
                                  did_you_mean(rule.states[i], states->names));
        }
    }
}

void check_rule_fields(const RuleList& list, std::size_t index) {
    const auto& rule = list.rules[index];
    if (rule.fields.empty()) return;
    if (list.action == RuleAction::remove || list.action == RuleAction::transition) {
        list.report(index, "fields",
                    list.action == RuleAction::remove
                        ? "delete applies to whole records: remove fields"
                        : "write the fields that a transition may set in accepts");
        return;
    }
    std::string pointer = json::append_pointer(list.pointer, index) + "/fields";
    check_field_names(list.check, rule.fields, pointer);
    for (std::size_t i = 0; i < rule.fields.size(); ++i) {
        const auto* field = find_field(list.check.collection, rule.fields[i]);
        if (!field) continue;
        std::string error;
        if (is_system_field(field->name)) {
            error = list.action == RuleAction::read ? field->name + " is always readable: remove it"
                                                    : field->name + " is set by the platform";
        } else if (list.action != RuleAction::read && !field->computed.empty()) {
            error = field->name + " is computed and cannot be written";
        } else if (list.action == RuleAction::update && field->immutable) {
            error = field->name + " is immutable: it can only be set on creation";
        }
        if (!error.empty()) list.check.report(json::append_pointer(pointer, i), error);
    }
}

bool is_empty(const RuleSettings& rule) {
    return rule.roles.empty() && rule.owner.empty() && rule.through.empty() && rule.states.empty() &&
           !rule.is_public && !rule.signed_in;
}

// Returns the roles that the rule applies to.
std::vector<std::string> applicable_roles(const RuleList& list, const RuleSettings& rule) {
    if (!rule.roles.empty()) return rule.roles;
    auto roles = list.check.roles;
    if (!rule.is_public) std::erase(roles, role_anonymous);
    return roles;
}

// Returns true if a rule without `fields` includes the field.
bool is_default_field(const Field& field, RuleAction action) {
    if (action == RuleAction::create) return field.writable();
    if (action == RuleAction::update) return field.writable() && !field.immutable;
    return true;
}

// Returns the fields that the rule includes, in the order of the collection. System fields are always
// readable.
std::vector<std::string> included_fields(const RuleList& list, const RuleSettings& rule) {
    std::vector<std::string> names;
    for (const auto& field : list.check.compiled.fields) {
        bool is_included =
            rule.fields.empty() ? is_default_field(field, list.action) : contains(rule.fields, field.name);
        if (is_included || (list.action == RuleAction::read && field.system)) names.push_back(field.name);
    }
    return names;
}

// Checks each rule on its own and returns all of them compiled.
std::vector<Rule> check_rules(const RuleList& list) {
    std::vector<Rule> all;
    for (std::size_t i = 0; i < list.rules.size(); ++i) {
        const auto& rule = list.rules[i];
        if (is_empty(rule)) {
            list.report(i, "",
                        rule.fields.empty()
                            ? "this rule has no condition and would apply to everyone: add roles, owner, "
                              "through, signed_in or public"
                            : "fields is not a condition: add roles, owner, through, signed_in or public");
            continue;
        }
        auto& compiled = all.emplace_back();
        check_roles(list, i);
        check_public(list, i);
        check_owner(list, i, compiled);
        check_through(list, i, compiled);
        check_states(list, i);
        check_rule_fields(list, i);
        compiled.roles = applicable_roles(list, rule);
        compiled.states = rule.states;
        compiled.fields = included_fields(list, rule);
    }
    return all;
}

bool can_apply(const RuleSettings& rule, std::string_view role) {
    if (role == role_anonymous) return rule.is_public;
    return rule.roles.empty() || contains(rule.roles, role);
}

std::string describe_role(const std::string& role) {
    return role == role_none        ? "users without a role"
           : role == role_anonymous ? "callers without a token"
                                    : "role " + role;
}

// Columns are granted to database roles, so the fields of a role cannot depend on the record.
void check_same_fields(const RuleList& list) {
    for (const auto& role : list.check.roles) {
        const std::set<std::string>* first = nullptr;
        std::set<std::string> sets[2];
        for (std::size_t i = 0; i < list.rules.size(); ++i) {
            if (!can_apply(list.rules[i], role)) continue;
            auto& names = sets[first ? 1 : 0];
            names = {list.rules[i].fields.begin(), list.rules[i].fields.end()};
            if (first && names != *first) {
                list.report(i, list.rules[i].fields.empty() ? "" : "fields",
                            describe_role(role) +
                                " has other fields in a rule above: use the same fields in both, or move "
                                "the restricted fields to another collection");
                return;
            }
            first = &sets[0];
        }
    }
}

// Checks that a rule for create includes all fields that a record needs.
void check_creatable(const RuleList& list) {
    for (std::size_t i = 0; i < list.rules.size(); ++i) {
        const auto& rule = list.rules[i];
        std::set<std::string_view> included(rule.fields.begin(), rule.fields.end());
        for (const auto& field : list.check.collection.fields) {
            bool is_included = rule.fields.empty() || included.contains(field.name);
            bool is_needed = field.required || field.name == rule.owner;
            if (is_included || !is_needed || !field.default_value.empty()) continue;
            list.report(i, "fields",
                        "fields does not include " + json::quoted(field.name) + ", which every record needs");
        }
    }
}

// Checks that a role that may change records may read some: the database finds a record by the rules for
// read.
void check_readable(const RuleList& list) {
    const auto& read = list.check.collection.access.read;
    for (const auto& role : list.check.roles) {
        if (role == role_none || role == role_anonymous) continue;
        auto applies = [&](const RuleSettings& rule) { return can_apply(rule, role); };
        auto found = std::find_if(list.rules.begin(), list.rules.end(), applies);
        if (found == list.rules.end() || std::any_of(read.begin(), read.end(), applies)) continue;
        list.report(static_cast<std::size_t>(found - list.rules.begin()), "",
                    describe_role(role) + " may do this, but may not read any record: add a rule to read");
        return;
    }
}

std::vector<Rule> check_list(const RuleList& list) {
    auto compiled = check_rules(list);
    bool has_fields = list.action == RuleAction::read || list.action == RuleAction::create ||
                      list.action == RuleAction::update;
    if (has_fields) check_same_fields(list);
    if (list.action == RuleAction::create) check_creatable(list);
    if (list.action != RuleAction::read && list.action != RuleAction::create) check_readable(list);
    return compiled;
}

}  // namespace

void check_access(const CollectionCheck& check) {
    const auto& access = check.collection.access;
    auto& compiled = check.compiled;
    compiled.read = check_list({check, access.read, RuleAction::read, "/access/read"});
    compiled.create = check_list({check, access.create, RuleAction::create, "/access/create"});
    compiled.update = check_list({check, access.update, RuleAction::update, "/access/update"});
    compiled.remove = check_list({check, access.remove, RuleAction::remove, "/access/delete"});
}

std::vector<Rule> check_allow(const CollectionCheck& check, const TransitionSettings& transition) {
    return check_list({check, transition.allow, RuleAction::transition,
                       json::append_pointer("/transitions", transition.name) + "/allow"});
}

}  // namespace integreat::config
