// SPDX-License-Identifier: Apache-2.0
// The mapping from requests to operations. "{p}" stands for a project id; the colon is a literal, as in all
// Google APIs. docs/reference/firebase.md lists all routes; a test checks the list.
#pragma once

#include <span>

#include "cloud/firebase/operations/operations.h"
#include "http/message/message.h"

namespace integreat::firebase {

enum class Caller {
    client,  // Identifies its project by ?key=.
    admin,   // Identifies its project in the path and sends "Bearer owner".
    tool,    // Identifies its project in the path: the emulator's own routes, for tests.
};

struct AuthRoute {
    http::Method method;
    std::string_view pattern;
    Caller caller;
    Operation operation;
    std::size_t max_body_bytes = request_bytes_max;
};

std::span<const AuthRoute> routes();

struct RouteMatch {
    const AuthRoute* route = nullptr;  // Null if there is no such route.
    std::string project;               // From the path, if the pattern has "{p}".
    bool path_known = false;           // True if the path exists with another method.
};
RouteMatch match_route(http::Method method, std::string_view path);

}  // namespace integreat::firebase
