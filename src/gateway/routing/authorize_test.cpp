// SPDX-License-Identifier: Apache-2.0
#include "gateway/routing/authorize.h"

#include <gtest/gtest.h>

namespace integreat::gateway {
namespace {

using Who = http::Access::Who;

http::Route route_for(Who who, std::vector<std::string> roles = {}, std::string scope = {}) {
    return {.name = "campus.portal",
            .tenant = {"campus"},
            .access = {.who = who, .roles = std::move(roles), .scope = std::move(scope)}};
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

// "" if allowed, else the status and the slug.
std::string verdict(const http::Route& route, const Principal* principal) {
    auto refusal = authorize(route, principal);
    return refusal ? std::to_string(refusal->problem.status) + " " + refusal->problem.type : "";
}

TEST(Authorize, LetsAnyoneUseAPublicRoute) {
    auto open = route_for(Who::anyone);
    auto stranger = user("teleo", "");
    EXPECT_EQ(verdict(open, nullptr), "");
    EXPECT_EQ(verdict(open, &stranger), "");
}

TEST(Authorize, AsksForATokenElsewhere) {
    for (auto who : {Who::signed_in, Who::roles, Who::operators}) {
        EXPECT_EQ(verdict(route_for(who), nullptr), "401 token-missing");
    }
    auto refusal = authorize(route_for(Who::signed_in), nullptr);
    EXPECT_EQ(refusal->problem.headers.value("WWW-Authenticate"), "Bearer realm=\"integreat\"");
    EXPECT_EQ(refusal->rule, "route campus.portal is not public");
}

TEST(Authorize, NeverLetsTenantsMeet) {
    auto foreign_user = user("teleo", "admin");
    auto foreign_key = key("teleo", {"campus.read"});
    auto operators = user(platform_tenant.text, "admin");
    for (const auto& route :
         {route_for(Who::signed_in, {}, "campus.read"), route_for(Who::roles, {"admin"}, "campus.read")}) {
        EXPECT_EQ(verdict(route, &foreign_user), "403 foreign-tenant");
        EXPECT_EQ(verdict(route, &foreign_key), "403 foreign-tenant");
        EXPECT_EQ(verdict(route, &operators), "403 foreign-tenant");
    }
}

TEST(Authorize, AsksForOneOfTheRoles) {
    auto route = route_for(Who::roles, {"registrar", "admin"});
    auto registrar = user("campus", "registrar"), student = user("campus", "student"),
         none = user("campus", "");
    EXPECT_EQ(verdict(route, &registrar), "");
    EXPECT_EQ(verdict(route, &student), "403 role-missing");
    EXPECT_EQ(verdict(route, &none), "403 role-missing");

    auto refusal = authorize(route, &student);
    EXPECT_EQ(refusal->rule, "route campus.portal requires role registrar or admin");
    EXPECT_EQ(refusal->facts.back(), (std::pair<std::string, std::string>("role", "student")));
}

TEST(Authorize, LetsKeysInByScopeOnly) {
    auto closed = route_for(Who::signed_in), open = route_for(Who::roles, {"admin"}, "grades.read");
    auto holder = key("campus", {"other", "grades.read"}), other = key("campus", {"grades"});
    EXPECT_EQ(verdict(closed, &holder), "403 key-not-accepted");
    EXPECT_EQ(verdict(open, &holder), "");
    EXPECT_EQ(verdict(route_for(Who::signed_in, {}, "*"), &other), "");
    EXPECT_EQ(verdict(open, &other), "403 scope-missing");
    EXPECT_EQ(authorize(open, &other)->problem.headers.value("WWW-Authenticate"),
              "Bearer realm=\"integreat\", error=\"insufficient_scope\", scope=\"grades.read\"");
}

TEST(Authorize, LetsKeysActAsTheRoleOfTheirScope) {
    auto route = route_for(Who::roles, {"registrar", "admin"});
    route.access.keys_as_roles = true;
    auto registrar = key("campus", {"portal.read", "role:registrar"});
    auto student = key("campus", {"role:student"});
    auto foreign = key("teleo", {"role:registrar"});
    auto odd = key("campus", {"registrar", "role:", "roles:registrar"});
    EXPECT_EQ(verdict(route, &registrar), "");
    EXPECT_EQ(verdict(route, &student), "403 scope-missing");
    EXPECT_EQ(verdict(route, &odd), "403 scope-missing");
    EXPECT_EQ(verdict(route, &foreign), "403 foreign-tenant");
    EXPECT_EQ(authorize(route, &student)->problem.detail,
              "This route needs a key with the scope role:registrar or role:admin.");
    auto signed_in = route_for(Who::signed_in);
    signed_in.access.keys_as_roles = true;
    EXPECT_EQ(verdict(signed_in, &odd), "");
}

TEST(Authorize, KnowsOperators) {
    auto route = route_for(Who::operators);
    route.tenant = platform_tenant;
    auto admin = user(platform_tenant.text, "admin"), viewer = user(platform_tenant.text, "viewer");
    auto machine = key(platform_tenant.text, {}), app_admin = user("campus", "admin");
    EXPECT_EQ(verdict(route, &admin), "");
    EXPECT_EQ(verdict(route, &machine), "");
    EXPECT_EQ(verdict(route, &viewer), "403 operators-only");
    EXPECT_EQ(verdict(route, &app_admin), "403 operators-only");
}

}  // namespace
}  // namespace integreat::gateway
