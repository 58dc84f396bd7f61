// SPDX-License-Identifier: Apache-2.0
#include "gateway/testing/gateway_fixture.h"

#include <boost/json.hpp>

#include "gateway/admin/app_routes.h"
#include "http/message/problem.h"
#include "http/transport/buffered.h"
#include "json/value/parse.h"

namespace integreat::gateway::testing {

namespace {

constexpr std::size_t streamed_bytes_max = 10'000'000;

std::vector<std::string> split_token(std::string_view text) {
    std::vector<std::string> parts(1);
    for (char c : text) {
        if (c == ':') {
            parts.emplace_back();
        } else {
            parts.back() += c;
        }
    }
    parts.resize(std::max<std::size_t>(parts.size(), 4));
    return parts;
}

// Requires {"text": "..."}.
http::Response handle_note(const http::Request& request, http::RequestContext& context) {
    auto body = json::parse(request.body);
    if (!body) {
        return http::to_response(http::problem(http::ProblemType::malformed_json, body.error().message),
                                 context);
    }
    const auto* object = body->if_object();
    if (!object || !object->contains("text"))
        return http::to_response(http::problem(http::ProblemType::invalid_request, "Send a text."), context);
    return http::FullResponse{.body = request.body};
}

}  // namespace

identity::AuthResult fake_identify(std::string_view authorization, bool may_block) {
    if (authorization.starts_with("Bearer wait:")) {
        if (!may_block) return identity::WouldBlock{};
        authorization.remove_prefix(12);
    } else if (authorization.starts_with("Bearer ")) {
        authorization.remove_prefix(7);
    }
    if (authorization == "bad") {
        return identity::AuthFailure{.type = http::ProblemType::token_signature,
                                     .detail = "Sign in again.",
                                     .rule = "the signature must be right",
                                     .facts = {{"kid", "k1"}}};
    }
    auto parts = split_token(authorization);
    Principal principal{.kind = PrincipalKind::user, .expires = from_unix_seconds(1'795'003'600)};
    if (parts[0] == "key") {
        principal.kind = PrincipalKind::key;
        parts.erase(parts.begin());
        principal.scopes = {parts.size() > 3 && !parts[3].empty() ? parts[2] + ":" + parts[3] : parts[2]};
    } else {
        principal.role = parts[2];
        principal.email = parts[1] + "@example.com";
    }
    principal.tenant = {parts[0]};
    principal.subject = parts[1];
    return std::make_shared<const Principal>(std::move(principal));
}

config::Manifest make_manifest(std::string app) {
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
    using Audience = http::Access::Audience;
    auto echo = [](const http::Request& request, http::RequestContext&) {
        return http::FullResponse{.body = request.body};
    };
    std::vector<http::Route> routes{
        {.pattern = "/v1/apps/campus/open",
         .name = "campus.open",
         .tenant = campus,
         .access = {.audience = Audience::anyone},
         .handler = echo},
        {.pattern = "/v1/apps/campus/grades",
         .name = "campus.grades",
         .tenant = campus,
         .access = {.audience = Audience::roles, .roles = {"registrar"}, .scope = "grades.read"},
         .handler = echo},
        {.method = http::Method::post,
         .pattern = "/v1/apps/campus/notes",
         .name = "campus.notes.post",
         .tenant = campus,
         .max_body_bytes = 100,
         .idempotency = http::Idempotency::off,
         .request_schema = R"({"type":"object","required":["text"],"properties":{"text":{"type":"string"}}})",
         .handler = handle_note},
        {.pattern = "/v1/apps/campus/slow",
         .name = "campus.slow",
         .tenant = campus,
         .execution = http::Execution::blocking,
         .handler = echo},
        {.pattern = "/v1/apps/campus/few",
         .name = "campus.few",
         .tenant = campus,
         .limit = {.requests = 60, .window = std::chrono::seconds(60), .burst = 2},
         .handler = echo},
        {.pattern = "/v1/apps/campus/broken",
         .name = "campus.broken",
         .tenant = campus,
         .handler = [](const http::Request&, http::RequestContext&) -> http::Response {
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
         .max_body_bytes = 1000,
         .upstream = upstream,
         .upstream_target = "/base/{rest...}"},
    };
    return routes;
}

GatewayFixture::GatewayFixture() : campus(make_manifest("campus")) {
    publish();
}

void GatewayFixture::publish(std::vector<http::Route> more) {
    auto routes = campus_routes();
    routes.insert(routes.end(), more.begin(), more.end());
    std::vector<config::Manifest> manifests{make_manifest("teleo"), campus};
    for (const auto& manifest : manifests) {
        auto own = app_routes(manifest, settings);
        routes.insert(routes.end(), own.begin(), own.end());
    }
    auto snapshot = compile_snapshot({.settings = settings,
                                      .manifests = std::move(manifests),
                                      .routes = std::move(routes),
                                      .generation = ++generation},
                                     metrics);
    ASSERT_TRUE(snapshot) << snapshot.error().message;
    snapshots.publish(*snapshot);
}

TestResponse GatewayFixture::send(http::Request request) {
    request.exposure = exposure;
    if (!request.headers.contains("Host")) request.headers.add("Host", "127.0.0.1");
    if (request.peer.address.empty()) request.peer.address = "192.0.2.7";
    TestResponse result;
    auto& context = result.context;
    context.started = clock.now();
    context.arrived = clock.monotonic();
    auto response = http::handle(application, request, context);
    if (auto* proxy_request = std::get_if<http::ProxyRequest>(&response)) {
        result.proxy_request = std::move(*proxy_request);
        result.headers = context.response_headers;
        return result;
    }
    if (auto* stream = std::get_if<http::StreamingResponse>(&response)) {
        auto buffered =
            http::buffer_response(std::move(*stream), streamed_bytes_max, std::chrono::milliseconds(0));
        EXPECT_TRUE(buffered) << buffered.error().cause;
        response = buffered ? *std::move(buffered) : http::FullResponse{.status = 0};
        result.streamed = true;
    }
    auto& full = std::get<http::FullResponse>(response);
    result.status = full.status;
    result.headers = full.headers;
    result.headers.append(context.response_headers);
    result.body = full.bytes();
    if (full.headers.value("Content-Type") == "application/problem+json") {
        auto type = boost::json::parse(full.bytes()).at("type").as_string();
        result.type = std::string_view(type).substr(std::string_view(type).rfind('/') + 1);
    }
    application.finish(request, context, {.status = full.status, .response_body_bytes = full.bytes().size()});
    return result;
}

TestResponse GatewayFixture::get(std::string target, std::string token) {
    http::Request request{.target = std::move(target)};
    if (!token.empty()) request.headers.add("Authorization", "Bearer " + token);
    return send(std::move(request));
}

TestResponse GatewayFixture::post(std::string target, std::string token, std::string body,
                                  http::Headers headers) {
    http::Request request{
        .method = http::Method::post, .target = std::move(target), .headers = std::move(headers)};
    if (!token.empty()) request.headers.add("Authorization", "Bearer " + token);
    request.headers.add("Content-Length", std::to_string(body.size()));
    if (!request.headers.contains("Content-Type")) request.headers.add("Content-Type", "application/json");
    request.body = std::move(body);
    return send(std::move(request));
}

}  // namespace integreat::gateway::testing
