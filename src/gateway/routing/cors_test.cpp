// SPDX-License-Identifier: Apache-2.0
#include "gateway/routing/cors.h"

#include <gtest/gtest.h>

namespace integreat::gateway {
namespace {

CompiledCors make_cors(std::vector<std::string> origins) {
    config::CorsSettings settings;
    settings.origins = std::move(origins);
    return compile_cors(settings);
}

TEST(Cors, ComparesOriginsExactly) {
    auto cors = make_cors({"https://campus.example"});
    EXPECT_TRUE(allows_origin(cors, "https://campus.example"));
    for (auto other :
         {"http://campus.example", "https://campus.example:443", "https://campus.example.evil.test",
          "https://evil.test/https://campus.example", "https://CAMPUS.example", "null", ""}) {
        EXPECT_FALSE(allows_origin(cors, other)) << other;
    }
}

TEST(Cors, AcceptsAnyPortOfALocalhostPattern) {
    auto cors = make_cors({"http://localhost:*"});
    EXPECT_TRUE(allows_origin(cors, "http://localhost:5173"));
    for (auto other : {"http://localhost", "http://localhost:", "http://localhost:5173.evil.test",
                       "http://localhost:123456", "https://localhost:5173", "http://localhost:80/x"}) {
        EXPECT_FALSE(allows_origin(cors, other)) << other;
    }
}

TEST(Cors, AllowsListedOriginsToReadResponses) {
    auto cors = make_cors({"https://campus.example"});
    http::Headers listed, other, none;
    add_cors_headers(cors, "https://campus.example", listed);
    add_cors_headers(cors, "https://evil.test", other);
    add_cors_headers(cors, "", none);

    EXPECT_EQ(listed.value("Access-Control-Allow-Origin"), "https://campus.example");
    EXPECT_FALSE(listed.contains("Access-Control-Allow-Credentials"));
    EXPECT_NE(listed.value("Access-Control-Expose-Headers").find("Integreat-Request-Id"), std::string::npos);
    EXPECT_FALSE(other.contains("Access-Control-Allow-Origin"));
    for (const auto* headers : {&listed, &other, &none})
        EXPECT_EQ(headers->value("Vary"), "Origin");
}

TEST(Cors, BuildsThePreflightResponse) {
    config::CorsSettings settings;
    settings.origins = {"https://campus.example"};
    settings.credentials = true;
    auto cors = compile_cors(settings);
    auto response = preflight_response(cors, "GET, HEAD, OPTIONS");

    EXPECT_EQ(response.status, 204);
    EXPECT_EQ(response.headers.value("Access-Control-Allow-Methods"), "GET, HEAD, OPTIONS");
    EXPECT_EQ(response.headers.value("Access-Control-Allow-Headers"),
              "Authorization, Content-Type, Idempotency-Key, If-Match");
    EXPECT_EQ(response.headers.value("Access-Control-Max-Age"), "600");
    http::Headers headers;
    add_cors_headers(cors, "https://campus.example", headers);
    EXPECT_EQ(headers.value("Access-Control-Allow-Credentials"), "true");
    EXPECT_FALSE(make_cors({}).enabled());
}

}  // namespace
}  // namespace integreat::gateway
