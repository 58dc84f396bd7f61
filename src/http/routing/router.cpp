// SPDX-License-Identifier: Apache-2.0
#include "http/routing/router.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>

namespace integreat::http {

namespace {

constexpr std::size_t methods_count = 7;
constexpr std::size_t pattern_segments_max = 32;

struct ViewHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

enum class SegmentKind { literal, parameter, rest };

struct Segment {
    SegmentKind kind;
    std::string_view text;  // Of a literal its bytes, of a parameter its name.
};

bool literal_allowed(std::string_view text) {
    auto allowed = [](char c) {
        bool alphanumeric = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        return alphanumeric || std::string_view("-._~:@!$&'()*+,;=").find(c) != std::string_view::npos;
    };
    return !text.empty() && text != "." && text != ".." && std::all_of(text.begin(), text.end(), allowed);
}

bool name_allowed(std::string_view name) {
    auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
    return !name.empty() && std::all_of(name.begin(), name.end(), allowed);
}

Error malformed(const Route& route, std::string_view why) {
    return {Fault::invalid, "route " + route.name + ": pattern \"" + route.pattern + "\" " + std::string(why),
            ""};
}

std::optional<Segment> segment_from(std::string_view text) {
    if (text.size() < 3 || text.front() != '{' || text.back() != '}') {
        return literal_allowed(text) ? std::optional<Segment>({SegmentKind::literal, text}) : std::nullopt;
    }
    auto name = text.substr(1, text.size() - 2);
    auto kind = SegmentKind::parameter;
    if (name.ends_with("...")) {
        kind = SegmentKind::rest;
        name.remove_suffix(3);
    }
    return name_allowed(name) ? std::optional<Segment>({kind, name}) : std::nullopt;
}

Result<std::vector<Segment>> segments_of(const Route& route) {
    std::string_view pattern = route.pattern;
    if (!pattern.starts_with('/')) return malformed(route, "must start with a slash");
    std::vector<Segment> segments;
    std::set<std::string_view> names;
    for (std::size_t start = 1; start < pattern.size();) {
        auto end = std::min(pattern.find('/', start), pattern.size());
        auto segment = segment_from(pattern.substr(start, end - start));
        if (!segment)
            return malformed(route, "has a segment that is neither a word nor {name} nor {name...}");
        if (segment->kind != SegmentKind::literal && !names.insert(segment->text).second) {
            return malformed(route, "names a parameter twice");
        }
        if (!segments.empty() && segments.back().kind == SegmentKind::rest) {
            return malformed(route, "has something after {name...}, which takes all that remains");
        }
        segments.push_back(*segment);
        if (segments.size() > pattern_segments_max) return malformed(route, "has more than 32 segments");
        start = end + 1;
    }
    if (pattern.size() > 1 && pattern.ends_with('/')) return malformed(route, "must not end with a slash");
    return segments;
}

using Values = std::array<std::string_view, pattern_segments_max>;

}  // namespace

// What matched so far ends here; `routes` are those whose pattern ends here, too.
struct Router::Node {
    std::unordered_map<std::string, std::unique_ptr<Node>, ViewHash, std::equal_to<>> literals;
    std::unique_ptr<Node> parameter;
    std::unique_ptr<Node> rest;
    std::array<const Route*, methods_count> routes{};
    std::array<std::vector<std::string_view>, methods_count> names;  // Of the parameters, per route.

    Node& child(const Segment& segment) {
        auto& slot = segment.kind == SegmentKind::literal     ? literals[std::string(segment.text)]
                     : segment.kind == SegmentKind::parameter ? parameter
                                                              : rest;
        if (!slot) slot = std::make_unique<Node>();
        return *slot;
    }
};

// One walk down the trie. Values of parameters are kept as views until a route is found.
struct Router::Search {
    Method method;
    std::array<bool, methods_count> allowed{};
    bool found_path = false;
    Values values;

    // Backtracks from literal to parameter to rest; visits no node twice, so the trie bounds the work.
    std::optional<Match> descend(const Node& node, std::string_view left, std::size_t depth) {
        if (left.empty()) return take(node, depth);
        left.remove_prefix(1);  // The slash.
        auto end = std::min(left.find('/'), left.size());
        auto segment = left.substr(0, end);
        auto after = left.substr(end);
        if (!segment.empty()) {
            if (const Node* next = literal(node, segment)) {
                if (auto match = descend(*next, after, depth)) return match;
            }
            if (node.parameter) {
                values[depth] = segment;
                if (auto match = descend(*node.parameter, after, depth + 1)) return match;
            }
        }
        if (!node.rest) return std::nullopt;
        values[depth] = left;
        return take(*node.rest, depth + 1);
    }

    // An escaped literal is the same literal (RFC 3986 section 6.2.2.2): "%61dmin" must not slip past the
    // route "admin" into a more generous one.
    static const Node* literal(const Node& node, std::string_view segment) {
        if (node.literals.empty()) return nullptr;
        auto found = node.literals.end();
        if (segment.find('%') == std::string_view::npos) {
            found = node.literals.find(segment);
        } else if (auto decoded = percent_decode(segment)) {
            found = node.literals.find(*decoded);
        }
        return found == node.literals.end() ? nullptr : found->second.get();
    }

    std::optional<Match> take(const Node& node, std::size_t depth) {
        auto index = static_cast<std::size_t>(method);
        if (!node.routes[index] && method == Method::head) index = static_cast<std::size_t>(Method::get);
        if (const Route* route = node.routes[index]) {
            Match match{.route = route};
            const auto& names = node.names[index];
            ASSERT(names.size() == depth);
            match.parameters.reserve(depth);
            for (std::size_t i = 0; i < depth; ++i) {
                auto value = percent_decode(values[i]);
                match.parameters.emplace_back(names[i], value ? *std::move(value) : std::string(values[i]));
            }
            return match;
        }
        for (std::size_t i = 0; i < methods_count; ++i) {
            if (!node.routes[i]) continue;
            allowed[i] = found_path = true;
        }
        return std::nullopt;
    }

    std::string allow() const {
        auto with = allowed;
        if (with[static_cast<std::size_t>(Method::get)]) with[static_cast<std::size_t>(Method::head)] = true;
        with[static_cast<std::size_t>(Method::options)] = true;
        std::string text;
        for (std::size_t i = 0; i < methods_count; ++i) {
            if (!with[i]) continue;
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
        for (const auto& segment : TRY(segments_of(route))) {
            node = &node->child(segment);
            if (segment.kind != SegmentKind::literal) names.push_back(segment.text);
        }
        auto index = static_cast<std::size_t>(route.method);
        if (const Route* other = node->routes[index]) {
            return Error{Fault::invalid,
                         "routes " + other->name + " (" + other->pattern + ") and " + route.name + " (" +
                             route.pattern + ") both answer " + std::string(to_string(route.method)) +
                             " on the same paths",
                         ""};
        }
        node->routes[index] = &route;
        node->names[index] = std::move(names);
    }
    return router;
}

std::variant<Match, NoRoute, WrongMethod> Router::match(Method method, std::string_view path) const {
    Search search{.method = method};
    if (path == "/") path = {};
    if (auto match = search.descend(*root_, path, 0)) return *std::move(match);
    if (!search.found_path) return NoRoute{};
    return WrongMethod{search.allow()};
}

const std::vector<Route>& Router::routes() const {
    return routes_;
}

}  // namespace integreat::http
