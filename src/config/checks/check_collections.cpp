// SPDX-License-Identifier: Apache-2.0
#include "config/checks/check_collections.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/text/ascii.h"
#include "base/text/closest_match.h"
#include "base/text/find_by_name.h"
#include "config/checks/check_access.h"
#include "config/checks/check_fields.h"
#include "config/checks/check_lifecycle.h"
#include "config/collections/reference_paths.h"
#include "config/manifest/routes.h"
#include "config/model/model_from_settings.h"
#include "json/document/node.h"

namespace integreat::config {

namespace {

bool is_composite(const FieldSettings& field) {
    return field.type == "address" || field.type == "file" || field.type == "json" || field.type == "list";
}

// Returns true if the route of the manifest conflicts with a route of the collection.
bool conflicts(const CollectionSettings& collection, const RouteSettings& route) {
    std::string root = "/" + collection.name;
    auto shape = path_shape(route.path);
    auto has = [&](std::string_view method) { return contains(route.methods, method); };
    if (shape == root) return has("GET") || has("POST");
    if (shape == root + "/{}") return has("GET") || has("PATCH") || has("DELETE");
    if (shape == root + "/{}/{}") return has("POST");
    if (shape == root + "/{}/history" || shape == root + "/export.csv" || shape == root + "/aggregate" ||
        shape == root + "/changes")
        return has("GET");
    if (shape == root + "/import") return has("POST");
    return has("POST") &&
           std::any_of(collection.transitions.begin(), collection.transitions.end(),
                       [&](const auto& transition) { return shape == root + "/{}/" + transition.name; });
}

void check_route_conflicts(Document& document, const Manifest& manifest) {
    for (std::size_t i = 0; i < manifest.routes.size(); ++i) {
        const auto& route = manifest.routes[i];
        auto pointer = json::append_pointer("/routes", i);
        for (const auto& collection : manifest.collections) {
            if (conflicts(collection, route)) {
                report(document, pointer + "/path",
                       "this path belongs to the collection " + collection.name + ": choose another path");
            } else if (operation_name(manifest, route, "GET") == manifest.app.text + "." + collection.name) {
                report(
                    document, pointer + (route.name.empty() ? "/path" : "/name"),
                    "a collection has the name " + collection.name + ": choose another name for the route");
            }
        }
    }
}

void check_unique(const CollectionCheck& check) {
    const auto& sets = check.collection.unique;
    for (std::size_t i = 0; i < sets.size(); ++i) {
        std::string pointer = json::append_pointer("/unique", i);
        if (!check_field_names(check, sets[i], pointer)) continue;
        if (sets[i].size() == 1) {
            check.report(pointer, "write unique at a single field: " + sets[i][0] + ": {unique: true}");
        }
        for (std::size_t j = 0; j < sets[i].size(); ++j) {
            const auto& field = *find_field(check.collection, sets[i][j]);
            bool is_aggregate = is_rollup(field.computed);
            if (!is_composite(field) && !is_aggregate && field.max_length.value_or(0) <= max_indexed_length)
                continue;
            check.report(json::append_pointer(pointer, j),
                         field.name + " cannot be unique: it is " +
                             (is_aggregate          ? "computed"
                              : is_composite(field) ? "of type " + field.type
                                                    : "too long"));
        }
    }
}

void check_search(const CollectionCheck& check) {
    const auto& search = check.collection.search;
    if (!check_field_names(check, search, "/search")) return;
    for (std::size_t i = 0; i < search.size(); ++i) {
        const auto& type = find_field(check.collection, search[i])->type;
        if (type == "text" || type == "email" || type == "phone" || type == "enum") continue;
        check.report(json::append_pointer("/search", i),
                     "q= searches texts only, but " + search[i] + " is of type " + type);
    }
}

void check_sort(const CollectionCheck& check) {
    const auto& sort = check.collection.sort;
    std::vector<std::string> names;
    for (const auto& key : sort)
        names.push_back(key.starts_with('-') ? key.substr(1) : key);
    if (!check_field_names(check, names, "/sort")) return;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const auto& field = *find_field(check.collection, names[i]);
        bool repeated = std::find(names.begin(), names.begin() + std::ptrdiff_t(i), names[i]) !=
                        names.begin() + std::ptrdiff_t(i);
        if (repeated)
            check.report(json::append_pointer("/sort", i), "sort has " + json::quoted(names[i]) + " twice");
        if (is_composite(field))
            check.report(json::append_pointer("/sort", i),
                         "lists cannot be sorted by a field of type " + field.type);
    }
}

void check_history_and_subject(const CollectionCheck& check) {
    const auto& collection = check.collection;
    for (std::size_t i = 0; i < collection.history.size(); ++i) {
        const auto& role = collection.history[i];
        if (role.empty() || contains(check.manifest.roles, role)) continue;
        check.report(json::append_pointer("/history", i),
                     "unknown role " + json::quoted(role) + did_you_mean(role, check.manifest.roles));
    }
    if (!collection.subject.empty()) {
        const auto* field = find_field(collection, collection.subject);
        if (!field) {
            check.report("/subject", "unknown field " + json::quoted(collection.subject) +
                                         did_you_mean(collection.subject, field_names(collection)));
        } else if (field->type != "user" && field->type != "email") {
            check.report("/subject", "subject must be a field of type user or email, but " + field->name +
                                         " is of type " + field->type);
        }
        return;
    }
    for (const auto& field : collection.fields) {
        if (!field.personal) continue;
        check.report(json::append_pointer("/fields", field.name) + "/personal",
                     "personal needs a subject: name the field that identifies the person, subject: user");
    }
}

void check_collection(const CollectionCheck& check) {
    const auto& collection = check.collection;
    if (collection.name == "me") check.report("", "the platform uses /me: choose another name");
    const auto& access = collection.access;
    bool has_rules =
        !access.read.empty() || !access.create.empty() || !access.update.empty() || !access.remove.empty();
    const auto* written = json::find(check.document.tree, check.pointer + "/access");
    if (!has_rules && written && written->members.empty())
        check.report("/access", "no role has access to " + collection.name + ": add rules");
    check_fields(check);
    check_unique(check);
    check_search(check);
    check_sort(check);
    check_lifecycle(check);
    check_access(check);
    check_history_and_subject(check);
}

// A directed graph of collections or fields that must have no cycle.
using Edges = std::map<std::string, std::vector<std::string>>;

// Returns a cycle through `from`, or nothing.
std::vector<std::string> find_cycle(const Edges& edges, const std::string& from) {
    std::map<std::string, std::string> predecessors;
    std::vector<std::string> pending{from};
    while (!pending.empty()) {
        auto here = pending.back();
        pending.pop_back();
        auto found = edges.find(here);
        if (found == edges.end()) continue;
        for (const auto& next : found->second) {
            if (next == from) {
                std::vector<std::string> cycle{from};
                for (auto step = here; step != from; step = predecessors[step])
                    cycle.insert(cycle.begin() + 1, step);
                return cycle;
            }
            if (predecessors.emplace(next, here).second) pending.push_back(next);
        }
    }
    return {};
}

std::string format_cycle(const std::vector<std::string>& cycle) {
    std::string text;
    for (const auto& step : cycle)
        text += step + " → ";
    return text + cycle.front();
}

// Checks that required references do not form a cycle, because then no record could be created.
void check_required_cycles(Document& document, const Manifest& manifest) {
    Edges edges;
    for (const auto& collection : manifest.collections) {
        for (const auto& field : collection.fields)
            if (field.type == "reference" && field.required) edges[collection.name].push_back(field.to);
    }
    std::set<std::string> reported;
    for (const auto& collection : manifest.collections) {
        auto cycle = reported.contains(collection.name) ? std::vector<std::string>()
                                                        : find_cycle(edges, collection.name);
        if (cycle.empty()) continue;
        reported.insert(cycle.begin(), cycle.end());
        report(
            document, json::append_pointer("/collections", collection.name),
            "no record could be created: the required references form a cycle (" + format_cycle(cycle) + ")");
    }
}

// Returns the names in an expression: fields of the record and functions.
std::vector<std::string> find_names(std::string_view expression) {
    std::vector<std::string> names;
    std::string name;
    for (char c : std::string(expression) + " ") {
        bool part = is_lower(c) || is_digit(c) || c == '_';
        if (part) {
            name += c;
        } else if (!name.empty()) {
            names.push_back(std::exchange(name, ""));
        }
    }
    return names;
}

// Checks that computed fields do not depend on themselves.
void check_computed_cycles(Document& document, const Manifest& manifest, const Model& model) {
    Edges edges;
    auto qualified_name = [](std::string_view collection, std::string_view field) {
        return std::string(collection) + "." + std::string(field);
    };
    for (const auto& collection : manifest.collections) {
        for (const auto& field : collection.fields) {
            if (field.computed.empty()) continue;
            auto& needs = edges[qualified_name(collection.name, field.name)];
            if (!is_rollup(field.computed)) {
                for (const auto& name : find_names(field.computed))
                    needs.push_back(qualified_name(collection.name, name));
                continue;
            }
            const auto* compiled = model.find(collection.name)->find(field.name);
            if (!compiled || !compiled->rollup) continue;  // Already reported.
            const auto& rollup = *compiled->rollup;
            for (const auto& value : {rollup.value, rollup.weight})
                if (!value.empty()) needs.push_back(qualified_name(rollup.collection, value));
        }
    }
    std::set<std::string> reported;
    for (const auto& collection : manifest.collections) {
        for (const auto& field : collection.fields) {
            if (field.computed.empty() || reported.contains(qualified_name(collection.name, field.name)))
                continue;
            auto cycle = find_cycle(edges, qualified_name(collection.name, field.name));
            if (cycle.empty()) continue;
            reported.insert(cycle.begin(), cycle.end());
            report(document,
                   json::append_pointer(json::append_pointer("/collections", collection.name) + "/fields",
                                        field.name) +
                       "/computed",
                   field.name + " is computed from itself (" + format_cycle(cycle) + ")");
        }
    }
}

}  // namespace

std::shared_ptr<const Model> check_collections(Document& document, const Manifest& manifest) {
    auto model = std::make_shared<Model>();
    model->app = manifest.app;
    model->title = manifest.title;
    model->roles = manifest.roles;
    model->roles.emplace_back(role_none);
    model->roles.emplace_back(role_anonymous);
    for (const auto& collection : manifest.collections) {
        auto& compiled =
            model->collections.emplace_back(collection_from_settings(collection, manifest.roles));
        check_collection({document, manifest, collection, model->roles, compiled,
                          json::append_pointer("/collections", collection.name)});
    }
    check_route_conflicts(document, manifest);
    check_required_cycles(document, manifest);
    check_computed_cycles(document, manifest, *model);
    return model;
}

}  // namespace integreat::config
