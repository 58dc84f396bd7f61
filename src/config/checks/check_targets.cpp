// SPDX-License-Identifier: Apache-2.0
#include "config/checks/check_targets.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text/ascii.h"
#include "base/text/find_by_name.h"

namespace integreat::config {

namespace {

// The targets of a route at its server, as a pattern.
struct Target {
    std::string origin;                 // "http://127.0.0.1:9301", in lower case.
    std::vector<std::string> segments;  // A parameter is "{}", the rest of a path "{...}".
    std::string text;                   // As reported: "/registrar/{rest...}".
};

void append_segments(std::vector<std::string>& segments, std::string_view path) {
    while (!path.empty()) {
        path.remove_prefix(path.front() == '/');
        auto segment = path.substr(0, path.find('/'));
        path.remove_prefix(segment.size());
        if (segment.empty()) continue;  // Many servers merge slashes.
        bool is_parameter = segment.front() == '{';
        segments.emplace_back(!is_parameter               ? std::string(segment)
                              : segment.ends_with("...}") ? "{...}"
                                                          : "{}");
    }
}

Target make_target(const UpstreamSettings& upstream, const RouteSettings& route) {
    std::string_view url = upstream.url;
    auto host = url.find("://");
    auto path = host == std::string_view::npos ? std::string_view::npos : url.find('/', host + 3);
    Target target;
    target.origin = to_lower(url.substr(0, path));
    target.text = route.target.empty() ? route.path : route.target;
    if (path != std::string_view::npos) append_segments(target.segments, url.substr(path));
    append_segments(target.segments, target.text);
    return target;
}

// Returns whether a path exists that both patterns match. A rest also matches nothing.
bool overlap(const Target& one, const Target& other) {
    if (one.origin != other.origin) return false;
    for (std::size_t i = 0;; ++i) {
        bool ends_one = i == one.segments.size();
        bool ends_other = i == other.segments.size();
        if (!ends_one && one.segments[i] == "{...}") return true;
        if (!ends_other && other.segments[i] == "{...}") return true;
        if (ends_one || ends_other) return ends_one && ends_other;
        const auto& a = one.segments[i];
        const auto& b = other.segments[i];
        if (a != "{}" && b != "{}" && a != b) return false;
    }
}

bool equal_access(const RouteSettings& one, const RouteSettings& other) {
    auto sorted = [](std::vector<std::string> names) {
        std::ranges::sort(names);
        return names;
    };
    return one.is_public == other.is_public && one.scope == other.scope &&
           sorted(one.roles) == sorted(other.roles);
}

std::string describe_access(const RouteSettings& route) {
    if (route.is_public) return "public";
    auto access = route.roles.empty() ? std::string("every signed-in user")
                                      : fmt::format("roles {}", fmt::join(route.roles, ", "));
    return route.scope.empty() ? access : access + ", scope " + route.scope;
}

// Returns a method that both routes have, or an empty string.
std::string find_shared_method(const RouteSettings& one, const RouteSettings& other) {
    auto shared =
        std::ranges::find_if(one.methods, [&](const auto& m) { return contains(other.methods, m); });
    return shared == one.methods.end() ? std::string() : *shared;
}

}  // namespace

void check_targets(Document& document, const Manifest& manifest) {
    std::vector<std::pair<std::size_t, Target>> earlier;
    for (std::size_t i = 0; i < manifest.routes.size(); ++i) {
        const auto& route = manifest.routes[i];
        const auto* upstream = find_by_name(manifest.upstreams, route.upstream);
        if (!upstream || route.path.empty()) continue;  // Reported by other checks.
        auto target = make_target(*upstream, route);
        for (const auto& [index, other_target] : earlier) {
            const auto& other = manifest.routes[index];
            auto method = find_shared_method(route, other);
            if (method.empty() || equal_access(route, other) || !overlap(target, other_target)) continue;
            auto pointer = json::append_pointer("/routes", i);
            auto line = json::find_location(document.tree, json::append_pointer("/routes", index)).line;
            report(document, pointer + (route.target.empty() ? "/path" : "/target"),
                   fmt::format(
                       "{} {} of upstream {} ({}) is also reached by the route in line {}, {} ({}): callers "
                       "get past the access of one through the other. Give one of them a target below "
                       "a prefix of its own, or both the same access",
                       method, target.text, route.upstream, describe_access(route), line, other.path,
                       describe_access(other)));
            break;
        }
        earlier.emplace_back(i, std::move(target));
    }
}

}  // namespace integreat::config
