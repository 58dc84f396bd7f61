// SPDX-License-Identifier: Apache-2.0
#include "gateway/routing/authorize.h"

#include <algorithm>

#include "base/text/ascii.h"
#include "base/text/find_by_name.h"

namespace integreat::gateway {

namespace {

using Audience = http::Access::Audience;
using http::ProblemType;

std::vector<std::pair<std::string, std::string>> make_facts(const http::Route& route,
                                                            const Principal& principal) {
    bool key = principal.kind == PrincipalKind::key;
    std::vector<std::pair<std::string, std::string>> facts{{"route", route.name},
                                                           {"tenant of the route", route.tenant.text},
                                                           {"tenant of the caller", principal.tenant.text},
                                                           {key ? "key" : "user", principal.subject}};
    if (key) {
        facts.emplace_back("scopes", join(principal.scopes, " "));
    } else {
        facts.emplace_back("role", principal.role.empty() ? "(the token has none)" : principal.role);
    }
    return facts;
}

// `rule` completes the sentence "route NAME …".
Rejection make_route_rejection(const http::Route& route, const Principal& principal, http::Problem problem,
                               std::string rule) {
    return {std::move(problem), "route " + route.name + " " + rule, make_facts(route, principal)};
}

Rejection reject_missing_token(const http::Route& route) {
    auto problem = http::problem(ProblemType::token_missing,
                                 "Send the header \"Authorization: Bearer <ID token or API key>\".");
    problem.headers.add("WWW-Authenticate", "Bearer realm=\"integreat\"");
    return {std::move(problem), "route " + route.name + " is not public", {{"Authorization", "(not sent)"}}};
}

// A key with the scope "role:x" acts as the role x of its application.
std::optional<Rejection> check_key_role(const http::Route& route, const Principal& principal) {
    const auto& access = route.access;
    auto grants_role = [&](const std::string& scope) {
        if (!scope.starts_with(http::role_scope)) return false;
        auto role = scope.substr(http::role_scope.size());
        return std::find(access.roles.begin(), access.roles.end(), role) != access.roles.end();
    };
    if (access.audience != Audience::roles ||
        std::any_of(principal.scopes.begin(), principal.scopes.end(), grants_role))
        return {};
    std::string required;
    for (const auto& role : access.roles)
        required += (required.empty() ? "" : " or ") + std::string(http::role_scope) + role;
    return make_route_rejection(
        route, principal,
        http::problem(ProblemType::scope_missing, "This route needs a key with the scope " + required + "."),
        "requires scope " + required + " of API keys");
}

Rejection reject_missing_scope(const http::Route& route, const Principal& principal) {
    const auto& scope = route.access.scope;
    auto problem =
        http::problem(ProblemType::scope_missing, "This route needs a key with the scope \"" + scope + "\".");
    problem.headers.add("WWW-Authenticate",
                        "Bearer realm=\"integreat\", error=\"insufficient_scope\", scope=\"" + scope + "\"");
    return make_route_rejection(route, principal, std::move(problem),
                                "requires scope " + scope + " of API keys");
}

std::optional<Rejection> check_key(const http::Route& route, const Principal& principal) {
    if (route.access.keys_as_roles) return check_key_role(route, principal);
    const auto& scope = route.access.scope;
    if (scope.empty()) {
        return make_route_rejection(route, principal,
                                    http::problem(ProblemType::key_not_accepted,
                                                  "Call this route with the ID token of a signed-in user."),
                                    "names no scope, so no API key may call it");
    }
    if (scope == http::any_scope) return {};
    if (contains(principal.scopes, scope)) return {};
    return reject_missing_scope(route, principal);
}

}  // namespace

bool is_operator(const Principal* principal, std::string_view scope) {
    if (!principal || principal->tenant != platform_tenant) return false;
    if (principal->kind == PrincipalKind::key)
        return contains(principal->scopes, http::admin_scope) || contains(principal->scopes, scope);
    return principal->kind == PrincipalKind::user && principal->role == "admin";
}

std::string describe_caller(const Principal* principal) {
    if (!principal || principal->kind == PrincipalKind::anonymous) return "anonymous";
    return (principal->kind == PrincipalKind::key ? "key " : "user ") + principal->subject;
}

std::optional<Rejection> authorize(const http::Route& route, const Principal* principal) {
    const auto& access = route.access;
    if (access.audience == Audience::anyone) return {};
    if (!principal || principal->kind == PrincipalKind::anonymous) return reject_missing_token(route);
    if (access.audience == Audience::operators) {
        if (is_operator(principal, access.scope)) return {};
        if (principal->kind == PrincipalKind::key && principal->tenant == platform_tenant)
            return reject_missing_scope(route, *principal);
        return make_route_rejection(
            route, *principal,
            http::problem(ProblemType::operators_only,
                          "Sign in to the platform's own project with the role \"admin\"."),
            "is for operators: role admin of the platform's own project, or a key of the platform");
    }
    if (principal->tenant != route.tenant) {
        return make_route_rejection(
            route, *principal,
            http::problem(ProblemType::wrong_tenant, "Sign in to the application that owns this route."),
            "belongs to tenant " + route.tenant.text + ", the caller to another");
    }
    if (principal->kind == PrincipalKind::key) return check_key(route, *principal);
    if (access.audience == Audience::signed_in) return {};
    const auto& roles = access.roles;
    if (std::find(roles.begin(), roles.end(), principal->role) != roles.end()) return {};
    return make_route_rejection(
        route, *principal,
        http::problem(ProblemType::role_missing, "This route is for the roles: " + join(roles, ", ") + "."),
        "requires role " + join(roles, " or "));
}

}  // namespace integreat::gateway
