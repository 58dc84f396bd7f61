// SPDX-License-Identifier: Apache-2.0
// Which route a method and a path mean. An immutable trie by path segment; matching costs the length of the
// path, whatever the number of routes. Literal segments win over parameters, parameters over a rest; a rest
// may be empty ("/portal/"). An escaped literal is the same literal.
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

struct Match {
    const Route* route = nullptr;
    std::vector<std::pair<std::string_view, std::string>> parameters;  // Percent-decoded.
};
struct NoRoute {};
struct WrongMethod {
    std::string allow;  // "GET, HEAD, OPTIONS"
};

class Router {
public:
    // Fault::invalid naming both routes if two have the same method and shape, or a pattern is malformed.
    static Result<Router> build(std::vector<Route> routes);

    Router(Router&&) noexcept;
    Router& operator=(Router&&) noexcept;
    ~Router();

    // HEAD finds GET routes. `path` has passed check_target.
    std::variant<Match, NoRoute, WrongMethod> match(Method method, std::string_view path) const;

    // In the order given to build.
    const std::vector<Route>& routes() const;

private:
    struct Node;
    struct Search;
    Router();
    std::vector<Route> routes_;
    std::unique_ptr<Node> root_;
};

// Refuses what could mean two things to two servers: bytes outside visible ASCII, a path without leading
// slash, dot segments (also encoded, also before ";"), empty segments, backslashes, malformed or NUL escapes,
// fragments; in paths also escaped slashes, escaped control characters and escapes that are not UTF-8. A
// slash at the end of the path passes.
Result<> check_target(std::string_view target);

// "%C3%A9" → "é"; nothing for malformed escapes. `plus_is_space` for forms and queries.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space = false);

// RFC 3986 unreserved characters stay, everything else is escaped.
std::string percent_encode(std::string_view text);

// The decoded pairs of a query or form; Fault::invalid beyond so many pairs or for malformed escapes.
Result<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query,
                                                                     std::size_t pairs_max = 100);

}  // namespace integreat::http
