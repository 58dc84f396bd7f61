// SPDX-License-Identifier: Apache-2.0
#include "gateway/routing/authorize.h"

#include <algorithm>

namespace integreat::gateway {

namespace {

using Who = http::Access::Who;

std::string joined(const std::vector<std::string>& words, std::string_view between) {
    std::string text;
    for (const auto& word : words)
        text.append(text.empty() ? "" : between).append(word);
    return text;
}

std::vector<std::pair<std::string, std::string>> facts_of(const http::Route& route,
                                                          const Principal& principal) {
    bool key = principal.kind == PrincipalKind::key;
    std::vector<std::pair<std::string, std::string>> facts{{"route", route.name},
                                                           {"tenant of the route", route.tenant.text},
                                                           {"tenant of the caller", principal.tenant.text},
                                                           {key ? "key" : "user", principal.subject}};
    if (key) {
        facts.emplace_back("scopes", joined(principal.scopes, " "));
    } else {
        facts.emplace_back("role", principal.role.empty() ? "(the token has none)" : principal.role);
    }
    return facts;
}

Refusal forbidden(const http::Route& route, const Principal& principal, http::Problem problem,
                  std::string rule) {
    problem.status = 403;
    return {std::move(problem), "route " + route.name + " " + rule, facts_of(route, principal)};
}

Refusal missing_token(const http::Route& route) {
    http::Problem problem{.status = 401,
                          .type = "token-missing",
                          .title = "A token is needed",
                          .detail = "Send the header \"Authorization: Bearer <ID token or API key>\"."};
    problem.headers.add("WWW-Authenticate", "Bearer realm=\"integreat\"");
    return {std::move(problem), "route " + route.name + " is not public", {{"Authorization", "(not sent)"}}};
}

// A key that names a role of this application stands for somebody who has it.
std::optional<Refusal> refuse_key_as_role(const http::Route& route, const Principal& principal) {
    const auto& access = route.access;
    auto may = [&](const std::string& scope) {
        if (!scope.starts_with(http::role_scope)) return false;
        auto role = scope.substr(http::role_scope.size());
        return std::find(access.roles.begin(), access.roles.end(), role) != access.roles.end();
    };
    if (access.who != Who::roles || std::any_of(principal.scopes.begin(), principal.scopes.end(), may))
        return {};
    std::string wanted;
    for (const auto& role : access.roles)
        wanted += (wanted.empty() ? "" : " or ") + std::string(http::role_scope) + role;
    return forbidden(route, principal,
                     {.type = "scope-missing",
                      .title = "The API key lacks a scope",
                      .detail = "This route needs a key with the scope " + wanted + "."},
                     "requires scope " + wanted + " of API keys");
}

std::optional<Refusal> refuse_key(const http::Route& route, const Principal& principal) {
    if (route.access.keys_as_roles) return refuse_key_as_role(route, principal);
    const auto& scope = route.access.scope;
    if (scope.empty()) {
        return forbidden(route, principal,
                         {.type = "key-not-accepted",
                          .title = "API keys are not accepted here",
                          .detail = "Call this route with the ID token of a signed-in user."},
                         "names no scope, so no API key may call it");
    }
    if (scope == http::any_scope) return {};
    if (std::find(principal.scopes.begin(), principal.scopes.end(), scope) != principal.scopes.end())
        return {};
    http::Problem problem{.type = "scope-missing",
                          .title = "The API key lacks a scope",
                          .detail = "This route needs a key with the scope \"" + scope + "\"."};
    problem.headers.add("WWW-Authenticate",
                        "Bearer realm=\"integreat\", error=\"insufficient_scope\", scope=\"" + scope + "\"");
    return forbidden(route, principal, std::move(problem), "requires scope " + scope + " of API keys");
}

}  // namespace

bool is_operator(const Principal* principal) {
    if (!principal || principal->tenant != platform_tenant) return false;
    return principal->kind == PrincipalKind::key ||
           (principal->kind == PrincipalKind::user && principal->role == "admin");
}

std::optional<Refusal> authorize(const http::Route& route, const Principal* principal) {
    const auto& access = route.access;
    if (access.who == Who::anyone) return {};
    if (!principal || principal->kind == PrincipalKind::anonymous) return missing_token(route);
    if (access.who == Who::operators) {
        if (is_operator(principal)) return {};
        return forbidden(
            route, *principal,
            {.type = "operators-only",
             .title = "Only operators may do this",
             .detail = "Sign in to the platform's own project with the role \"admin\"."},
            "is for operators: role admin of the platform's own project, or a key of the platform");
    }
    if (principal->tenant != route.tenant) {
        return forbidden(route, *principal,
                         {.type = "foreign-tenant",
                          .title = "The token belongs to another application",
                          .detail = "Sign in to the application whose route this is."},
                         "belongs to tenant " + route.tenant.text + ", the caller to another");
    }
    if (principal->kind == PrincipalKind::key) return refuse_key(route, *principal);
    if (access.who == Who::signed_in) return {};
    const auto& roles = access.roles;
    if (std::find(roles.begin(), roles.end(), principal->role) != roles.end()) return {};
    return forbidden(route, *principal,
                     {.type = "role-missing",
                      .title = "Your role may not do this",
                      .detail = "This route is for the roles: " + joined(roles, ", ") + "."},
                     "requires role " + joined(roles, " or "));
}

}  // namespace integreat::gateway
