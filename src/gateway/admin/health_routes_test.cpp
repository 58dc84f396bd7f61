// SPDX-License-Identifier: Apache-2.0
#include "gateway/admin/health_routes.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>

#include "base/text/ascii.h"
#include "gateway/testing/gateway_fixture.h"
#include "http/message/problem_catalogue.h"

namespace integreat::gateway {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class PlatformRoutesTest : public ::testing::Test {
protected:
    PlatformRoutesTest() { fixture.publish(platform_routes(parts)); }

    testing::GatewayFixture fixture;
    std::vector<ReadinessCheck> checks{
        {.name = "database", .ready = true, .state = "connected", .age = std::chrono::seconds(3)}};
    PlatformRoutes parts{.metrics = fixture.metrics, .readiness_checks = [this] { return checks; }};
};

TEST_F(PlatformRoutesTest, ReportsHealth) {
    EXPECT_EQ(fixture.get("/healthz").body, "{\"status\":\"ok\"}\n");
    auto ready = fixture.get("/readyz");
    EXPECT_EQ(ready.status, 200);
    EXPECT_EQ(ready.body,
              "{\"ready\":true,\"checks\":[{\"name\":\"database\",\"ready\":true,\"state\":\"connected\","
              "\"age_seconds\":3}]}\n");
    checks.push_back({.name = "keys", .state = "never fetched"});
    auto not_ready = fixture.get("/readyz");
    EXPECT_EQ(not_ready.status, 503);
    EXPECT_EQ(not_ready.headers.value("Retry-After"), "1");
}

TEST_F(PlatformRoutesTest, ChecksAgainWhenTheLastStateIsOld) {
    bool old = true;
    int checked = 0;
    parts.refresh_readiness = [&](bool may_block) {
        if (old && may_block) {
            ++checked;
            checks[0].ready = false;
            old = false;
        }
        return !old;
    };
    EXPECT_EQ(fixture.get("/readyz").status, 503) << "what was true before is not reported";
    EXPECT_EQ(fixture.get("/readyz").status, 503);
    EXPECT_EQ(checked, 1);
}

TEST_F(PlatformRoutesTest, NeverLimitsProbes) {
    for (int i = 0; i < 2000; ++i)
        ASSERT_EQ(fixture.get("/healthz").status, 200);
}

TEST_F(PlatformRoutesTest, ServesMetricsToThisMachineAndOperators) {
    auto from = [&](std::string address, http::Headers headers = {}) {
        return fixture.send(
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
    auto response = fixture.get("/openapi.json");
    ASSERT_EQ(response.status, 200);
    auto document = boost::json::parse(response.body);
    EXPECT_EQ(document.at("openapi").as_string(), "3.1.0");
    const auto& paths = document.at("paths").as_object();
    for (const auto& route : current_snapshot(response.context).router.routes()) {
        std::string path = route.pattern;
        if (auto dots = path.find("..."); dots != std::string::npos) path.erase(dots, 3);
        auto method = to_lower(to_string(route.method));
        ASSERT_TRUE(paths.contains(path)) << path;
        EXPECT_EQ(paths.at(path).at(method).at("operationId").as_string(), route.name);
    }
    EXPECT_TRUE(paths.at("/healthz").at("get").at("security").as_array().empty());
    EXPECT_EQ(paths.at("/v1/apps/campus/grades").at("get").at("security").as_array().size(), 2u);
}

TEST_F(PlatformRoutesTest, DescribesEveryRouteAsAPage) {
    auto response = fixture.get("/docs");
    ASSERT_EQ(response.status, 200);
    for (const auto& route : current_snapshot(response.context).router.routes()) {
        EXPECT_THAT(response.body, HasSubstr("id=\"" + route.name + "\"")) << route.name;
    }
    EXPECT_THAT(response.body, Not(HasSubstr("<script")));
    EXPECT_THAT(response.body, Not(HasSubstr("https://")));
    EXPECT_THAT(std::string(response.headers.value("Content-Security-Policy")),
                HasSubstr("default-src 'none'"));
    EXPECT_EQ(response.headers.value("X-Content-Type-Options"), "nosniff");
}

TEST_F(PlatformRoutesTest, RendersAgainAfterAReload) {
    EXPECT_THAT(fixture.get("/openapi.json").body, Not(HasSubstr("campus.new")));
    auto routes = platform_routes(parts);
    routes.push_back(
        {.pattern = "/v1/apps/campus/new",
         .name = "campus.new",
         .tenant = {"campus"},
         .handler = [](const http::Request&, http::RequestContext&) { return http::FullResponse{}; }});
    fixture.publish(routes);
    EXPECT_THAT(fixture.get("/openapi.json").body, HasSubstr("campus.new"));
}

TEST_F(PlatformRoutesTest, ExplainsEachProblemType) {
    for (const auto& problem : http::problem_definitions()) {
        auto response = fixture.send(
            {.target = "/problems/" + std::string(problem.slug),
             .headers = {{"Accept", "text/html"}},
             .peer = {"192.0.2." + std::to_string(&problem - http::problem_definitions().data()), 1}});
        EXPECT_EQ(response.status, 200) << problem.slug;
        EXPECT_THAT(response.body, HasSubstr(std::string(problem.title)));
    }
    auto json = boost::json::parse(fixture.get("/problems/role-missing").body);
    EXPECT_EQ(json.at("type").as_string(), "https://integreat.dev/problems/role-missing");
    EXPECT_EQ(json.at("status").as_int64(), 403);
    EXPECT_EQ(fixture.get("/problems/nonsense").status, 404);
    EXPECT_THAT(fixture.get("/problems").body, HasSubstr("token-expired"));
}

}  // namespace
}  // namespace integreat::gateway
