// SPDX-License-Identifier: Apache-2.0
// Rules: who may do what. A mistake here is an open door or a locked one, so every part that says nothing, or
// cannot hold, is refused.
#include <algorithm>
#include <map>
#include <set>

#include "base/text/closest_match.h"
#include "config/checks/check_collections.h"
#include "config/collections/reference_paths.h"
#include "json/document/node.h"

namespace integreat::config {

namespace {

enum class Of { read, create, update, remove, transition };

struct RuleList {
    const CollectionCheck& check;
    const std::vector<RuleSettings>& rules;
    Of of;
    std::string below;  // "/access/read"

    void complain(std::size_t index, std::string_view key, std::string message) const {
        auto pointer = json::below(below, index);
        check.complain(key.empty() ? pointer : json::below(pointer, key), std::move(message));
    }
};

void check_roles(const RuleList& list, std::size_t index) {
    const auto& roles = list.rules[index].roles;
    const auto& known = list.check.manifest.roles;
    for (std::size_t i = 0; i < roles.size(); ++i) {
        if (roles[i].empty() || std::find(known.begin(), known.end(), roles[i]) != known.end()) continue;
        auto hint = did_you_mean(roles[i], known);
        list.check.complain(
            json::below(json::below(list.below, index) + "/roles", i),
            "unknown role " + json::quoted(roles[i]) + (hint.empty() ? ": add it to the app's roles" : hint));
    }
}

void check_public(const RuleList& list, std::size_t index) {
    const auto& rule = list.rules[index];
    bool more = !rule.roles.empty() || !rule.owner.empty() || !rule.through.empty() || rule.signed_in;
    if (!rule.is_public) return;
    if (more) {
        list.complain(index, "public",
                      "public holds for everybody: leave out roles, owner, through and signed_in");
    } else if (list.of != Of::read && list.of != Of::create) {
        list.complain(index, "public",
                      "what anyone may change without a token belongs to nobody: name roles");
    }
}

void check_owner(const RuleList& list, std::size_t index) {
    const auto& rule = list.rules[index];
    if (rule.owner.empty()) return;
    const auto* field = find_field(list.check.collection, rule.owner);
    if (!field) {
        list.complain(index, "owner",
                      "unknown field " + json::quoted(rule.owner) +
                          did_you_mean(rule.owner, field_names(list.check.collection)));
    } else if (!field->type.empty() && !names_a_user(*field)) {
        list.complain(
            index, "owner",
            "owner must be a field of type user, and " + field->name + " is of type " + field->type);
    } else if (list.of == Of::create && field->name == "created_by") {
        list.complain(index, "owner", "whoever makes a record is its created_by: say signed_in: true");
    }
}

void check_through(const RuleList& list, std::size_t index) {
    const auto& rule = list.rules[index];
    if (rule.through.empty()) return;
    auto reading = resolve_path(rule.through, list.check.collection, list.check.manifest.collections);
    if (reading.complaint) {
        list.complain(index, "through", "through " + *reading.complaint);
    } else if (list.of == Of::create && reading.path.steps.front().backward) {
        list.complain(index, "through",
                      "nothing refers to a record before it is made: begin with a reference "
                      "of its own");
    }
}

void check_states(const RuleList& list, std::size_t index) {
    const auto& rule = list.rules[index];
    const auto& states = list.check.collection.states;
    if (rule.states.empty()) return;
    if (!states) {
        list.complain(index, "states", list.check.collection.name + " has no states");
    } else if (list.of == Of::create) {
        list.complain(index, "states",
                      "every record begins as " + json::quoted(states->initial) + ": leave out states");
    } else if (list.of == Of::transition) {
        list.complain(index, "states", "say in from in which states a transition may happen");
    } else {
        for (std::size_t i = 0; i < rule.states.size(); ++i) {
            const auto& names = states->names;
            if (std::find(names.begin(), names.end(), rule.states[i]) != names.end()) continue;
            list.check.complain(
                json::below(json::below(list.below, index) + "/states", i),
                "unknown state " + json::quoted(rule.states[i]) + did_you_mean(rule.states[i], names));
        }
    }
}

void check_rule_fields(const RuleList& list, std::size_t index) {
    const auto& rule = list.rules[index];
    if (rule.fields.empty()) return;
    if (list.of == Of::remove || list.of == Of::transition) {
        list.complain(index, "fields",
                      list.of == Of::remove ? "a record is deleted whole: leave out fields"
                                            : "say in accepts which fields a transition may set");
        return;
    }
    std::string below = json::below(list.below, index) + "/fields";
    check_field_names(list.check, rule.fields, below);
    for (std::size_t i = 0; i < rule.fields.size(); ++i) {
        const auto* field = find_field(list.check.collection, rule.fields[i]);
        if (!field) continue;
        std::string why;
        if (is_system_field(field->name)) {
            why = list.of == Of::read ? field->name + " always shows: leave it out"
                                      : field->name + " is kept by the platform";
        } else if (list.of != Of::read && !field->computed.empty()) {
            why = field->name + " is computed and cannot be written";
        } else if (list.of == Of::update && field->immutable) {
            why = field->name + " is immutable: set when the record is made, never after";
        }
        if (!why.empty()) list.check.complain(json::below(below, i), why);
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
            list.complain(i, "",
                          rule.fields.empty()
                              ? "this rule has no part: it would hold for everybody. Name roles, an "
                                "owner, a path, signed_in or public"
                              : "fields is no condition: name roles, an owner, a path, signed_in or public");
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

// All roles of the app, a user without one (""), and nobody ("-").
std::vector<std::string> everybody(const Manifest& manifest) {
    auto roles = manifest.roles;
    roles.emplace_back("");
    roles.emplace_back("-");
    return roles;
}

bool can_hold(const RuleSettings& rule, const std::string& role) {
    if (role == "-") return rule.is_public;
    return rule.roles.empty() || std::find(rule.roles.begin(), rule.roles.end(), role) != rule.roles.end();
}

std::string called(const std::string& role) {
    return role.empty() ? "users without a role" : role == "-" ? "callers without a token" : "role " + role;
}

// Columns are granted to a role as such: which of them it may use cannot depend on the record.
void check_same_fields(const RuleList& list) {
    for (const auto& role : everybody(list.check.manifest)) {
        const std::set<std::string>* first = nullptr;
        std::set<std::string> sets[2];
        for (std::size_t i = 0; i < list.rules.size(); ++i) {
            if (!can_hold(list.rules[i], role)) continue;
            auto& names = sets[first ? 1 : 0];
            names = {list.rules[i].fields.begin(), list.rules[i].fields.end()};
            if (first && names != *first) {
                list.complain(i, list.rules[i].fields.empty() ? "" : "fields",
                              called(role) +
                                  " has other fields in an entry above: name the same in both, or put "
                                  "what only some may see into a collection of its own");
                return;
            }
            first = &sets[0];
        }
    }
}

// What a record needs must be somebody's to give.
void check_creatable(const RuleList& list) {
    for (std::size_t i = 0; i < list.rules.size(); ++i) {
        const auto& rule = list.rules[i];
        std::set<std::string_view> given(rule.fields.begin(), rule.fields.end());
        for (const auto& field : list.check.collection.fields) {
            bool given_here = rule.fields.empty() || given.contains(field.name);
            bool needed = field.required || field.name == rule.owner;
            if (given_here || !needed || !field.default_value.empty()) continue;
            list.complain(
                i, "fields",
                "fields leaves out " + json::quoted(field.name) + ", without which no record can be made");
        }
    }
}

// To change a record one must see it: the database looks for it by the rules of read.
void check_readable(const RuleList& list) {
    const auto& read = list.check.collection.access.read;
    for (const auto& role : everybody(list.check.manifest)) {
        if (role.empty() || role == "-") continue;
        auto holds = [&](const RuleSettings& rule) { return can_hold(rule, role); };
        auto found = std::find_if(list.rules.begin(), list.rules.end(), holds);
        if (found == list.rules.end() || std::any_of(read.begin(), read.end(), holds)) continue;
        list.complain(static_cast<std::size_t>(found - list.rules.begin()), "",
                      called(role) + " may do this and read no record: add a rule to read");
        return;
    }
}

}  // namespace

void check_access(const CollectionCheck& check) {
    const auto& access = check.collection.access;
    const RuleList lists[] = {{check, access.read, Of::read, "/access/read"},
                              {check, access.create, Of::create, "/access/create"},
                              {check, access.update, Of::update, "/access/update"},
                              {check, access.remove, Of::remove, "/access/delete"}};
    for (const auto& list : lists) {
        check_list(list);
        if (list.of != Of::remove) check_same_fields(list);
        if (list.of == Of::create) check_creatable(list);
        if (list.of == Of::update || list.of == Of::remove) check_readable(list);
    }
}

void check_allow(const CollectionCheck& check, const TransitionSettings& transition) {
    RuleList list{check, transition.allow, Of::transition,
                  json::below("/transitions", transition.name) + "/allow"};
    check_list(list);
    check_readable(list);
}

}  // namespace integreat::config
