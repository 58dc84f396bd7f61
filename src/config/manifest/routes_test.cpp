// SPDX-License-Identifier: Apache-2.0
#include "config/manifest/routes.h"

#include <gtest/gtest.h>

#include "config/configuration/configuration.h"
#include "http/routing/router.h"

namespace integreat::config {

namespace {

constexpr std::string_view campus = R"(integreat: 1
app: campus
title: Campus
project: campus-project
roles: [registrar, admin]
limit: {requests: 60, window: 30s, burst: 7}
upstreams:
  portal: {url: "http://[::1]:9301/base", max_connections: 3, forward_authorization: true, max_retries: 0}
routes:
  - {path: "/portal/{rest...}", upstream: portal, target: "/p/{rest...}", methods: [GET, POST],
     roles: [registrar], scope: portal:write, idempotency: required, max_body_bytes: 64KiB, timeout: 5s,
     log_bodies: true, limit: {requests: 1, window: 1s, burst: 2}, summary: The portal.}
  - {path: /open, upstream: portal, public: true, name: front}
  - {path: /mine, upstream: portal, methods: [DELETE]}
)";

Manifest load_valid(std::string_view text) {
    auto checked = load_manifest(text, "apps/campus.yaml", nullptr);
    EXPECT_TRUE(checked.is_valid()) << to_string(checked.errors.front());
    return checked.value;
}

}  // namespace

TEST(Routes, HaveAllSettingsOfTheManifest) {
    auto routes = make_routes(load_valid(campus), Settings());
    ASSERT_EQ(routes.size(), 6u);

    const auto& me = routes[0];
    EXPECT_EQ(me.name, "campus.me");
    EXPECT_EQ(me.pattern, "/v1/apps/campus/me");
    EXPECT_EQ(me.access.audience, http::Access::Audience::signed_in);
    EXPECT_FALSE(me.handler);
    EXPECT_FALSE(me.upstream);
    EXPECT_EQ(me.limit.burst, 7u);

    EXPECT_EQ(routes[1].name, "campus.openapi");
    EXPECT_EQ(routes[1].pattern, "/v1/apps/campus/openapi.json");
    EXPECT_FALSE(routes[1].upstream);

    const auto& get = routes[2];
    EXPECT_EQ(get.name, "campus.portal-rest");
    EXPECT_EQ(get.max_body_bytes, 0u);
    EXPECT_EQ(get.idempotency, http::Idempotency::off);

    const auto& post = routes[3];
    EXPECT_EQ(post.name, "campus.portal-rest.post");
    EXPECT_EQ(post.method, http::Method::post);
    EXPECT_EQ(post.pattern, "/v1/apps/campus/portal/{rest...}");
    EXPECT_EQ(post.upstream_target, "/p/{rest...}");
    EXPECT_EQ(post.tenant.text, "campus");
    EXPECT_EQ(post.access.audience, http::Access::Audience::roles);
    EXPECT_EQ(post.access.roles, std::vector<std::string>{"registrar"});
    EXPECT_EQ(post.access.scope, "portal:write");
    EXPECT_EQ(post.idempotency, http::Idempotency::required);
    EXPECT_EQ(post.max_body_bytes, 65'536u);
    EXPECT_EQ(post.timeout, std::chrono::seconds(5));
    EXPECT_TRUE(post.log_bodies);
    EXPECT_EQ(post.limit.burst, 2u);
    EXPECT_EQ(post.summary, "The portal.");

    EXPECT_EQ(routes[4].name, "campus.front");
    EXPECT_EQ(routes[4].access.audience, http::Access::Audience::anyone);
    EXPECT_EQ(routes[4].upstream_target, "/open");
    EXPECT_EQ(routes[4].limit.requests, 60u);
    EXPECT_EQ(routes[5].name, "campus.mine.delete");
    EXPECT_EQ(routes[5].access.audience, http::Access::Audience::signed_in);
}

TEST(Routes, ShareTheirUpstream) {
    auto routes = make_routes(load_valid(campus), Settings());
    const auto& upstream = routes[2].upstream;
    ASSERT_TRUE(upstream);
    EXPECT_EQ(upstream, routes[5].upstream);
    EXPECT_EQ(upstream->key, "campus/portal http://[::1]:9301/base");
    EXPECT_EQ(upstream->tenant.text, "campus");
    EXPECT_EQ(upstream->host, "::1");
    EXPECT_EQ(upstream->port, 9301);
    EXPECT_EQ(upstream->path_prefix, "/base");
    EXPECT_FALSE(upstream->secure);
    EXPECT_TRUE(upstream->forward_authorization);
    EXPECT_EQ(upstream->max_connections, 3);
    EXPECT_EQ(upstream->max_retries, 0);
}

TEST(Routes, NeverExceedThePlatformLimit) {
    Settings small;
    small.http.max_body_bytes = 1'024;
    for (const auto& route : make_routes(load_valid(campus), small))
        EXPECT_LE(route.max_body_bytes, 1'024u) << route.name;
}

TEST(Routes, AreAcceptedByTheRouter) {
    auto router = http::Router::build(make_routes(load_valid(campus), Settings()));
    ASSERT_TRUE(router) << router.error().message;
    auto found = router->match(http::Method::post, "/v1/apps/campus/portal/a/b");
    ASSERT_TRUE(std::holds_alternative<http::RouteMatch>(found));
    EXPECT_EQ(std::get<http::RouteMatch>(found).route->name, "campus.portal-rest.post");
}

// Validation must refuse exactly the pairs of paths that a router refuses.
TEST(Routes, AreRefusedByValidationBeforeTheRouter) {
    std::vector<std::string> paths{"/a",      "/a/{x}",  "/a/{y}",   "/a/{x...}",       "/{x}",
                                   "/{x...}", "/{y...}", "/a/{x}/b", "/{x}/{y}/{z...}", "/a~b/.c/-_",
                                   "/A",      "/me2",    "/a/b"};
    for (const auto& left : paths) {
        for (const auto& right : paths) {
            std::string text =
                "app: campus\ntitle: C\nproject: campus-project\nupstreams: {u: {url: "
                "\"http://h\"}}\nroutes:\n"
                "- {name: left, upstream: u, path: \"" +
                left +
                "\"}\n"
                "- {name: right, upstream: u, path: \"" +
                right + "\"}\n";
            auto checked = load_manifest(text, "apps/campus.yaml", nullptr);
            EXPECT_EQ(checked.is_valid(), path_shape(left) != path_shape(right)) << left << " " << right;
            auto router = http::Router::build(make_routes(checked.value, Settings()));
            EXPECT_EQ(checked.is_valid(), static_cast<bool>(router)) << left << " " << right;
        }
    }
}

}  // namespace integreat::config
