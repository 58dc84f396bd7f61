// SPDX-License-Identifier: Apache-2.0
#include "gateway/routing/authorize.h"

#include <gtest/gtest.h>

namespace integreat::gateway {
namespace {

using Audience = http::Access::Audience;

http::Route make_route(Audience audience, std::vector<std::string> roles = {}, std::string scope = {}) {
    return {.name = "campus.portal",
            .tenant = {"campus"},
            .access = {.audience = audience, .roles = std::move(roles), .scope = std::move(scope)}};
}

Principal user(std::string tenant, std::string role) {
    return {
        .kind = PrincipalKind::user, .tenant = {std::move(tenant)}, .subject = "u1", .role = std::move(role)};
}

Principal key(std::string tenant, std::vector<std::string> scopes) {
    return {.kind = PrincipalKind::key,
            .tenant = {std::move(tenant)},
            .subject = "k1",
            .scopes = std::move(scopes)};
}

// Returns "" if the request is allowed, else status and slug.
std::string outcome(const http::Route& route, const Principal* principal) {
    auto rejection = authorize(route, principal);
    return rejection
               ? std::to_string(rejection->problem.status) + " " + std::string(rejection->problem.slug())
               : "";
}

TEST(Authorize, AllowsAnyoneOnAPublicRoute) {
    auto open = make_route(Audience::anyone);
    auto stranger = user("teleo", "");
    EXPECT_EQ(outcome(open, nullptr), "");
    EXPECT_EQ(outcome(open, &stranger), "");
}

TEST(Authorize, RequiresATokenOnOtherRoutes) {
    for (auto who : {Audience::signed_in, Audience::roles, Audience::operators}) {
        EXPECT_EQ(outcome(make_route(who), nullptr), "401 token-missing");
    }
    auto rejection = authorize(make_route(Audience::signed_in), nullptr);
    EXPECT_EQ(rejection->problem.headers.value("WWW-Authenticate"), "Bearer realm=\"integreat\"");
    EXPECT_EQ(rejection->rule, "route campus.portal is not public");
}

TEST(Authorize, IsolatesTenants) {
    auto foreign_user = user("teleo", "admin");
    auto foreign_key = key("teleo", {"campus.read"});
    auto operators = user(platform_tenant.text, "admin");
    for (const auto& route : {make_route(Audience::signed_in, {}, "campus.read"),
                              make_route(Audience::roles, {"admin"}, "campus.read")}) {
        EXPECT_EQ(outcome(route, &foreign_user), "403 wrong-tenant");
        EXPECT_EQ(outcome(route, &foreign_key), "403 wrong-tenant");
        EXPECT_EQ(outcome(route, &operators), "403 wrong-tenant");
    }
}

TEST(Authorize, RequiresOneOfTheRoles) {
    auto route = make_route(Audience::roles, {"registrar", "admin"});
    auto registrar = user("campus", "registrar"), student = user("campus", "student"),
         none = user("campus", "");
    EXPECT_EQ(outcome(route, &registrar), "");
    EXPECT_EQ(outcome(route, &student), "403 role-missing");
    EXPECT_EQ(outcome(route, &none), "403 role-missing");

    auto rejection = authorize(route, &student);
    EXPECT_EQ(rejection->rule, "route campus.portal requires role registrar or admin");
    EXPECT_EQ(rejection->facts.back(), (std::pair<std::string, std::string>("role", "student")));
}

TEST(Authorize, RequiresTheScopeOfAKey) {
    auto closed = make_route(Audience::signed_in),
         open = make_route(Audience::roles, {"admin"}, "grades.read");
    auto holder = key("campus", {"other", "grades.read"}), other = key("campus", {"grades"});
    EXPECT_EQ(outcome(closed, &holder), "403 key-not-accepted");
    EXPECT_EQ(outcome(open, &holder), "");
    EXPECT_EQ(outcome(make_route(Audience::signed_in, {}, "*"), &other), "");
    EXPECT_EQ(outcome(open, &other), "403 scope-missing");
    EXPECT_EQ(authorize(open, &other)->problem.headers.value("WWW-Authenticate"),
              "Bearer realm=\"integreat\", error=\"insufficient_scope\", scope=\"grades.read\"");
}

TEST(Authorize, AllowsKeysToActAsTheRoleOfTheirScope) {
    auto route = make_route(Audience::roles, {"registrar", "admin"});
    route.access.keys_as_roles = true;
    auto registrar = key("campus", {"portal.read", "role:registrar"});
    auto student = key("campus", {"role:student"});
    auto foreign = key("teleo", {"role:registrar"});
    auto odd = key("campus", {"registrar", "role:", "roles:registrar"});
    EXPECT_EQ(outcome(route, &registrar), "");
    EXPECT_EQ(outcome(route, &student), "403 scope-missing");
    EXPECT_EQ(outcome(route, &odd), "403 scope-missing");
    EXPECT_EQ(outcome(route, &foreign), "403 wrong-tenant");
    EXPECT_EQ(authorize(route, &student)->problem.detail,
              "This route needs a key with the scope role:registrar or role:admin.");
    auto signed_in = make_route(Audience::signed_in);
    signed_in.access.keys_as_roles = true;
    EXPECT_EQ(outcome(signed_in, &odd), "");
}

TEST(Authorize, RecognizesOperators) {
    auto route = make_route(Audience::operators);
    route.tenant = platform_tenant;
    auto admin = user(platform_tenant.text, "admin"), viewer = user(platform_tenant.text, "viewer");
    auto machine = key(platform_tenant.text, {"admin"}), app_admin = user("campus", "admin");
    auto monitor = key(platform_tenant.text, {"status:read"});
    EXPECT_EQ(outcome(route, &admin), "");
    EXPECT_EQ(outcome(route, &machine), "");
    route.access.scope = "keys:read";
    EXPECT_EQ(outcome(route, &monitor), "403 scope-missing");
    route.access.scope = "status:read";
    EXPECT_EQ(outcome(route, &monitor), "");
    EXPECT_EQ(outcome(route, &viewer), "403 operators-only");
    EXPECT_EQ(outcome(route, &app_admin), "403 operators-only");
}

}  // namespace
}  // namespace integreat::gateway
