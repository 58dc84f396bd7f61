// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/testing/s3_fixture.h"

namespace integreat::s3 {
namespace {

class CorsTest : public S3Test {
protected:
    CorsTest() {
        put("/a-bucket/k", "x");
        auto response =
            put("/a-bucket?cors",
                "<CORSConfiguration><CORSRule><AllowedOrigin>http://localhost:*</AllowedOrigin>"
                "<AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod>"
                "<AllowedHeader>x-amz-*</AllowedHeader><AllowedHeader>Authorization</AllowedHeader>"
                "<ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>300</MaxAgeSeconds></CORSRule>"
                "<CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>HEAD</AllowedMethod></CORSRule>"
                "</CORSConfiguration>");
        EXPECT_EQ(response.status, 200) << response.body;
        access_key_id = "";
    }
    ReceivedResponse preflight(const std::string& origin, const std::string& method,
                               const std::string& headers = "") {
        Headers fields{{"Origin", origin}, {"Access-Control-Request-Method", method}};
        if (!headers.empty()) fields.emplace_back("Access-Control-Request-Headers", headers);
        return call(http::Method::options, "/a-bucket/k", fields);
    }
};

TEST_F(CorsTest, APreflightUsesTheFirstMatchingRule) {
    auto response = preflight("http://localhost:5173", "PUT", "authorization,x-amz-date, X-Amz-Acl");
    EXPECT_EQ(response.status, 200) << response.body;
    EXPECT_EQ(response.headers.value("Access-Control-Allow-Origin"), "http://localhost:5173");
    EXPECT_EQ(response.headers.value("Access-Control-Allow-Methods"), "GET, PUT");
    EXPECT_EQ(response.headers.value("Access-Control-Allow-Headers"), "authorization, x-amz-date, x-amz-acl");
    EXPECT_EQ(response.headers.value("Access-Control-Expose-Headers"), "ETag");
    EXPECT_EQ(response.headers.value("Access-Control-Max-Age"), "300");
    EXPECT_EQ(preflight("http://elsewhere.example", "HEAD").headers.value("Access-Control-Allow-Origin"),
              "*");
}

TEST_F(CorsTest, RefusesRequestsWithoutAMatchingRule) {
    EXPECT_EQ(error_of(preflight("http://elsewhere.example", "PUT")), "AccessForbidden 403");
    EXPECT_EQ(error_of(preflight("http://localhost:1", "DELETE")), "AccessForbidden 403");
    EXPECT_EQ(error_of(preflight("http://localhost:1", "PUT", "x-other")), "AccessForbidden 403");
    EXPECT_FALSE(preflight("http://localhost:1", "DELETE").headers.contains("Access-Control-Allow-Origin"));
    Headers fields{{"Origin", "http://localhost:1"}, {"Access-Control-Request-Method", "GET"}};
    auto closed = call(http::Method::options, "/no-bucket/k", fields);
    EXPECT_EQ(closed.text("Message"), "CORSResponse: CORS is not enabled for this bucket.");
}

TEST_F(CorsTest, AddsTheHeadersOfTheRuleToResponsesAndErrors) {
    access_key_id = "AKIAROOT";
    auto got = get("/a-bucket/k", {{"Origin", "http://localhost:5173"}});
    EXPECT_EQ(got.headers.value("Access-Control-Allow-Origin"), "http://localhost:5173");
    EXPECT_EQ(got.headers.value("Access-Control-Expose-Headers"), "ETag");
    EXPECT_EQ(got.headers.value("Access-Control-Allow-Credentials"), "true");
    EXPECT_NE(got.headers.value("Vary").find("Origin"), std::string_view::npos);
    auto missing = get("/a-bucket/none", {{"Origin", "http://localhost:5173"}});
    EXPECT_EQ(missing.headers.value("Access-Control-Allow-Origin"), "http://localhost:5173");
    auto foreign = get("/a-bucket/k", {{"Origin", "http://elsewhere.example"}});
    EXPECT_FALSE(foreign.headers.contains("Access-Control-Allow-Origin"));
    EXPECT_FALSE(get("/a-bucket/k").headers.contains("Access-Control-Allow-Origin"));
}

TEST_F(CorsTest, RefusesInvalidConfigurations) {
    access_key_id = "AKIAROOT";
    auto with = [&](const std::string& elements) {
        return put("/a-bucket?cors",
                   "<CORSConfiguration><CORSRule>" + elements + "</CORSRule></CORSConfiguration>");
    };
    EXPECT_EQ(with("<AllowedOrigin>*</AllowedOrigin><AllowedMethod>PATCH</AllowedMethod>").text("Message"),
              "Found unsupported HTTP method in CORS config. Unsupported method is PATCH");
    EXPECT_EQ(with("<AllowedOrigin>*a*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>").text("Message"),
              "AllowedOrigin &quot;*a*&quot; can not have more than one wildcard.");
    EXPECT_EQ(error_of(with("<AllowedOrigin>*</AllowedOrigin>")), "MalformedXML 400");
    std::string rule =
        "<CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule>";
    std::string many = "<CORSConfiguration>";
    for (int i = 0; i < 101; ++i)
        many += rule;
    EXPECT_EQ(error_of(put("/a-bucket?cors", many + "</CORSConfiguration>")), "MalformedXML 400");
}

}  // namespace
}  // namespace integreat::s3
