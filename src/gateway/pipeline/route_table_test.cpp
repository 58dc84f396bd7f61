// SPDX-License-Identifier: Apache-2.0
// Every route in the table, without credentials, with another tenant's, with too much and with nonsense
// (style R28). A route is covered the moment it exists.
#include <gmock/gmock.h>

#include "gateway/admin/admin_routes.h"
#include "gateway/admin/health_routes.h"
#include "gateway/testing/gateway_fixture.h"
#include "postgres/testing/test_databases.h"

namespace integreat::gateway {
namespace {

using Who = http::Access::Who;

class WalkTest : public ::testing::Test {
protected:
    WalkTest() {
        world.gateway.database = &pool;
        auto routes = platform_routes(platform);
        for (auto& route : admin_routes(admin))
            routes.push_back(std::move(route));
        world.publish(std::move(routes));
        snapshot = world.snapshots.current();
    }

    // A request for the route, its parameters filled in, from an address of its own.
    http::Request request_for(const http::Route& route, std::string token) {
        http::Request request{.method = route.method};
        for (std::size_t i = 0; i < route.pattern.size(); ++i) {
            if (route.pattern[i] == '{') {
                i = route.pattern.find('}', i);
                request.target += "x";
            } else {
                request.target += route.pattern[i];
            }
        }
        request.peer.address = "10.0.0." + std::to_string(++addresses);
        if (!token.empty()) request.headers.add("Authorization", "Bearer " + token);
        if (route.idempotency == http::Idempotency::required) request.headers.add("Idempotency-Key", "k");
        return request;
    }

    std::string entitled(const http::Route& route) {
        if (route.access.who == Who::operators) return "integreat-core:op:admin";
        return route.tenant.text + ":u1:" + (route.access.roles.empty() ? "student" : route.access.roles[0]);
    }

    postgres::testing::TestDatabase database = postgres::testing::fresh_database();
    testing::World world;
    postgres::Pool pool{database.pool, world.clock};
    PlatformRoutes platform{.metrics = world.metrics,
                            .ready_checks = [] { return std::vector<ReadyCheck>(); }};
    AdminRoutes admin{.platform = pool,
                      .clock = world.clock,
                      .random = world.random,
                      .decisions = world.decisions,
                      .ready_checks = [] { return std::vector<ReadyCheck>(); }};
    std::shared_ptr<const Snapshot> snapshot;
    int addresses = 0;
};

TEST_F(WalkTest, NoRouteThatIsNotPublicAnswersWithoutCredentials) {
    for (const auto& route : snapshot->router.routes()) {
        auto answer = world.send(request_for(route, ""));
        if (route.access.who == Who::anyone) {
            EXPECT_NE(answer.status, 401) << route.name;
        } else {
            EXPECT_EQ(answer.status, 401) << route.name;
            EXPECT_TRUE(answer.headers.contains("WWW-Authenticate")) << route.name;
        }
    }
}

TEST_F(WalkTest, NoRouteAnswersToAnotherTenant) {
    for (const auto& route : snapshot->router.routes()) {
        if (route.access.who == Who::anyone || route.tenant.text == "teleo") continue;
        for (auto token : {"teleo:u1:admin", "key:teleo:k1:*", "teleo:u1:registrar"}) {
            auto answer = world.send(request_for(route, token));
            EXPECT_EQ(answer.status, 403) << route.name << " with " << token;
            EXPECT_FALSE(answer.relay) << route.name;
        }
    }
}

TEST_F(WalkTest, EveryRouteRefusesABodyBeyondItsLimit) {
    for (const auto& route : snapshot->router.routes()) {
        auto request = request_for(route, entitled(route));
        request.headers.add("Content-Length", std::to_string(route.body_bytes_max + 1));
        auto answer = world.send(request);
        EXPECT_EQ(answer.type, "body-too-large") << route.name;
    }
}

TEST_F(WalkTest, EveryRouteThatReadsJsonRefusesNonsense) {
    int walked = 0;
    for (const auto& route : snapshot->router.routes()) {
        if (route.request_schema.empty() || route.request_type != "application/json") continue;
        ++walked;
        for (std::string body : {"{", "[]", R"({"a":1,"a":2})", "\xff", "nul"}) {
            auto request = request_for(route, entitled(route));
            request.body = body;
            request.headers.add("Content-Length", std::to_string(body.size()));
            request.headers.add("Content-Type", "application/json");
            EXPECT_EQ(world.send(request).status, 400) << route.name << " with " << body;
        }
    }
    EXPECT_GE(walked, 2);
}

TEST_F(WalkTest, EveryRefusalIsAProblemWithItsRequestId) {
    for (const auto& route : snapshot->router.routes()) {
        auto answer = world.send(request_for(route, "bad"));
        EXPECT_EQ(answer.status, 401) << route.name;
        EXPECT_EQ(answer.headers.value("Content-Type"), "application/problem+json") << route.name;
        EXPECT_THAT(answer.body, ::testing::HasSubstr(answer.call.id.text)) << route.name;
        EXPECT_TRUE(world.decisions.find(answer.call.id.text)) << route.name;
    }
}

}  // namespace
}  // namespace integreat::gateway
