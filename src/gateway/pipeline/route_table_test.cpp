// SPDX-License-Identifier: Apache-2.0
// Tests of every route: without credentials, with those of another tenant, with a body that is too large or
// malformed (style R28). A new route is covered automatically.
#include <gmock/gmock.h>

#include "gateway/admin/admin_routes.h"
#include "gateway/admin/health_routes.h"
#include "gateway/testing/gateway_fixture.h"
#include "postgres/testing/test_databases.h"

namespace integreat::gateway {
namespace {

using Audience = http::Access::Audience;

class RouteTableTest : public ::testing::Test {
protected:
    RouteTableTest() {
        fixture.gateway.database = &pool;
        auto routes = platform_routes(platform);
        for (auto& route : admin_routes(admin))
            routes.push_back(std::move(route));
        fixture.publish(std::move(routes));
        snapshot = fixture.snapshots.current();
    }

    // Makes a request for the route with sample parameters, from a new address.
    http::Request make_request(const http::Route& route, std::string token) {
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

    std::string permitted_token(const http::Route& route) {
        if (route.access.audience == Audience::operators) return "integreat-core:op:admin";
        return route.tenant.text + ":u1:" + (route.access.roles.empty() ? "student" : route.access.roles[0]);
    }

    postgres::testing::TestDatabase database = postgres::testing::fresh_database();
    testing::GatewayFixture fixture;
    postgres::Pool pool{database.pool, fixture.clock};
    PlatformRoutes platform{.metrics = fixture.metrics,
                            .readiness_checks = [] { return std::vector<ReadinessCheck>(); }};
    AdminRoutes admin{.platform = pool,
                      .clock = fixture.clock,
                      .random = fixture.random,
                      .denial_log = fixture.denial_log,
                      .readiness_checks = [] { return std::vector<ReadinessCheck>(); }};
    std::shared_ptr<const Snapshot> snapshot;
    int addresses = 0;
};

TEST_F(RouteTableTest, RequiresCredentialsUnlessPublic) {
    for (const auto& route : snapshot->router.routes()) {
        auto response = fixture.send(make_request(route, ""));
        if (route.access.audience == Audience::anyone) {
            EXPECT_NE(response.status, 401) << route.name;
        } else {
            EXPECT_EQ(response.status, 401) << route.name;
            EXPECT_TRUE(response.headers.contains("WWW-Authenticate")) << route.name;
        }
    }
}

TEST_F(RouteTableTest, RejectsOtherTenants) {
    for (const auto& route : snapshot->router.routes()) {
        if (route.access.audience == Audience::anyone || route.tenant.text == "teleo") continue;
        for (auto token : {"teleo:u1:admin", "key:teleo:k1:*", "teleo:u1:registrar"}) {
            auto response = fixture.send(make_request(route, token));
            EXPECT_EQ(response.status, 403) << route.name << " with " << token;
            EXPECT_FALSE(response.proxy_request) << route.name;
        }
    }
}

TEST_F(RouteTableTest, RejectsBodiesOverTheLimit) {
    for (const auto& route : snapshot->router.routes()) {
        auto request = make_request(route, permitted_token(route));
        request.headers.add("Content-Length", std::to_string(route.max_body_bytes + 1));
        auto response = fixture.send(request);
        EXPECT_EQ(response.type, "body-too-large") << route.name;
    }
}

TEST_F(RouteTableTest, RejectsMalformedJson) {
    int tested = 0;
    for (const auto& route : snapshot->router.routes()) {
        if (route.request_schema.empty() || route.request_type != "application/json") continue;
        ++tested;
        for (std::string body : {"{", "[]", R"({"a":1,"a":2})", "\xff", "nul"}) {
            auto request = make_request(route, permitted_token(route));
            request.body = body;
            request.headers.add("Content-Length", std::to_string(body.size()));
            request.headers.add("Content-Type", "application/json");
            EXPECT_EQ(fixture.send(request).status, 400) << route.name << " with " << body;
        }
    }
    EXPECT_GE(tested, 2);
}

TEST_F(RouteTableTest, RendersProblemsWithTheRequestId) {
    for (const auto& route : snapshot->router.routes()) {
        auto response = fixture.send(make_request(route, "bad"));
        EXPECT_EQ(response.status, 401) << route.name;
        EXPECT_EQ(response.headers.value("Content-Type"), "application/problem+json") << route.name;
        EXPECT_THAT(response.body, ::testing::HasSubstr(response.context.id.text)) << route.name;
        EXPECT_TRUE(fixture.denial_log.find(response.context.id.text)) << route.name;
    }
}

TEST_F(RouteTableTest, AreServedByTheListenersOfTheirExposure) {
    using http::Exposure;
    int internal = 0;
    for (auto listener : {Exposure::everyone, Exposure::operators, Exposure::this_machine}) {
        fixture.exposure = listener;
        for (const auto& route : snapshot->router.routes()) {
            auto request = make_request(route, permitted_token(route));
            request.headers.add("Host", "127.0.0.1:8080");
            auto response = fixture.send(request);
            bool served = response.context.route != nullptr;
            EXPECT_EQ(served, route.exposure <= listener) << route.name << " " << static_cast<int>(listener);
            EXPECT_TRUE(served || response.type == "not-found") << route.name;
            internal += !served;
        }
    }
    EXPECT_EQ(internal, 8) << "five routes of administration, and metrics, documents and OpenAPI";
}

TEST_F(RouteTableTest, OfThisMachineRefuseOtherHostsAndOrigins) {
    fixture.exposure = http::Exposure::this_machine;
    for (const auto& route : snapshot->router.routes()) {
        bool checked = route.exposure != http::Exposure::everyone;
        auto type_for = [&](std::string_view host, std::string_view origin) {
            auto request = make_request(route, permitted_token(route));
            request.headers.add("Host", host);
            if (!origin.empty()) request.headers.add("Origin", origin);
            return fixture.send(request).type;
        };
        EXPECT_EQ(type_for("evil.example:8080", "") == "host-not-allowed", checked) << route.name;
        EXPECT_EQ(type_for("localhost.evil.example", "") == "host-not-allowed", checked) << route.name;
        EXPECT_EQ(type_for("127.0.0.1:8080", "http://evil.example") == "host-not-allowed", checked)
            << route.name;
        EXPECT_NE(type_for("127.0.0.1:8080", "http://localhost:3000"), "host-not-allowed") << route.name;
        EXPECT_NE(type_for("[::1]:8080", ""), "host-not-allowed") << route.name;
    }
}

}  // namespace
}  // namespace integreat::gateway
