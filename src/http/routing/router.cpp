// SPDX-License-Identifier: Apache-2.0
#include "http/routing/router.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>

#include "base/text/ascii.h"
#include "http/routing/target.h"

namespace integreat::http {

namespace {

constexpr std::size_t method_count = 7;
constexpr std::size_t max_pattern_segments = 32;

struct ViewHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

enum class SegmentKind { literal, parameter, rest };

struct Segment {
    SegmentKind kind;
    std::string_view text;  // The literal, or the name of the parameter.
};

bool is_valid_literal(std::string_view text) {
    auto allowed = [](char c) {
        bool alphanumeric = is_alnum(c);
        return alphanumeric || std::string_view("-._~:@!$&'()*+,;=").find(c) != std::string_view::npos;
    };
    return !text.empty() && text != "." && text != ".." && std::all_of(text.begin(), text.end(), allowed);
}

bool is_valid_name(std::string_view name) {
    auto allowed = [](char c) { return is_lower(c) || is_digit(c) || c == '_'; };
    return !name.empty() && std::all_of(name.begin(), name.end(), allowed);
}

Error malformed(const Route& route, std::string_view reason) {
    return {Fault::invalid,
            "route " + route.name + ": pattern \"" + route.pattern + "\" " + std::string(reason), ""};
}

std::optional<Segment> parse_segment(std::string_view text) {
    if (text.size() < 3 || text.front() != '{' || text.back() != '}') {
        return is_valid_literal(text) ? std::optional<Segment>({SegmentKind::literal, text}) : std::nullopt;
    }
    auto name = text.substr(1, text.size() - 2);
    auto kind = SegmentKind::parameter;
    if (name.ends_with("...")) {
        kind = SegmentKind::rest;
        name.remove_suffix(3);
    }
    return is_valid_name(name) ? std::optional<Segment>({kind, name}) : std::nullopt;
}

Result<std::vector<Segment>> parse_pattern(const Route& route) {
    std::string_view pattern = route.pattern;
    if (!pattern.starts_with('/')) return malformed(route, "must start with a slash");
    std::vector<Segment> segments;
    std::set<std::string_view> names;
    for (std::size_t start = 1; start < pattern.size();) {
        auto end = std::min(pattern.find('/', start), pattern.size());
        auto segment = parse_segment(pattern.substr(start, end - start));
        if (!segment)
            return malformed(route, "has a segment that is neither a word nor {name} nor {name...}");
        if (segment->kind != SegmentKind::literal && !names.insert(segment->text).second) {
            return malformed(route, "names a parameter twice");
        }
        if (!segments.empty() && segments.back().kind == SegmentKind::rest) {
            return malformed(route, "has a segment after {name...}, which matches the rest of the path");
        }
        segments.push_back(*segment);
        if (segments.size() > max_pattern_segments) return malformed(route, "has more than 32 segments");
        start = end + 1;
    }
    if (pattern.size() > 1 && pattern.ends_with('/')) return malformed(route, "must not end with a slash");
    return segments;
}

}  // namespace

// A node of the trie; `routes` are the routes whose pattern ends at this node.
struct Router::Node {
    std::unordered_map<std::string, std::unique_ptr<Node>, ViewHash, std::equal_to<>> literals;
    std::unique_ptr<Node> parameter;
    std::unique_ptr<Node> rest;
    std::array<const Route*, method_count> routes{};
    std::array<std::vector<std::string_view>, method_count> names;  // Parameter names per route.

    Node& child(const Segment& segment) {
        auto& slot = segment.kind == SegmentKind::literal     ? literals[std::string(segment.text)]
                     : segment.kind == SegmentKind::parameter ? parameter
                                                              : rest;
        if (!slot) slot = std::make_unique<Node>();
        return *slot;
    }
};

// One descent of the trie. Parameter values remain views until a route is found.
struct Router::Search {
    Method method;
    std::array<bool, method_count> allowed{};
    bool found_path = false;
    std::array<std::string_view, max_pattern_segments> values;

