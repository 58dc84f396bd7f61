// SPDX-License-Identifier: Apache-2.0
#include "http/routing/router.h"

#include <gmock/gmock.h>

namespace integreat::http {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

Route route(Method method, std::string pattern, std::string name) {
    return {.method = method, .pattern = std::move(pattern), .name = std::move(name)};
}

Router make_router(std::vector<Route> routes) {
    auto router = Router::build(std::move(routes));
    EXPECT_TRUE(router) << router.error().message;
    return *std::move(router);
}

std::string match_name(const Router& router, Method method, std::string_view path) {
    auto match = router.match(method, path);
    if (auto* found = std::get_if<RouteMatch>(&match)) return found->route->name;
    if (auto* other = std::get_if<MethodNotAllowed>(&match)) return "405 " + other->allow;
    return "404";
}

TEST(Router, PrefersLiteralsOverParametersAndParametersOverRests) {
    auto router = make_router(
        {route(Method::get, "/students/{id}", "one"), route(Method::get, "/students/new", "new"),
         route(Method::get, "/students/{rest...}", "rest"), route(Method::get, "/students", "all")});
    EXPECT_EQ(match_name(router, Method::get, "/students"), "all");
    EXPECT_EQ(match_name(router, Method::get, "/students/new"), "new");
    EXPECT_EQ(match_name(router, Method::get, "/students/7"), "one");
    EXPECT_EQ(match_name(router, Method::get, "/students/7/grades"), "rest");
    EXPECT_EQ(match_name(router, Method::get, "/students/"), "rest");
    EXPECT_EQ(match_name(router, Method::get, "/student"), "404");
}

TEST(Router, BacktracksWhenALiteralHasNoRoute) {
    auto router =
        make_router({route(Method::get, "/a/b/c", "literal"), route(Method::get, "/a/{x}/d", "parameter"),
                     route(Method::get, "/{rest...}", "rest")});
    EXPECT_EQ(match_name(router, Method::get, "/a/b/c"), "literal");
    EXPECT_EQ(match_name(router, Method::get, "/a/b/d"), "parameter");
    EXPECT_EQ(match_name(router, Method::get, "/a/b/e"), "rest");
    EXPECT_EQ(match_name(router, Method::get, "/"), "404");
}

TEST(Router, ReturnsDecodedParametersUnderTheNamesOfTheRoute) {
    auto router = make_router({route(Method::get, "/apps/{app}/files/{path...}", "file"),
                               route(Method::del, "/apps/{name}/files/{rest...}", "remove")});
    auto match = std::get<RouteMatch>(router.match(Method::get, "/apps/caf%C3%A9/files/a/b%20c"));
    EXPECT_THAT(match.parameters, ElementsAre(Pair("app", "caf\xc3\xa9"), Pair("path", "a/b c")));
    auto removal = std::get<RouteMatch>(router.match(Method::del, "/apps/x/files/y"));
    EXPECT_THAT(removal.parameters, ElementsAre(Pair("name", "x"), Pair("rest", "y")));
}

TEST(Router, MatchesHeadWithGetRoutesUnlessThereIsAHeadRoute) {
    auto router = make_router({route(Method::get, "/a", "get"), route(Method::get, "/b", "get b"),
                               route(Method::head, "/b", "head b")});
    EXPECT_EQ(match_name(router, Method::head, "/a"), "get");
    EXPECT_EQ(match_name(router, Method::head, "/b"), "head b");
}

TEST(Router, ListsTheMethodsOfAllMatchingPatterns) {
    auto router = make_router({route(Method::get, "/a/b", "get"), route(Method::post, "/a/{x}", "post"),
                               route(Method::put, "/a/{rest...}", "put")});
    EXPECT_EQ(match_name(router, Method::post, "/a/b"), "post");
    EXPECT_EQ(match_name(router, Method::put, "/a/b"), "put");
    EXPECT_EQ(match_name(router, Method::del, "/a/b"), "405 GET, HEAD, POST, PUT, OPTIONS");
    EXPECT_EQ(match_name(router, Method::options, "/a/c"), "405 POST, PUT, OPTIONS");
}

TEST(Router, MatchesEscapedLiterals) {
    auto router = make_router(
        {route(Method::get, "/portal/admin", "admin"), route(Method::get, "/portal/{rest...}", "open")});
    EXPECT_EQ(match_name(router, Method::get, "/portal/%61dmin"), "admin");
    EXPECT_EQ(match_name(router, Method::get, "/%70ortal/ADMIN"), "open");
}

TEST(Router, MatchesTheRoot) {
    auto router = make_router({route(Method::get, "/", "root")});
    EXPECT_EQ(match_name(router, Method::get, "/"), "root");
    EXPECT_EQ(match_name(router, Method::get, "/a"), "404");
}

TEST(Router, NamesBothConflictingRoutes) {
    auto conflict =
        Router::build({route(Method::get, "/a/{x}", "first"), route(Method::get, "/a/{y}", "second")});
    ASSERT_FALSE(conflict);
    EXPECT_EQ(conflict.error().message,
              "routes first (/a/{x}) and second (/a/{y}) both handle GET on the same paths");
}

TEST(Router, RefusesMalformedPatterns) {
    auto error_message = [](std::string pattern) {
        auto built = Router::build({route(Method::get, std::move(pattern), "it")});
        return built ? std::string() : built.error().message;
    };
    EXPECT_THAT(error_message("a"), HasSubstr("must start with a slash"));
    EXPECT_THAT(error_message("/a/"), HasSubstr("must not end with a slash"));
    EXPECT_THAT(error_message("/a//b"), HasSubstr("neither a word nor"));
    EXPECT_THAT(error_message("/a/{}"), HasSubstr("neither a word nor"));
    EXPECT_THAT(error_message("/a/{X}"), HasSubstr("neither a word nor"));
    EXPECT_THAT(error_message("/a/x{y}"), HasSubstr("neither a word nor"));
    EXPECT_THAT(error_message("/a/%41"), HasSubstr("neither a word nor"));
    EXPECT_THAT(error_message("/a/.."), HasSubstr("neither a word nor"));
    EXPECT_THAT(error_message("/{a}/{a}"), HasSubstr("names a parameter twice"));
    EXPECT_THAT(error_message("/{a...}/b"), HasSubstr("after {name...}"));
    std::string deep;
    for (int i = 0; i < 33; ++i)
        deep += "/a";
    EXPECT_THAT(error_message(deep), HasSubstr("more than 32 segments"));
    EXPECT_EQ(error_message(deep.substr(2)), "");
}

TEST(Router, KeepsTheOrderOfRoutesWhenMoved) {
    auto router = make_router({route(Method::get, "/b/{id}", "b"), route(Method::get, "/a", "a")});
    auto moved = std::move(router);
    ASSERT_EQ(moved.routes().size(), 2u);
    EXPECT_EQ(moved.routes()[0].name, "b");
    auto match = std::get<RouteMatch>(moved.match(Method::get, "/b/1"));
    EXPECT_EQ(match.route, &moved.routes()[0]);
    EXPECT_THAT(match.parameters, ElementsAre(Pair("id", "1")));
}

}  // namespace
}  // namespace integreat::http
