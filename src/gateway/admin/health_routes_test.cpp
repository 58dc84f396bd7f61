// SPDX-License-Identifier: Apache-2.0
#include "gateway/admin/health_routes.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>

#include "gateway/testing/gateway_fixture.h"
#include "http/message/problem_catalogue.h"

namespace integreat::gateway {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class PlatformRoutesTest : public ::testing::Test {
protected:
    PlatformRoutesTest() { world.publish(platform_routes(parts)); }

    testing::World world;
    std::vector<ReadyCheck> checks{
        {.name = "database", .ready = true, .state = "connected", .age = std::chrono::seconds(3)}};
    PlatformRoutes parts{.metrics = world.metrics, .ready_checks = [this] { return checks; }};
};

TEST_F(PlatformRoutesTest, SaysWhetherItIsWell) {
    EXPECT_EQ(world.get("/healthz").body, "{\"status\":\"ok\"}\n");
    auto ready = world.get("/readyz");
    EXPECT_EQ(ready.status, 200);
    EXPECT_EQ(ready.body,
              "{\"ready\":true,\"checks\":[{\"name\":\"database\",\"ready\":true,\"state\":\"connected\","
              "\"age_seconds\":3}]}\n");
    checks.push_back({.name = "keys", .state = "never fetched"});
    auto not_ready = world.get("/readyz");
    EXPECT_EQ(not_ready.status, 503);
    EXPECT_EQ(not_ready.headers.value("Retry-After"), "1");
}

TEST_F(PlatformRoutesTest, NeverTellsAProbeToComeBackLater) {
    for (int i = 0; i < 2000; ++i)
        ASSERT_EQ(world.get("/healthz").status, 200);
}

TEST_F(PlatformRoutesTest, ShowsMetricsToThisMachineAndToOperators) {
    auto from = [&](std::string address, http::Headers headers = {}) {
        return world.send(
            {.target = "/metrics", .headers = std::move(headers), .peer = {std::move(address), 1}});
    };
    EXPECT_EQ(from("127.0.0.1").status, 200);
    EXPECT_EQ(from("::1").status, 200);
    EXPECT_EQ(from("192.0.2.1").status, 403);
    EXPECT_EQ(from("127.0.0.1", {{"X-Forwarded-For", "192.0.2.1"}}).status, 403);
    EXPECT_EQ(from("192.0.2.1", {{"Authorization", "Bearer integreat-core:op:admin"}}).status, 200);
    EXPECT_EQ(from("192.0.2.1", {{"Authorization", "Bearer campus:u1:admin"}}).status, 403);
    EXPECT_THAT(from("127.0.0.1").body, HasSubstr("integreat_requests_total"));
}

TEST_F(PlatformRoutesTest, DescribesEveryRouteAsOpenApi) {
    auto answer = world.get("/openapi.json");
    ASSERT_EQ(answer.status, 200);
    auto document = boost::json::parse(answer.body);
    EXPECT_EQ(document.at("openapi").as_string(), "3.1.0");
    const auto& paths = document.at("paths").as_object();
    for (const auto& route : answer.call.snapshot->router.routes()) {
        std::string path = route.pattern;
        if (auto dots = path.find("..."); dots != std::string::npos) path.erase(dots, 3);
        std::string method(to_string(route.method));
        for (auto& c : method)
            c = static_cast<char>(c | 0x20);
        ASSERT_TRUE(paths.contains(path)) << path;
        EXPECT_EQ(paths.at(path).at(method).at("operationId").as_string(), route.name);
    }
    EXPECT_TRUE(paths.at("/healthz").at("get").at("security").as_array().empty());
    EXPECT_EQ(paths.at("/v1/apps/campus/grades").at("get").at("security").as_array().size(), 2u);
}

TEST_F(PlatformRoutesTest, ShowsEveryRouteOnAPageOfItsOwn) {
    auto answer = world.get("/docs");
    ASSERT_EQ(answer.status, 200);
    for (const auto& route : answer.call.snapshot->router.routes()) {
        EXPECT_THAT(answer.body, HasSubstr("id=\"" + route.name + "\"")) << route.name;
    }
    EXPECT_THAT(answer.body, Not(HasSubstr("<script")));
    EXPECT_THAT(answer.body, Not(HasSubstr("https://")));
    EXPECT_THAT(std::string(answer.headers.value("Content-Security-Policy")),
                HasSubstr("default-src 'none'"));
    EXPECT_EQ(answer.headers.value("X-Content-Type-Options"), "nosniff");
}

TEST_F(PlatformRoutesTest, WritesAnewAfterAReload) {
    EXPECT_THAT(world.get("/openapi.json").body, Not(HasSubstr("campus.new")));
    auto routes = platform_routes(parts);
    routes.push_back({.pattern = "/v1/apps/campus/new",
                      .name = "campus.new",
                      .tenant = {"campus"},
                      .handler = [](const http::Request&, http::Call&) { return http::Reply{}; }});
    world.publish(routes);
    EXPECT_THAT(world.get("/openapi.json").body, HasSubstr("campus.new"));
}

TEST_F(PlatformRoutesTest, ExplainsEachProblem) {
    for (const auto& kind : http::problem_kinds()) {
        auto answer =
            world.send({.target = "/problems/" + std::string(kind.slug),
                        .headers = {{"Accept", "text/html"}},
                        .peer = {"192.0.2." + std::to_string(&kind - http::problem_kinds().data()), 1}});
        EXPECT_EQ(answer.status, 200) << kind.slug;
        EXPECT_THAT(answer.body, HasSubstr(std::string(kind.title)));
    }
    auto json = boost::json::parse(world.get("/problems/role-missing").body);
    EXPECT_EQ(json.at("status").as_int64(), 403);
    EXPECT_EQ(world.get("/problems/nonsense").status, 404);
    EXPECT_THAT(world.get("/problems").body, HasSubstr("token-expired"));
}

}  // namespace
}  // namespace integreat::gateway
