// SPDX-License-Identifier: Apache-2.0
#include "gateway/testing/gateway_fixture.h"

#include <boost/json.hpp>

namespace integreat::gateway::testing {

namespace {

constexpr std::size_t streamed_bytes_max = 10'000'000;

std::vector<std::string> parts_of(std::string_view text) {
    std::vector<std::string> parts(1);
    for (char c : text) {
        if (c == ':') {
            parts.emplace_back();
        } else {
            parts.back() += c;
        }
    }
    parts.resize(4);
    return parts;
}

}  // namespace

identity::Verdict fixed_identify(std::string_view authorization, bool may_wait) {
    if (authorization.starts_with("Bearer wait:")) {
        if (!may_wait) return identity::MustWait{};
        authorization.remove_prefix(12);
    } else if (authorization.starts_with("Bearer ")) {
        authorization.remove_prefix(7);
    }
    if (authorization == "bad") {
        return identity::Denial{.type = "forbidden",
                                .title = "The token is not good",
                                .detail = "Sign in again.",
                                .rule = "the signature must be right",
                                .facts = {{"kid", "k1"}}};
    }
    auto parts = parts_of(authorization);
    Principal principal{.kind = PrincipalKind::user, .expires = from_unix_seconds(1'795'003'600)};
    if (parts[0] == "key") {
        principal.kind = PrincipalKind::key;
        parts.erase(parts.begin());
        principal.scopes = {parts[2]};
    } else {
        principal.role = parts[2];
        principal.email = parts[1] + "@example.com";
    }
    principal.tenant = {parts[0]};
    principal.subject = parts[1];
    return std::make_shared<const Principal>(std::move(principal));
}

config::Manifest manifest_of(std::string app) {
    config::Manifest manifest;
    manifest.firebase_project = app + "-project";
    manifest.cors.origins = {"https://" + app + ".example", "http://localhost:*"};
    manifest.app = {std::move(app)};
    return manifest;
}

std::vector<http::Route> campus_routes() {
    auto upstream = std::make_shared<http::Upstream>();
    upstream->tenant = {"campus"};
    upstream->name = "portal";
    upstream->host = "127.0.0.1";
    TenantId campus{"campus"};
    using Who = http::Access::Who;
    auto echo = [](const http::Request& request, http::Call&) { return http::Reply{.body = request.body}; };
    std::vector<http::Route> routes{
        {.pattern = "/v1/apps/campus/open",
         .name = "campus.open",
         .tenant = campus,
         .access = {.who = Who::anyone},
         .handler = echo},
        {.pattern = "/v1/apps/campus/grades",
         .name = "campus.grades",
         .tenant = campus,
         .access = {.who = Who::roles, .roles = {"registrar"}, .scope = "grades.read"},
         .handler = echo},
        {.method = http::Method::post,
         .pattern = "/v1/apps/campus/notes",
         .name = "campus.notes.post",
         .tenant = campus,
         .body_bytes_max = 100,
         .idempotency = http::Idempotency::off,
         .request_schema = R"({"type":"object","required":["text"],"properties":{"text":{"type":"string"}}})",
         .handler = echo},
        {.pattern = "/v1/apps/campus/slow",
         .name = "campus.slow",
         .tenant = campus,
         .waits = true,
         .handler = echo},
        {.pattern = "/v1/apps/campus/few",
         .name = "campus.few",
         .tenant = campus,
         .limit = {.requests = 60, .window = std::chrono::seconds(60), .burst = 2},
         .handler = echo},
        {.pattern = "/v1/apps/campus/broken",
         .name = "campus.broken",
         .tenant = campus,
         .handler = [](const http::Request&, http::Call&) -> http::Response {
             throw std::runtime_error("it broke");
         }},
        {.pattern = "/v1/apps/campus/portal/{rest...}",
         .name = "campus.portal",
         .tenant = campus,
         .upstream = upstream,
         .upstream_target = "/base/{rest...}"},
        {.method = http::Method::post,
         .pattern = "/v1/apps/campus/portal/{rest...}",
         .name = "campus.portal.post",
         .tenant = campus,
         .body_bytes_max = 1000,
         .upstream = upstream,
         .upstream_target = "/base/{rest...}"},
    };
    return routes;
}

World::World() : campus(manifest_of("campus")) {
    publish();
}

void World::publish(std::vector<http::Route> more) {
    auto routes = campus_routes();
    routes.insert(routes.end(), more.begin(), more.end());
    auto snapshot = compile_snapshot({.settings = settings,
                                      .manifests = {manifest_of("teleo"), campus},
                                      .platform_routes = std::move(routes),
                                      .generation = ++generation},
                                     metrics);
    ASSERT_TRUE(snapshot) << snapshot.error().message;
    snapshots.publish(*snapshot);
}

Answer World::send(http::Request request) {
    if (request.peer.address.empty()) request.peer.address = "192.0.2.7";
    Answer answer;
    auto& call = answer.call;
    call.started = clock.now();
    call.arrived = clock.monotonic();
    auto response = http::handle(application, request, call);
    if (auto* relay = std::get_if<http::Relay>(&response)) {
        answer.relay = std::move(*relay);
        answer.headers = call.response_headers;
        return answer;
    }
    if (auto* stream = std::get_if<http::Stream>(&response)) {
        auto collected = http::collect(std::move(*stream), streamed_bytes_max, std::chrono::milliseconds(0));
        EXPECT_TRUE(collected) << collected.error().cause;
        response = collected ? *std::move(collected) : http::Reply{.status = 0};
        answer.streamed = true;
    }
    auto& reply = std::get<http::Reply>(response);
    answer.status = reply.status;
    answer.headers = reply.headers;
    answer.headers.append(call.response_headers);
    answer.body = reply.body;
    if (reply.headers.value("Content-Type") == "application/problem+json") {
        auto type = boost::json::parse(reply.body).at("type").as_string();
        answer.type = std::string_view(type).substr(std::string_view("/problems/").size());
    }
    application.finish(request, call, {.status = reply.status, .response_body_bytes = reply.body.size()});
    return answer;
}

Answer World::get(std::string target, std::string token) {
    http::Request request{.target = std::move(target)};
    if (!token.empty()) request.headers.add("Authorization", "Bearer " + token);
    return send(std::move(request));
}

Answer World::post(std::string target, std::string token, std::string body, http::Headers headers) {
    http::Request request{
        .method = http::Method::post, .target = std::move(target), .headers = std::move(headers)};
    if (!token.empty()) request.headers.add("Authorization", "Bearer " + token);
    request.headers.add("Content-Length", std::to_string(body.size()));
    if (!request.headers.contains("Content-Type")) request.headers.add("Content-Type", "application/json");
    request.body = std::move(body);
    return send(std::move(request));
}

}  // namespace integreat::gateway::testing
