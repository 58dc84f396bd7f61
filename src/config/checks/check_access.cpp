// SPDX-License-Identifier: Apache-2.0
// Checks access rules. An error in a rule grants too much or too little, so every condition that has no
// effect or can never hold is refused.
#include <algorithm>
#include <map>
#include <set>

#include "base/text/closest_match.h"
#include "config/checks/check_collections.h"
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
        if (roles[i].empty() || std::find(declared.begin(), declared.end(), roles[i]) != declared.end())
            continue;
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

void check_owner(const RuleList& list, std::size_t index) {
    const auto& rule = list.rules[index];
    if (rule.owner.empty()) return;
    const auto* field = find_field(list.check.collection, rule.owner);
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

void check_through(const RuleList& list, std::size_t index) {
    const auto& rule = list.rules[index];
    if (rule.through.empty()) return;
    auto result = resolve_path(rule.through, list.check.collection, list.check.manifest.collections);
    if (result.error) {
        list.report(index, "through", "through " + *result.error);
    } else if (list.action == RuleAction::create && result.path.steps.front().backward) {
        list.report(index, "through",
                    "no record can refer to a new record: start with a reference of the record "
                    "itself");
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
            const auto& names = states->names;
            if (std::find(names.begin(), names.end(), rule.states[i]) != names.end()) continue;
            list.check.report(
                json::append_pointer(json::append_pointer(list.pointer, index) + "/states", i),
                "unknown state " + json::quoted(rule.states[i]) + did_you_mean(rule.states[i], names));
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

void check_list(const RuleList& list) {
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
        check_roles(list, i);
        check_public(list, i);
        check_owner(list, i);
        check_through(list, i);
        check_states(list, i);
        check_rule_fields(list, i);
    }
}

// Returns all roles of the app, "" for users without a role, and "-" for callers without a token.
std::vector<std::string> all_roles(const Manifest& manifest) {
    auto roles = manifest.roles;
    roles.emplace_back("");
    roles.emplace_back("-");
    return roles;
}

bool can_apply(const RuleSettings& rule, const std::string& role) {
    if (role == "-") return rule.is_public;
    return rule.roles.empty() || std::find(rule.roles.begin(), rule.roles.end(), role) != rule.roles.end();
}

std::string describe_role(const std::string& role) {
    return role.empty() ? "users without a role" : role == "-" ? "callers without a token" : "role " + role;
}

// Columns are granted to database roles, so the fields of a role cannot depend on the record.
void check_same_fields(const RuleList& list) {
    for (const auto& role : all_roles(list.check.manifest)) {
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
    for (const auto& role : all_roles(list.check.manifest)) {
        if (role.empty() || role == "-") continue;
        auto applies = [&](const RuleSettings& rule) { return can_apply(rule, role); };
        auto found = std::find_if(list.rules.begin(), list.rules.end(), applies);
        if (found == list.rules.end() || std::any_of(read.begin(), read.end(), applies)) continue;
        list.report(static_cast<std::size_t>(found - list.rules.begin()), "",
                    describe_role(role) + " may do this, but may not read any record: add a rule to read");
        return;
    }
}

}  // namespace

void check_access(const CollectionCheck& check) {
    const auto& access = check.collection.access;
    const RuleList lists[] = {{check, access.read, RuleAction::read, "/access/read"},
                              {check, access.create, RuleAction::create, "/access/create"},
                              {check, access.update, RuleAction::update, "/access/update"},
                              {check, access.remove, RuleAction::remove, "/access/delete"}};
    for (const auto& list : lists) {
        check_list(list);
        if (list.action != RuleAction::remove) check_same_fields(list);
        if (list.action == RuleAction::create) check_creatable(list);
        if (list.action == RuleAction::update || list.action == RuleAction::remove) check_readable(list);
    }
}

void check_allow(const CollectionCheck& check, const TransitionSettings& transition) {
    RuleList list{check, transition.allow, RuleAction::transition,
                  json::append_pointer("/transitions", transition.name) + "/allow"};
    check_list(list);
    check_readable(list);
}

}  // namespace integreat::config
