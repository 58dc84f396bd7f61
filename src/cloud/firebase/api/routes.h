// SPDX-License-Identifier: Apache-2.0
// Which request means which operation. "{p}" stands for a project's id; the colon is a literal, as in all
// of Google's APIs. docs/firebase.md lists every one, and a test compares.
#pragma once

#include <span>

#include "cloud/firebase/operations/operations.h"
#include "http/message/message.h"

namespace integreat::firebase {

enum class Caller {
    client,  // Names its project by ?key=.
    admin,   // Names its project in the path and says "Bearer owner".
    tool,    // Names its project in the path: the emulator's own routes, for tests.
};

struct AuthRoute {
    http::Method method;
    std::string_view pattern;
    Caller caller;
    Operation operation;
    std::size_t body_bytes_max = request_bytes_max;
};

std::span<const AuthRoute> routes();

struct RouteMatch {
    const AuthRoute* route = nullptr;  // Null: no such route.
    std::string project;               // From the path, if the pattern has "{p}".
    bool path_known = false;           // With another method.
};
RouteMatch match_route(http::Method method, std::string_view path);

}  // namespace integreat::firebase
