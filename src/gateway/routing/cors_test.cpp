// SPDX-License-Identifier: Apache-2.0
#include "gateway/routing/cors.h"

#include <gtest/gtest.h>

namespace integreat::gateway {
namespace {

CorsPlan plan_of(std::vector<std::string> origins) {
    config::CorsSettings settings;
    settings.origins = std::move(origins);
    return compile_cors(settings);
}

TEST(Cors, ComparesOriginsExactly) {
    auto plan = plan_of({"https://campus.example"});
    EXPECT_TRUE(allows_origin(plan, "https://campus.example"));
    for (auto other :
         {"http://campus.example", "https://campus.example:443", "https://campus.example.evil.test",
          "https://evil.test/https://campus.example", "https://CAMPUS.example", "null", ""}) {
        EXPECT_FALSE(allows_origin(plan, other)) << other;
    }
}

TEST(Cors, LeavesOnlyThePortOpen) {
    auto plan = plan_of({"http://localhost:*"});
    EXPECT_TRUE(allows_origin(plan, "http://localhost:5173"));
    for (auto other : {"http://localhost", "http://localhost:", "http://localhost:5173.evil.test",
                       "http://localhost:123456", "https://localhost:5173", "http://localhost:80/x"}) {
        EXPECT_FALSE(allows_origin(plan, other)) << other;
    }
}

TEST(Cors, AllowsReadingAnswersFromListedOriginsOnly) {
    auto plan = plan_of({"https://campus.example"});
    http::Headers listed, other, none;
    add_cors_fields(plan, "https://campus.example", listed);
    add_cors_fields(plan, "https://evil.test", other);
    add_cors_fields(plan, "", none);

    EXPECT_EQ(listed.value("Access-Control-Allow-Origin"), "https://campus.example");
    EXPECT_FALSE(listed.contains("Access-Control-Allow-Credentials"));
    EXPECT_NE(listed.value("Access-Control-Expose-Headers").find("Integreat-Request-Id"), std::string::npos);
    EXPECT_FALSE(other.contains("Access-Control-Allow-Origin"));
    for (const auto* headers : {&listed, &other, &none})
        EXPECT_EQ(headers->value("Vary"), "Origin");
}

TEST(Cors, TellsPreflightsWhatMayBeSent) {
    config::CorsSettings settings;
    settings.origins = {"https://campus.example"};
    settings.credentials = true;
    auto plan = compile_cors(settings);
    auto reply = preflight_reply(plan, "GET, HEAD, OPTIONS");

    EXPECT_EQ(reply.status, 204);
    EXPECT_EQ(reply.headers.value("Access-Control-Allow-Methods"), "GET, HEAD, OPTIONS");
    EXPECT_EQ(reply.headers.value("Access-Control-Allow-Headers"),
              "Authorization, Content-Type, Idempotency-Key, If-Match");
    EXPECT_EQ(reply.headers.value("Access-Control-Max-Age"), "600");
    http::Headers answer;
    add_cors_fields(plan, "https://campus.example", answer);
    EXPECT_EQ(answer.value("Access-Control-Allow-Credentials"), "true");
    EXPECT_FALSE(plan_of({}).enabled());
}

}  // namespace
}  // namespace integreat::gateway
