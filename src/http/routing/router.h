// SPDX-License-Identifier: Apache-2.0
// Finds the route of a method and a path. The router is an immutable trie by path segment; matching takes
// time linear in the length of the path, independent of the number of routes. Literal segments win over
// parameters, parameters over a rest; a rest may be empty ("/portal/"). An escaped literal equals the
// unescaped one.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "http/routing/route.h"

namespace integreat::http {

struct RouteMatch {
    const Route* route = nullptr;
    std::vector<std::pair<std::string_view, std::string>> parameters;  // Percent-decoded.
};
struct RouteNotFound {};
struct MethodNotAllowed {
    std::string allow;  // "GET, HEAD, OPTIONS"
};

class Router {
public:
    // Returns Fault::invalid, naming both routes, if two have the same method and shape, or a pattern is
    // malformed.
    static Result<Router> build(std::vector<Route> routes);

    Router(Router&&) noexcept;
    Router& operator=(Router&&) noexcept;
    ~Router();

    // Finds the route; for HEAD also GET routes. `path` must have passed check_target.
    std::variant<RouteMatch, RouteNotFound, MethodNotAllowed> match(Method method,
                                                                    std::string_view path) const;

    // Returns all routes in the order passed to build.
    const std::vector<Route>& routes() const;

private:
    struct Node;
    struct Search;
    Router();
    std::vector<Route> routes_;
    std::unique_ptr<Node> root_;
};

}  // namespace integreat::http
