// SPDX-License-Identifier: Apache-2.0
// States and transitions: every state can be reached, every transition can be carried out by somebody.
#include <algorithm>
#include <array>
#include <set>

#include "base/text/closest_match.h"
#include "config/checks/check_collections.h"
#include "config/expression/expression.h"
#include "json/document/node.h"

namespace integreat::config {

namespace {

// What stands behind /v1/apps/APP/COLLECTION/… already.
// Parts of paths, and what the change feed calls its own events.
constexpr std::array<std::string_view, 10> taken_names{"history", "changes", "aggregate", "import",
                                                       "export",  "created", "updated",   "deleted",
                                                       "reset",   "expired"};

bool contains(const std::vector<std::string>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

void check_state(const CollectionCheck& check, const std::string& state, const std::string& below) {
    const auto& names = check.collection.states->names;
    if (state.empty() || names.empty() || contains(names, state)) return;
    check.complain(below, "unknown state " + json::quoted(state) + did_you_mean(state, names));
}

void check_transition_fields(const CollectionCheck& check, const TransitionSettings& transition,
                             const std::string& below) {
    check_field_names(check, transition.requires_fields, below + "/requires");
    check_field_names(check, transition.accepts, below + "/accepts");
    for (std::size_t i = 0; i < transition.accepts.size(); ++i) {
        const auto* field = find_field(check.collection, transition.accepts[i]);
        if (!field) continue;
        std::string why = is_system_field(field->name) ? "is kept by the platform"
                          : !field->computed.empty()   ? "is computed"
                          : field->immutable           ? "is immutable"
                                                       : "";
        if (!why.empty()) {
            check.complain(json::below(below + "/accepts", i),
                           "a transition cannot set " + field->name + ": it " + why);
        }
    }
}

void check_transition(const CollectionCheck& check, const TransitionSettings& transition) {
    std::string below = json::below("/transitions", transition.name);
    if (std::find(taken_names.begin(), taken_names.end(), transition.name) != taken_names.end()) {
        check.complain(below, "a transition cannot be called " + json::quoted(transition.name) +
                                  ": the platform has that name itself");
    }
    for (std::size_t i = 0; i < transition.from.size(); ++i)
        check_state(check, transition.from[i], json::below(below + "/from", i));
    check_state(check, transition.to, below + "/to");
    check_transition_fields(check, transition, below);
    check_allow(check, transition);
    if (transition.guard.empty()) return;
    auto reading = compile_guard(check.collection, transition.guard);
    if (reading.complaint) check.complain(below + "/guard", "guard " + *reading.complaint);
}

void check_reachable(const CollectionCheck& check) {
    const auto& states = *check.collection.states;
    if (!contains(states.names, states.initial)) return;
    std::set<std::string_view> reached{states.initial};
    for (bool grown = true; grown;) {
        grown = false;
        for (const auto& transition : check.collection.transitions) {
            bool possible = std::any_of(transition.from.begin(), transition.from.end(),
                                        [&](const auto& from) { return reached.contains(from); });
            if (possible && reached.insert(transition.to).second) grown = true;
        }
    }
    for (std::size_t i = 0; i < states.names.size(); ++i) {
        if (reached.contains(states.names[i])) continue;
        check.complain(json::below("/states/names", i),
                       "no transition leads to the state " + json::quoted(states.names[i]));
    }
}

}  // namespace

void check_lifecycle(const CollectionCheck& check) {
    const auto& collection = check.collection;
    if (!collection.states) {
        if (!collection.transitions.empty())
            check.complain("/transitions", "transitions need states: {initial: …, names: […]}");
        return;
    }
    check_state(check, collection.states->initial, "/states/initial");
    for (const auto& transition : collection.transitions)
        check_transition(check, transition);
    check_reachable(check);
}

}  // namespace integreat::config
