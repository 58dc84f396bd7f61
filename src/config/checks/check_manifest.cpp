// SPDX-License-Identifier: Apache-2.0
#include "config/checks/check_manifest.h"

#include <algorithm>
#include <map>
#include <optional>

#include "base/text/closest_match.h"
#include "base/text/find_by_name.h"
#include "config/checks/check_collections.h"
#include "config/checks/check_files.h"
#include "config/checks/check_targets.h"
#include "config/manifest/routes.h"
#include "json/binding/units.h"

namespace integreat::config {

namespace {

// Returns the file name without directory and extension.
std::string file_stem(std::string_view file) {
    std::string_view name = file.substr(file.rfind('/') + 1);
    return std::string(name.substr(0, name.rfind('.')));
}

// Returns the names declared in a list or map of the file, valid or not, so that an invalid name does not
// cause an error at each use. Returns nullopt if the node is neither, because then no use can be checked.
std::optional<std::vector<std::string>> declared_names(const Document& document, std::string_view pointer) {
    const json::Node* node = json::find(document.tree, pointer);
    if (!node) return std::vector<std::string>();
    if (node->kind != json::Node::Kind::list && node->kind != json::Node::Kind::map) return std::nullopt;
    std::vector<std::string> names;
    for (const auto& item : node->items)
        names.push_back(item.text);
    for (const auto& member : node->members)
        names.push_back(member.key);
    return names;
}

struct RouteCheck {
    Document& document;
    const std::optional<std::vector<std::string>>& roles;  // Declared by the app.
    const std::optional<std::vector<std::string>>& upstreams;
    const RouteSettings& route;
    std::string pointer;  // "/routes/3"

    void report(std::string_view key, std::string message) const {
        config::report(document, json::append_pointer(pointer, key), std::move(message));
    }
};

void check_route_upstream(const RouteCheck& check) {
    const auto& name = check.route.upstream;
    if (name.empty() || !check.upstreams) return;
    if (contains(*check.upstreams, name)) return;
    std::string hint = did_you_mean(name, *check.upstreams);
    check.report("upstream",
                 "unknown upstream " + json::quoted(name) + (hint.empty() ? ": add it to upstreams" : hint));
}

void check_route_roles(const RouteCheck& check) {
    if (!check.roles) return;
    const auto& names = check.route.roles;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (names[i].empty() || contains(*check.roles, names[i])) continue;
        std::string hint = did_you_mean(names[i], *check.roles);
        report(
            check.document, json::append_pointer(check.pointer + "/roles", i),
            "unknown role " + json::quoted(names[i]) + (hint.empty() ? ": add it to the app's roles" : hint));
    }
}

void check_route_access(const RouteCheck& check) {
    if (!check.route.is_public) return;
    if (!check.route.roles.empty()) {
        check.report("public", "a public route cannot have roles: remove public or roles");
    } else if (!check.route.scope.empty()) {
        check.report("public", "a public route cannot have a scope: remove public or scope");
    }
}

void check_route_parameters(const RouteCheck& check) {
    auto declared = path_parameters(check.route.path);
    for (auto parameter : path_parameters(check.route.target)) {
        if (std::find(declared.begin(), declared.end(), parameter) != declared.end()) continue;
        std::vector<std::string> names(declared.begin(), declared.end());
        check.report("target", "target uses the parameter {" + std::string(parameter) +
                                   "}, which path does not have" + did_you_mean(parameter, names));
    }
}

void check_route(const RouteCheck& check) {
    const auto& route = check.route;
    if (route.path == "/me" || route.path.starts_with("/me/")) {
        check.report("path", "the platform uses /me: choose another path");
    }
    if (route.path == "/openapi.json")
        check.report("path", "the platform uses /openapi.json: choose another path");
    bool is_safe =
        std::all_of(route.methods.begin(), route.methods.end(), [](const auto& m) { return m == "GET"; });
    if (is_safe && route.idempotency != "off") {
        check.report("idempotency", "GET needs no idempotency: remove the key");
    }
    check_route_upstream(check);
    check_route_roles(check);
    check_route_access(check);
    check_route_parameters(check);
}

// Checks that no two routes match the same requests or have the same operation name.
void check_collisions(Document& document, const Manifest& manifest) {
    std::map<std::string, std::size_t> by_request;
    std::map<std::string, std::size_t> by_name;
    auto is_reserved = [&](const std::string& name) {
        return name == manifest.app.text + ".me" || name == manifest.app.text + ".openapi";
    };
    auto line_number = [&](std::size_t index) {
        return std::to_string(
            json::find_location(document.tree, json::append_pointer("/routes", index)).line);
    };
    for (std::size_t i = 0; i < manifest.routes.size(); ++i) {
        const auto& route = manifest.routes[i];
        if (route.path.empty()) continue;
        std::string pointer = json::append_pointer("/routes", i);
        bool is_unique = true;
        for (const auto& method : route.methods) {
            auto [earlier, first] = by_request.emplace(method + " " + path_shape(route.path), i);
            if (!first && earlier->second != i && is_unique) {
                report(document, pointer + "/path",
                       method + " " + route.path + " conflicts with the route in line " +
                           line_number(earlier->second));
                is_unique = false;
            }
        }
        for (const auto& method : route.methods) {
            if (is_reserved(operation_name(manifest, route, method))) {
                report(document, pointer + (route.name.empty() ? "/path" : "/name"),
                       "the platform has a route of that name: choose another name");
            }
            auto [earlier, first] = by_name.emplace(operation_name(manifest, route, method), i);
            if (first || earlier->second == i || !is_unique) continue;
            report(document, pointer + (route.name.empty() ? "/path" : "/name"),
                   "this route has the name " + json::quoted(earlier->first) + " of the route in line " +
                       line_number(earlier->second) + ": choose another name");
            break;
        }
    }
}

}  // namespace

