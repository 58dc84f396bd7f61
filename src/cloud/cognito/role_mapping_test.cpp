// SPDX-License-Identifier: Apache-2.0
#include "cloud/cognito/role_mapping.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace integreat::cognito {
namespace {

namespace json = boost::json;

constexpr const char* provider = "securetoken.google.com/campus";
constexpr const char* standard = "arn:aws:iam::000000000000:role/standard";
constexpr const char* dean = "arn:aws:iam::000000000000:role/dean";
constexpr const char* guest = "arn:aws:iam::000000000000:role/guest";

json::object rule(const char* claim, const char* match, const char* value, const char* role) {
    return {{"Claim", claim}, {"MatchType", match}, {"Value", value}, {"RoleARN", role}};
}

json::object roles_with(json::object mapping) {
    json::object body{{"Roles", {{"authenticated", standard}, {"unauthenticated", guest}}}};
    if (!mapping.empty()) body["RoleMappings"] = json::object{{provider, std::move(mapping)}};
    auto parsed = parse_roles(body);
    EXPECT_TRUE(parsed);
    return *std::move(parsed);
}

json::object rules(json::array all, const char* ambiguous = "Deny") {
    return {{"Type", "Rules"},
            {"AmbiguousRoleResolution", ambiguous},
            {"RulesConfiguration", {{"Rules", std::move(all)}}}};
}

std::string resolve(const json::object& roles, const json::object& claims, std::string custom = {}) {
    auto role = resolve_role({.roles = roles, .provider = provider, .claims = claims, .custom_role = custom});
    if (role) return *role;
    return std::move(role).error().code;
}

TEST(RoleMapping, UsesTheDefaultRolesWithoutAMapping) {
    auto roles = roles_with({});
    EXPECT_EQ(resolve(roles, {}), standard);
    EXPECT_EQ(*resolve_role({.roles = roles, .provider = "", .claims = {}, .custom_role = {}}), guest);
    EXPECT_EQ(resolve(roles, {}, dean), "InvalidParameterException");
}

TEST(RoleMapping, UsesTheFirstMatchingRule) {
    auto roles =
        roles_with(rules({rule("role", "Equals", "dean", dean), rule("role", "StartsWith", "gu", guest)}));
    EXPECT_EQ(resolve(roles, {{"role", "dean"}}), dean);
    EXPECT_EQ(resolve(roles, {{"role", "guest"}}), guest);
    EXPECT_EQ(resolve(roles, {{"role", "student"}}), "NotAuthorizedException");
    EXPECT_EQ(resolve(roles, {}), "NotAuthorizedException") << "the claim is missing";
    EXPECT_EQ(resolve(roles, {{"role", "dean"}}, guest), "InvalidParameterException");
}

TEST(RoleMapping, ComparesListsNumbersAndBooleansAsText) {
    auto roles =
        roles_with(rules({rule("groups", "Contains", "staff", dean), rule("level", "Equals", "3", guest),
                          rule("paid", "NotEqual", "true", dean)},
                         "AuthenticatedRole"));
    EXPECT_EQ(resolve(roles, {{"groups", json::array{"a", "b-staff"}}}), dean);
    EXPECT_EQ(resolve(roles, {{"level", 3}}), guest);
    EXPECT_EQ(resolve(roles, {{"paid", false}}), dean);
    EXPECT_EQ(resolve(roles, {{"paid", true}}), standard) << "ambiguous: the authenticated role";
}

TEST(RoleMapping, UsesThePreferredRoleOfTheToken) {
    auto roles = roles_with({{"Type", "Token"}, {"AmbiguousRoleResolution", "AuthenticatedRole"}});
    json::object claims{{"cognito:roles", json::array{dean, guest}}, {"cognito:preferred_role", guest}};
    EXPECT_EQ(resolve(roles, claims), guest);
    EXPECT_EQ(resolve(roles, claims, dean), dean);
    EXPECT_EQ(resolve(roles, claims, standard), "InvalidParameterException");
    EXPECT_EQ(resolve(roles, {{"cognito:roles", json::array{dean}}}), dean);
    EXPECT_EQ(resolve(roles, {{"cognito:roles", json::array{dean, guest}}}), standard);
}

TEST(RoleMapping, RefusesInvalidMappings) {
    auto code = [](json::object mapping) {
        auto parsed = parse_roles({{"Roles", json::object()}, {"RoleMappings", {{provider, mapping}}}});
        return parsed ? std::string() : std::move(parsed).error().code;
    };
    EXPECT_EQ(code({{"Type", "Magic"}, {"AmbiguousRoleResolution", "Deny"}}), "InvalidParameterException");
    EXPECT_EQ(code({{"Type", "Token"}}), "InvalidParameterException");
    EXPECT_EQ(code(rules({})), "InvalidParameterException");
    EXPECT_EQ(code(rules({rule("a", "Like", "b", dean)})), "InvalidParameterException");
    EXPECT_EQ(code(rules({rule("a", "Equals", "b", "dean")})), "InvalidParameterException");
    json::array many(26, rule("a", "Equals", "b", dean));
    EXPECT_EQ(code(rules(many)), "InvalidParameterException");
    EXPECT_FALSE(parse_roles({}));
    EXPECT_FALSE(parse_roles({{"Roles", {{"admin", dean}}}}));
}

TEST(RoleMapping, ListsEachRoleOnce) {
    auto roles = roles_with(rules({rule("role", "Equals", "a", dean), rule("role", "Equals", "b", dean)}));
    EXPECT_EQ(role_arns(roles), (std::vector<std::string>{standard, guest, dean}));
}

TEST(PrincipalTags, ComeFromClaims) {
    json::object claims{{"sub", "ann"}, {"aud", "campus"}, {"role", "dean"}, {"level", 3}};
    json::object maps{
        {provider, {{"UseDefaults", false}, {"PrincipalTags", {{"team", "role"}, {"no", "none"}}}}}};
    using Tags = std::map<std::string, std::string>;
    EXPECT_EQ(principal_tags(maps, provider, claims), (Tags{{"team", "dean"}}));
    maps[provider] = json::object{{"UseDefaults", true}, {"PrincipalTags", json::object()}};
    EXPECT_EQ(principal_tags(maps, provider, claims), (Tags{{"client", "campus"}, {"username", "ann"}}));
    EXPECT_TRUE(principal_tags(maps, "other", claims).empty());
}

TEST(PrincipalTags, AreSetForTextsThatATagCanHave) {
    json::object maps{{provider, {{"UseDefaults", false}, {"PrincipalTags", {{"uid", "sub"}}}}}};
    auto is_set = [&](json::value subject) {
        return !principal_tags(maps, provider, {{"sub", std::move(subject)}}).empty();
    };
    for (const char* valid : {"ann", "a/b", "a b_c.d:e=f+g-h@i", "", "ñ"})
        EXPECT_TRUE(is_set(valid)) << valid;
    EXPECT_TRUE(is_set(json::value(json::string(256, 'a'))));
    EXPECT_FALSE(is_set(json::value(json::string(257, 'a'))));
    for (const char* invalid : {"a*", "a?", "${a}", "a,b", "a\n", "\"a\"", "a#"})
        EXPECT_FALSE(is_set(invalid)) << invalid;
    EXPECT_FALSE(is_set(json::array{"ann"})) << "a list is no single value";
    EXPECT_FALSE(is_set(json::object{{"a", 1}}));
    EXPECT_FALSE(is_set(nullptr));
}

}  // namespace
}  // namespace integreat::cognito
