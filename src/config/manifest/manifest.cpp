// SPDX-License-Identifier: Apache-2.0
#include "config/manifest/manifest.h"

#include <algorithm>
#include <map>

#include "base/text/closest_match.h"
#include "config/checks/check_collections.h"
#include "config/configuration/configuration.h"
#include "config/diagnostics/document.h"
#include "config/manifest/routes.h"
#include "json/binding/units.h"

namespace integreat::config {

namespace {

// The file's name without folder and extension.
std::string stem_of(std::string_view file) {
    std::string_view name = file.substr(file.rfind('/') + 1);
    return std::string(name.substr(0, name.rfind('.')));
}

// The names declared in a list or map of the file, sound or not: one mistake there shall not make another at
// each use. Nothing if it is neither, for then nothing can be said about the uses.
std::optional<std::vector<std::string>> declared(const Document& document, std::string_view pointer) {
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

bool contains(const std::vector<std::string>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

struct RouteCheck {
    Document& document;
    const std::optional<std::vector<std::string>>& roles;  // Declared by the app.
    const std::optional<std::vector<std::string>>& upstreams;
    const RouteSettings& route;
    std::string pointer;  // "/routes/3"

    void complain(std::string_view key, std::string message) const {
        config::complain(document, json::below(pointer, key), std::move(message));
    }
};

void check_upstream(const RouteCheck& check) {
    const auto& wanted = check.route.upstream;
    if (wanted.empty() || !check.upstreams) return;
    if (contains(*check.upstreams, wanted)) return;
    std::string hint = did_you_mean(wanted, *check.upstreams);
    check.complain("upstream", "unknown upstream " + json::quoted(wanted) +
                                   (hint.empty() ? ": give it a url under upstreams" : hint));
}

void check_roles(const RouteCheck& check) {
    if (!check.roles) return;
    const auto& wanted = check.route.roles;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        if (wanted[i].empty() || contains(*check.roles, wanted[i])) continue;
        std::string hint = did_you_mean(wanted[i], *check.roles);
        complain(check.document, json::below(check.pointer + "/roles", i),
                 "unknown role " + json::quoted(wanted[i]) +
                     (hint.empty() ? ": add it to the app's roles" : hint));
    }
}

void check_access(const RouteCheck& check) {
    if (!check.route.is_public) return;
    if (!check.route.roles.empty()) {
        check.complain("public", "a public route is open to anyone: take away public, or its roles");
    } else if (!check.route.scope.empty()) {
        check.complain("public", "a public route needs no API key: take away public, or its scope");
    }
}

void check_parameters(const RouteCheck& check) {
    auto known = parameters_of(check.route.path);
    for (auto parameter : parameters_of(check.route.target)) {
        if (std::find(known.begin(), known.end(), parameter) != known.end()) continue;
        std::vector<std::string> names(known.begin(), known.end());
        check.complain("target", "target has a parameter {" + std::string(parameter) + "} that path has not" +
                                     did_you_mean(parameter, names));
    }
}

void check_route(const RouteCheck& check) {
    const auto& route = check.route;
    if (route.path == "/me" || route.path.starts_with("/me/")) {
        check.complain("path", "/me is the platform's own: choose another path");
    }
    if (route.path == "/openapi.json")
        check.complain("path", "/openapi.json is the platform's own: choose another path");
    bool safe =
        std::all_of(route.methods.begin(), route.methods.end(), [](const auto& m) { return m == "GET"; });
    if (safe && route.idempotency != "off") {
        check.complain("idempotency", "a GET has no effect to repeat: leave idempotency out");
    }
    check_upstream(check);
    check_roles(check);
    check_access(check);
    check_parameters(check);
}

// Two routes that answer the same requests, or that metrics could not tell apart.
void check_collisions(Document& document, const Manifest& manifest) {
    std::map<std::string, std::size_t> by_request;
    std::map<std::string, std::size_t> by_name;
    auto is_ours = [&](const std::string& name) {
        return name == manifest.app.text + ".me" || name == manifest.app.text + ".openapi";
    };
    auto line_of = [&](std::size_t index) {
        return std::to_string(json::place_of(document.tree, json::below("/routes", index)).line);
    };
    for (std::size_t i = 0; i < manifest.routes.size(); ++i) {
        const auto& route = manifest.routes[i];
        if (route.path.empty()) continue;
        std::string pointer = json::below("/routes", i);
        bool fresh = true;
        for (const auto& method : route.methods) {
            auto [earlier, first] = by_request.emplace(method + " " + shape_of(route.path), i);
            if (!first && earlier->second != i && fresh) {
                complain(document, pointer + "/path",
                         method + " " + route.path + " is answered by the route in line " +
                             line_of(earlier->second));
                fresh = false;
            }
        }
        for (const auto& method : route.methods) {
            if (is_ours(operation_of(manifest, route, method))) {
                complain(document, pointer + (route.name.empty() ? "/path" : "/name"),
                         "the platform has a route of that name: give it another name");
            }
            auto [earlier, first] = by_name.emplace(operation_of(manifest, route, method), i);
            if (first || earlier->second == i || !fresh) continue;
            complain(document, pointer + (route.name.empty() ? "/path" : "/name"),
                     "this would be called " + json::quoted(earlier->first) + " like the route in line " +
                         line_of(earlier->second) + ": give it another name");
            break;
        }
    }
}

void check_manifest(Document& document, const Manifest& manifest) {
    const std::string& app = manifest.app.text;
    if (app == platform_tenant.text || app == "me") {
        complain(document, "/app",
                 "the name " + json::quoted(app) + " is the platform's own: choose another");
    } else if (!app.empty() && app != stem_of(document.file)) {
        complain(document, "/app",
                 "app must be the name of the file: rename one of them (" + app + ", " + document.file + ")");
    }
    for (std::size_t i = 0; i < manifest.roles.size(); ++i) {
        if (manifest.roles[i] != "none" && manifest.roles[i] != "anonymous") continue;
        complain(
            document, json::below("/roles", i),
            "the role " + json::quoted(manifest.roles[i]) + " is the platform's own: choose another name");
    }
    auto roles = declared(document, "/roles");
    auto upstreams = declared(document, "/upstreams");
    for (std::size_t i = 0; i < manifest.routes.size(); ++i) {
        check_route({document, roles, upstreams, manifest.routes[i], json::below("/routes", i)});
    }
    check_collisions(document, manifest);
    check_collections(document, manifest);
}

}  // namespace

ManifestDocument read_manifest(std::string_view text, const std::string& file,
                               const json::Environment& environment) {
    ManifestDocument read;
    read.manifest.file = file;
    read.document = read_document(text, file, read.manifest, environment, Empty::refused);
    if (read.document.tree.kind == json::Node::Kind::map) check_manifest(read.document, read.manifest);
    return read;
}

Checked<Manifest> load_manifest(std::string_view text, const std::string& file,
                                const json::Environment& environment) {
    auto read = read_manifest(text, file, environment);
    sort_by_place(read.document.mistakes);
    return {std::move(read.manifest), std::move(read.document.mistakes)};
}

void check_manifests(std::span<ManifestDocument> manifests, const Settings& settings) {
    std::map<std::string, std::string> by_project;
    for (auto& [manifest, document] : manifests) {
        const auto& project = manifest.firebase_project;
        if (project == settings.identity.operators_project) {
            complain(document, "/project",
                     "project " + json::quoted(project) +
                         " is that of the platform's operators: every user of this app would become one");
        } else if (!project.empty()) {
            auto [earlier, fresh] = by_project.emplace(project, document.file);
            if (!fresh) {
                complain(document, "/project",
                         "project " + json::quoted(project) + " belongs to " + earlier->second +
                             " already: users of one app would be users of both");
            }
        }
        for (std::size_t i = 0; i < manifest.routes.size(); ++i) {
            std::size_t most = settings.http.body_bytes_max;
            std::string pointer = json::below("/routes", i) + "/body_bytes_max";
            // The default gives way to a smaller platform; a number that someone wrote does not silently.
            if (manifest.routes[i].body_bytes_max <= most || !json::find(document.tree, pointer)) continue;
            complain(document, pointer,
                     "body_bytes_max is more than the platform takes: " +
                         json::format_bytes(static_cast<std::int64_t>(most)) +
                         " (integreat.yaml: http.body_bytes_max)");
        }
    }
}

}  // namespace integreat::config