void check_manifest(ManifestDocument& read) {
    auto& [manifest, document] = read;
    const std::string& app = manifest.app.text;
    if (app == platform_tenant.text || app == "me") {
        report(document, "/app", "the platform uses the name " + json::quoted(app) + ": choose another");
    } else if (!app.empty() && app != file_stem(document.file)) {
        report(document, "/app",
               "app must equal the file name: rename one of them (" + app + ", " + document.file + ")");
    }
    for (std::size_t i = 0; i < manifest.roles.size(); ++i) {
        if (manifest.roles[i] != role_none && manifest.roles[i] != role_anonymous) continue;
        report(document, json::append_pointer("/roles", i),
               "the platform uses the role " + json::quoted(manifest.roles[i]) + ": choose another name");
    }
    auto roles = declared_names(document, "/roles");
    auto upstreams = declared_names(document, "/upstreams");
    for (std::size_t i = 0; i < manifest.routes.size(); ++i) {
        check_route({document, roles, upstreams, manifest.routes[i], json::append_pointer("/routes", i)});
    }
    check_collisions(document, manifest);
    check_targets(document, manifest);
    check_files(document, manifest, roles);
    auto model = check_collections(document, manifest);
    if (document.errors.empty()) manifest.model = std::move(model);
}

void check_manifests(std::span<ManifestDocument> manifests, const Settings& settings) {
    std::map<std::string, std::string> by_project;
    for (auto& [manifest, document] : manifests) {
        const auto& project = manifest.firebase_project;
        if (!project.empty() &&
            (project == settings.identity.operators_project || project == dev_operators_project)) {
            report(document, "/project",
                   "project " + json::quoted(project) +
                       " is the operators' project: every user of this app would be an operator");
        } else if (!project.empty()) {
            auto [earlier, is_new] = by_project.emplace(project, document.file);
            if (!is_new) {
                report(document, "/project",
                       "project " + json::quoted(project) + " is used by " + earlier->second +
                           ": users of one app would be users of both");
            }
        }
        for (std::size_t i = 0; i < manifest.routes.size(); ++i) {
            std::size_t limit = settings.http.max_body_bytes;
            std::string pointer = json::append_pointer("/routes", i) + "/max_body_bytes";
            // A smaller platform limit silently lowers the default, but not a limit written in the manifest.
            if (manifest.routes[i].max_body_bytes <= limit || !json::find(document.tree, pointer)) continue;
            report(document, pointer,
                   "max_body_bytes exceeds the platform's limit: " +
                       json::format_bytes(static_cast<std::int64_t>(limit)) +
                       " (integreat.yaml: http.max_body_bytes)");
        }
    }
}

}  // namespace integreat::config