    // Backtracks from literal to parameter to rest; visits no node twice, so the trie bounds the work.
    std::optional<RouteMatch> descend(const Node& node, std::string_view path, std::size_t depth) {
        if (path.empty()) return match_at(node, depth);
        path.remove_prefix(1);  // The slash.
        auto end = std::min(path.find('/'), path.size());
        auto segment = path.substr(0, end);
        auto rest = path.substr(end);
        if (!segment.empty()) {
            if (const Node* next = find_literal(node, segment)) {
                if (auto match = descend(*next, rest, depth)) return match;
            }
            if (node.parameter) {
                values[depth] = segment;
                if (auto match = descend(*node.parameter, rest, depth + 1)) return match;
            }
        }
        if (!node.rest) return std::nullopt;
        values[depth] = path;
        return match_at(*node.rest, depth + 1);
    }

    // Compares the decoded segment (RFC 3986 section 6.2.2.2): "%61dmin" must not bypass the route "admin"
    // and match a less restrictive one.
    static const Node* find_literal(const Node& node, std::string_view segment) {
        if (node.literals.empty()) return nullptr;
        auto found = node.literals.end();
        if (segment.find('%') == std::string_view::npos) {
            found = node.literals.find(segment);
        } else if (auto decoded = percent_decode(segment)) {
            found = node.literals.find(*decoded);
        }
        return found == node.literals.end() ? nullptr : found->second.get();
    }

    std::optional<RouteMatch> match_at(const Node& node, std::size_t depth) {
        auto index = static_cast<std::size_t>(method);
        if (!node.routes[index] && method == Method::head) index = static_cast<std::size_t>(Method::get);
        if (const Route* route = node.routes[index]) {
            RouteMatch match{.route = route};
            const auto& names = node.names[index];
            ASSERT(names.size() == depth);
            match.parameters.reserve(depth);
            for (std::size_t i = 0; i < depth; ++i) {
                auto value = percent_decode(values[i]);
                match.parameters.emplace_back(names[i], value ? *std::move(value) : std::string(values[i]));
            }
            return match;
        }
        for (std::size_t i = 0; i < method_count; ++i) {
            if (!node.routes[i]) continue;
            allowed[i] = found_path = true;
        }
        return std::nullopt;
    }

    // Returns the value of the Allow field.
    std::string allow() const {
        auto methods = allowed;
        if (methods[static_cast<std::size_t>(Method::get)])
            methods[static_cast<std::size_t>(Method::head)] = true;
        methods[static_cast<std::size_t>(Method::options)] = true;
        std::string text;
        for (std::size_t i = 0; i < method_count; ++i) {
            if (!methods[i]) continue;
            if (!text.empty()) text += ", ";
            text += to_string(static_cast<Method>(i));
        }
        return text;
    }
};

Router::Router() : root_(std::make_unique<Node>()) {}
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;
Router::~Router() = default;

Result<Router> Router::build(std::vector<Route> routes) {
    Router router;
    router.routes_ = std::move(routes);
    for (const Route& route : router.routes_) {
        Node* node = router.root_.get();
        std::vector<std::string_view> names;
        for (const auto& segment : TRY(parse_pattern(route))) {
            node = &node->child(segment);
            if (segment.kind != SegmentKind::literal) names.push_back(segment.text);
        }
        auto index = static_cast<std::size_t>(route.method);
        if (const Route* other = node->routes[index]) {
            return Error{Fault::invalid,
                         "routes " + other->name + " (" + other->pattern + ") and " + route.name + " (" +
                             route.pattern + ") both handle " + std::string(to_string(route.method)) +
                             " on the same paths",
                         ""};
        }
        node->routes[index] = &route;
        node->names[index] = std::move(names);
    }
    return router;
}

std::variant<RouteMatch, RouteNotFound, MethodNotAllowed> Router::match(Method method,
                                                                        std::string_view path) const {
    Search search{.method = method};
    if (path == "/") path = {};
    if (auto match = search.descend(*root_, path, 0)) return *std::move(match);
    if (!search.found_path) return RouteNotFound{};
    return MethodNotAllowed{search.allow()};
}

const std::vector<Route>& Router::routes() const {
    return routes_;
}

}  // namespace integreat::http
