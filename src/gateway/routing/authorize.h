// SPDX-License-Identifier: Apache-2.0
// Authorization of a principal for a route, a pure function of the two. Tenants are isolated: no token or key
// of another tenant opens a route.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/principal.h"
#include "http/message/problem.h"
#include "http/routing/route.h"

namespace integreat::gateway {

// A refused request: the problem for the caller, the violated rule and the facts for the operator.
struct Rejection {
    http::Problem problem;
    std::string rule;
    std::vector<std::pair<std::string, std::string>> facts;
};

// Returns nullopt if the request is allowed. `principal` is null for callers without a token.
std::optional<Rejection> authorize(const http::Route& route, const Principal* principal);

// True for a user of the platform's own project with role "admin", and for a key of the platform with `scope`
// or the scope admin.
bool is_operator(const Principal* principal, std::string_view scope);

// "user x7Gh", "key key_01", "anonymous"
std::string describe_caller(const Principal* principal);

}  // namespace integreat::gateway
