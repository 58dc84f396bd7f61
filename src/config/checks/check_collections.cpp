// SPDX-License-Identifier: Apache-2.0
#include "config/checks/check_collections.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/text/closest_match.h"
#include "config/collections/reference_paths.h"
#include "config/manifest/routes.h"
#include "json/document/node.h"

namespace integreat::config {

namespace {

bool contains(const std::vector<std::string>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_composite(const FieldSettings& field) {
    return field.type == "address" || field.type == "file" || field.type == "json" || field.type == "list";
}

// Does the app's own route answer what the collection answers?
bool takes(const CollectionSettings& collection, const RouteSettings& route) {
    std::string root = "/" + collection.name;
    auto shape = shape_of(route.path);
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

void check_routes(Document& document, const Manifest& manifest) {
    for (std::size_t i = 0; i < manifest.routes.size(); ++i) {
        const auto& route = manifest.routes[i];
        auto pointer = json::below("/routes", i);
        for (const auto& collection : manifest.collections) {
            if (takes(collection, route)) {
                complain(
                    document, pointer + "/path",
                    "the collection " + collection.name + " answers " + route.path + ": choose another path");
            } else if (operation_of(manifest, route, "GET") == manifest.app.text + "." + collection.name) {
                complain(document, pointer + (route.name.empty() ? "/path" : "/name"),
                         "a collection is called " + collection.name + ": give the route another name");
            }
        }
    }
}

void check_unique(const CollectionCheck& check) {
    const auto& sets = check.collection.unique;
    for (std::size_t i = 0; i < sets.size(); ++i) {
        std::string below = json::below("/unique", i);
        if (!check_field_names(check, sets[i], below)) continue;
        if (sets[i].size() == 1) {
            check.complain(below,
                           "one field that is unique says so itself: " + sets[i][0] + ": {unique: true}");
        }
        for (std::size_t j = 0; j < sets[i].size(); ++j) {
            const auto& field = *find_field(check.collection, sets[i][j]);
            bool rolled_up = is_rollup(field.computed);
            if (!is_composite(field) && !rolled_up && field.length_max.value_or(0) <= index_length_max)
                continue;
            check.complain(json::below(below, j), field.name + " cannot be unique: it is " +
                                                      (rolled_up             ? "computed"
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
        check.complain(json::below("/search", i),
                       "q= looks into texts: " + search[i] + " is of type " + type);
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
        bool twice = std::find(names.begin(), names.begin() + std::ptrdiff_t(i), names[i]) !=
                     names.begin() + std::ptrdiff_t(i);
        if (twice) check.complain(json::below("/sort", i), "sort has " + json::quoted(names[i]) + " twice");
        if (is_composite(field))
            check.complain(json::below("/sort", i),
                           "lists cannot be sorted by a field of type " + field.type);
    }
}

void check_people(const CollectionCheck& check) {
    const auto& collection = check.collection;
    for (std::size_t i = 0; i < collection.history.size(); ++i) {
        const auto& role = collection.history[i];
        if (role.empty() || contains(check.manifest.roles, role)) continue;
        check.complain(json::below("/history", i),
                       "unknown role " + json::quoted(role) + did_you_mean(role, check.manifest.roles));
    }
    if (!collection.subject.empty()) {
        const auto* field = find_field(collection, collection.subject);
        if (!field) {
            check.complain("/subject", "unknown field " + json::quoted(collection.subject) +
                                           did_you_mean(collection.subject, field_names(collection)));
        } else if (field->type != "user" && field->type != "email") {
            check.complain("/subject", "subject must be a field of type user or email, and " + field->name +
                                           " is of type " + field->type);
        }
        return;
    }
    for (const auto& field : collection.fields) {
        if (!field.personal) continue;
        check.complain(json::below("/fields", field.name) + "/personal",
                       "whose personal data is " + json::quoted(field.name) +
                           "? Name the field of the person: " + "subject: user");
    }
}

void check_collection(const CollectionCheck& check) {
    const auto& collection = check.collection;
    if (collection.name == "me") check.complain("", "/me is the platform's own: choose another name");
    const auto& access = collection.access;
    bool open =
        !access.read.empty() || !access.create.empty() || !access.update.empty() || !access.remove.empty();
    const auto* written = json::find(check.document.tree, check.pointer + "/access");
    if (!open && written && written->members.empty())
        check.complain("/access", "nobody may do anything with " + collection.name + ": add rules");
    check_fields(check);
    check_unique(check);
    check_search(check);
    check_sort(check);
    check_lifecycle(check);
    check_access(check);
    check_people(check);
}

// Collections and fields as a graph in which something must not lead back to itself.
using Edges = std::map<std::string, std::vector<std::string>>;

// The way from `from` back to itself, or nothing.
std::vector<std::string> circle_of(const Edges& edges, const std::string& from) {
    std::map<std::string, std::string> came_from;
    std::vector<std::string> open{from};
    while (!open.empty()) {
        auto here = open.back();
        open.pop_back();
        auto found = edges.find(here);
        if (found == edges.end()) continue;
        for (const auto& next : found->second) {
            if (next == from) {
                std::vector<std::string> way{from};
                for (auto step = here; step != from; step = came_from[step])
                    way.insert(way.begin() + 1, step);
                return way;
            }
            if (came_from.emplace(next, here).second) open.push_back(next);
        }
    }
    return {};
}

std::string shown(const std::vector<std::string>& way) {
    std::string text;
    for (const auto& step : way)
        text += step + " → ";
    return text + way.front();
}

// Records that need each other before they exist could never be made.
void check_required_circles(Document& document, const Manifest& manifest) {
    Edges edges;
    for (const auto& collection : manifest.collections) {
        for (const auto& field : collection.fields)
            if (field.type == "reference" && field.required) edges[collection.name].push_back(field.to);
    }
    std::set<std::string> told;
    for (const auto& collection : manifest.collections) {
        auto way =
            told.contains(collection.name) ? std::vector<std::string>() : circle_of(edges, collection.name);
        if (way.empty()) continue;
        told.insert(way.begin(), way.end());
        complain(
            document, json::below("/collections", collection.name),
            "no record could ever be made: required references go round in a circle (" + shown(way) + ")");
    }
}

// The fields of the record itself that an expression names, and perhaps more: calls look like names, too.
std::vector<std::string> names_in(std::string_view expression) {
    std::vector<std::string> names;
    std::string name;
    for (char c : std::string(expression) + " ") {
        bool part = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
        if (part) {
            name += c;
        } else if (!name.empty()) {
            names.push_back(std::exchange(name, ""));
        }
    }
    return names;
}

// A change would make its own cause change.
void check_computed_circles(Document& document, const Manifest& manifest) {
    Edges edges;
    auto name_of = [](std::string_view collection, std::string_view field) {
        return std::string(collection) + "." + std::string(field);
    };
    for (const auto& collection : manifest.collections) {
        for (const auto& field : collection.fields) {
            if (field.computed.empty()) continue;
            auto& needs = edges[name_of(collection.name, field.name)];
            if (!is_rollup(field.computed)) {
                for (const auto& name : names_in(field.computed))
                    needs.push_back(name_of(collection.name, name));
                continue;
            }
            auto [rollup, complaint] = resolve_rollup(field, collection, manifest.collections);
            if (complaint) continue;
            for (const auto& value : {rollup.value, rollup.weight})
                if (!value.empty()) needs.push_back(name_of(rollup.collection, value));
        }
    }
    std::set<std::string> told;
    for (const auto& collection : manifest.collections) {
        for (const auto& field : collection.fields) {
            if (field.computed.empty() || told.contains(name_of(collection.name, field.name))) continue;
            auto way = circle_of(edges, name_of(collection.name, field.name));
            if (way.empty()) continue;
            told.insert(way.begin(), way.end());
            complain(document,
                     json::below(json::below("/collections", collection.name) + "/fields", field.name) +
                         "/computed",
                     field.name + " is computed from itself (" + shown(way) + ")");
        }
    }
}

}  // namespace

void CollectionCheck::complain(std::string_view below, std::string message) const {
    config::complain(document, pointer + std::string(below), std::move(message));
}

bool check_field_names(const CollectionCheck& check, const std::vector<std::string>& names,
                       const std::string& below) {
    bool all = true;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (names[i].empty()) continue;
        if (find_field(check.collection, names[i])) continue;
        all = false;
        check.complain(json::below(below, i), "unknown field " + json::quoted(names[i]) +
                                                  did_you_mean(names[i], field_names(check.collection)));
    }
    return all && std::none_of(names.begin(), names.end(), [](const auto& name) { return name.empty(); });
}

void check_collections(Document& document, const Manifest& manifest) {
    for (const auto& collection : manifest.collections)
        check_collection({document, manifest, collection, json::below("/collections", collection.name)});
    check_routes(document, manifest);
    check_required_circles(document, manifest);
    check_computed_circles(document, manifest);
}

}  // namespace integreat::config
