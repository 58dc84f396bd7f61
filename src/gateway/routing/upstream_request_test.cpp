// SPDX-License-Identifier: Apache-2.0
#include "gateway/routing/upstream_request.h"

#include <algorithm>

#include <gmock/gmock.h>

namespace integreat::gateway {
namespace {

using ::testing::HasSubstr;

class UpstreamRequestTest : public ::testing::Test {
protected:
    UpstreamRequestTest() {
        auto upstream = std::make_shared<http::Upstream>();
        upstream->tenant = {"campus"};
        route.name = "campus.portal";
        route.pattern = "/v1/apps/campus/portal/{id}/files/{rest...}";
        route.tenant = {"campus"};
        route.upstream = upstream;
        route.max_body_bytes = 99;
        request.target = "/v1/apps/campus/portal/a%20b/files/x/y%25?q=1&r=%41";
        context.id = {"req_1"};
        context.trace = {"4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", true};
        context.route = &route;
        context.tenant = {"campus"};
        context.principal = std::make_shared<Principal>(
            Principal{.kind = PrincipalKind::user, .tenant = {"campus"}, .subject = "u1", .role = "student"});
    }

    http::ProxyRequest make() {
        auto target = compile_target(route);
        EXPECT_TRUE(target) << target.error().message;
        return make_proxy_request(*target, request, context);
    }

    http::Route route;
    http::Request request;
    http::RequestContext context;
};

TEST_F(UpstreamRequestTest, CopiesSegmentsIntoTheTargetUnchanged) {
    EXPECT_EQ(make().target, request.target);
    route.upstream_target = "/base/{rest...}";
    EXPECT_EQ(make().target, "/base/x/y%25?q=1&r=%41");
    route.upstream_target = "/of/{id}/raw/{rest...}";
    EXPECT_EQ(make().target, "/of/a%20b/raw/x/y%25?q=1&r=%41");
    route.upstream_target = "/fixed";
    EXPECT_EQ(make().target, "/fixed?q=1&r=%41");
    request.target = "/v1/apps/campus/portal/7/files/";
    route.upstream_target = "/base/{rest...}";
    EXPECT_EQ(make().target, "/base/");
}

TEST_F(UpstreamRequestTest, RejectsTargetsWithUnknownParameters) {
    route.upstream_target = "/base/{other}";
    auto target = compile_target(route);
    ASSERT_FALSE(target);
    EXPECT_THAT(target.error().message, HasSubstr("route campus.portal: its target uses {other}"));
    route.upstream_target = "base";
    EXPECT_THAT(compile_target(route).error().message, HasSubstr("must start with a slash"));
    route.upstream_target = "/base/{rest";
    EXPECT_FALSE(compile_target(route));
}

TEST_F(UpstreamRequestTest, OmitsHopByHopHeaders) {
    request.headers = {{"Host", "gateway"},
                       {"Connection", "keep-alive, X-Private"},
                       {"X-Private", "1"},
                       {"Keep-Alive", "timeout=5"},
                       {"TE", "trailers"},
                       {"Trailer", "X"},
                       {"Transfer-Encoding", "chunked"},
                       {"Upgrade", "h2c"},
                       {"Proxy-Authorization", "x"},
                       {"Proxy-Connection", "x"},
                       {"Content-Length", "3"},
                       {"Expect", "100-continue"},
                       {"Accept", "text/html"},
                       {"Cookie", "a=b"}};
    auto headers = make().headers;
    std::vector<std::string> names;
    for (auto [name, value] : headers)
        names.emplace_back(name);
    EXPECT_THAT(names, ::testing::ElementsAre("Accept", "Cookie", "Integreat-Request-Id", "traceparent",
                                              "Integreat-Tenant", "Integreat-Subject", "Integreat-Role"));
    EXPECT_EQ(make().max_body_bytes, 99u);
}

TEST_F(UpstreamRequestTest, AddsTheIdentityOfTheCaller) {
    auto headers = make().headers;
    EXPECT_EQ(headers.value("Integreat-Tenant"), "campus");
    EXPECT_EQ(headers.value("Integreat-Subject"), "u1");
    EXPECT_EQ(headers.value("Integreat-Role"), "student");
    EXPECT_EQ(headers.value("Integreat-Request-Id"), "req_1");
    EXPECT_EQ(headers.value("traceparent"), "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
}

TEST_F(UpstreamRequestTest, RemovesGatewayHeadersOfTheClient) {
    context.principal = nullptr;
    request.headers = {{"Integreat-Subject", "root"},
                       {"integreat_role", "admin"},
                       {"INTEGREAT-Anything", "x"},
                       {"X-Forwarded-For", "10.0.0.1"},
                       {"X_Forwarded_Host", "evil"},
                       {"Forwarded", "for=x"},
                       {"X-Real-IP", "x"},
                       {"traceparent", "x"},
                       {"Integrity", "kept"}};
    auto headers = make().headers;
    std::vector<std::string> names;
    for (auto [name, value] : headers)
        names.emplace_back(name);
    EXPECT_THAT(names, ::testing::ElementsAre("Integrity", "Integreat-Request-Id", "traceparent",
                                              "Integreat-Tenant"));
}

TEST_F(UpstreamRequestTest, RemovesGatewayHeadersInEverySpellingThatAServerMayFold) {
    for (char byte : std::string_view("!#$%&'*+-.^_`|~")) {
        auto spell = [&](std::string name) {
            std::ranges::replace(name, '-', byte);
            return name;
        };
        request.headers.clear();
        std::vector<std::string> names{"Integreat-Role",
                                       "integreat-anything",
                                       "X-Forwarded-For",
                                       "X-Real-IP",
                                       "X-HTTP-Method-Override",
                                       "X-Original-URL",
                                       "X-Rewrite-Url",
                                       "X-Method-Override",
                                       "X-Forwarded",
                                       "True-Client-IP",
                                       "Remote-User",
                                       "X-HTTP-Method"};
        for (const auto& name : names)
            request.headers.add(spell(name), "spoofed");
        request.headers.add("Proxy", "spoofed");
        request.headers.add("Forwarded", "spoofed");
        request.headers.add("traceparent", "spoofed");
        request.headers.add(spell("X-Original-Thing"), "kept");
        auto sent = make().headers;
        int kept = 0;
        for (auto [name, value] : sent) {
            EXPECT_NE(value, "spoofed") << name;
            kept += value == "kept";
        }
        EXPECT_EQ(kept, 1);
    }
}

TEST_F(UpstreamRequestTest, ForwardsTheTokenOnlyIfConfigured) {
    request.headers = {{"Authorization", "Bearer secret"}};
    EXPECT_FALSE(make().headers.contains("Authorization"));
    auto trusting = std::make_shared<http::Upstream>(*route.upstream);
    trusting->forward_authorization = true;
    route.upstream = trusting;
    EXPECT_EQ(make().headers.value("Authorization"), "Bearer secret");
}

TEST_F(UpstreamRequestTest, EncodesTheSubjectSafely) {
    context.principal = std::make_shared<Principal>(Principal{
        .kind = PrincipalKind::user, .subject = "a\r\nIntegreat-Role: admin%", .role = "caf\xc3\xa9"});
    auto headers = make().headers;
    EXPECT_EQ(headers.value("Integreat-Subject"), "a%0D%0AIntegreat-Role:%20admin%25");
    EXPECT_EQ(headers.value("Integreat-Role"), "caf%C3%A9");
}

}  // namespace
}  // namespace integreat::gateway
