// SPDX-License-Identifier: Apache-2.0
#include "config/checks/check_lifecycle.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/text/closest_match.h"
#include "base/text/find_by_name.h"
#include "config/checks/check_access.h"
#include "config/expression/expression.h"
#include "json/document/node.h"

namespace integreat::config {

namespace {

// Names that cannot be transitions: path segments of /v1/apps/APP/COLLECTION/… and events of the change feed.
constexpr std::array<std::string_view, 10> reserved_names{"history", "changes", "aggregate", "import",
                                                          "export",  "created", "updated",   "deleted",
                                                          "reset",   "expired"};

void check_state(const CollectionCheck& check, const std::string& state, const std::string& pointer) {
    const auto& names = check.collection.states->names;
    if (state.empty() || names.empty() || contains(names, state)) return;
    check.report(pointer, "unknown state " + json::quoted(state) + did_you_mean(state, names));
}

void check_transition_fields(const CollectionCheck& check, const TransitionSettings& transition,
                             const std::string& pointer) {
    check_field_names(check, transition.requires_fields, pointer + "/requires");
    check_field_names(check, transition.accepts, pointer + "/accepts");
    for (std::size_t i = 0; i < transition.accepts.size(); ++i) {
        const auto* field = find_field(check.collection, transition.accepts[i]);
        if (!field) continue;
        std::string reason = is_system_field(field->name) ? "is set by the platform"
                             : !field->computed.empty()   ? "is computed"
                             : field->immutable           ? "is immutable"
                                                          : "";
        if (!reason.empty()) {
            check.report(json::append_pointer(pointer + "/accepts", i),
                         "a transition cannot set " + field->name + ": it " + reason);
        }
    }
}

Transition check_transition(const CollectionCheck& check, const TransitionSettings& transition) {
    std::string pointer = json::append_pointer("/transitions", transition.name);
    if (contains(reserved_names, transition.name)) {
        check.report(pointer, "a transition cannot have the name " + json::quoted(transition.name) +
                                  ": the platform uses it");
    }
    for (std::size_t i = 0; i < transition.from.size(); ++i)
        check_state(check, transition.from[i], json::append_pointer(pointer + "/from", i));
    check_state(check, transition.to, pointer + "/to");
    check_transition_fields(check, transition, pointer);
    Transition compiled{.name = transition.name,
                        .summary = transition.summary,
                        .from = transition.from,
                        .to = transition.to,
                        .allow = check_allow(check, transition),
                        .requires_fields = transition.requires_fields,
                        .accepts = transition.accepts,
                        .guard = transition.guard,
                        .publishes = transition.publishes};
    if (transition.guard.empty()) return compiled;
    auto guard = compile_guard(check.collection, transition.guard);
    if (guard.error) check.report(pointer + "/guard", "guard " + *guard.error);
    compiled.guard_sql = std::move(guard.sql);
    return compiled;
}

void check_reachable(const CollectionCheck& check) {
    const auto& states = *check.collection.states;
    if (!contains(states.names, states.initial)) return;
    std::set<std::string_view> reached{states.initial};
    for (bool changed = true; changed;) {
        changed = false;
        for (const auto& transition : check.collection.transitions) {
            bool possible = std::any_of(transition.from.begin(), transition.from.end(),
                                        [&](const auto& from) { return reached.contains(from); });
            if (possible && reached.insert(transition.to).second) changed = true;
        }
    }
    for (std::size_t i = 0; i < states.names.size(); ++i) {
        if (reached.contains(states.names[i])) continue;
        check.report(json::append_pointer("/states/names", i),
                     "no transition leads to the state " + json::quoted(states.names[i]));
    }
}

}  // namespace

void check_lifecycle(const CollectionCheck& check) {
    const auto& collection = check.collection;
    if (!collection.states) {
        if (!collection.transitions.empty())
            check.report("/transitions", "transitions need states: {initial: …, names: […]}");
        return;
    }
    check_state(check, collection.states->initial, "/states/initial");
    for (const auto& transition : collection.transitions)
        check.compiled.transitions.push_back(check_transition(check, transition));
    check_reachable(check);
}

}  // namespace integreat::config
