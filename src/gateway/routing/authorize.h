// SPDX-License-Identifier: Apache-2.0
// May this principal use this route? A pure function of the two. Tenants never meet: nothing that a foreign
// tenant's token or key says can open a route.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/principal.h"
#include "http/message/problem.h"
#include "http/routing/route.h"

namespace integreat::gateway {

// A "no": what the caller is told and what the operator is told.
struct Refusal {
    http::Problem problem;
    std::string rule;
    std::vector<std::pair<std::string, std::string>> facts;
};

// `principal` is null for callers without a token.
std::optional<Refusal> authorize(const http::Route& route, const Principal* principal);

// A user of the platform's own project with role "admin", or a key of the platform.
bool is_operator(const Principal* principal);

}  // namespace integreat::gateway
