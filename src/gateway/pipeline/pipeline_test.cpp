// SPDX-License-Identifier: Apache-2.0
#include "gateway/pipeline/pipeline.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>

#include "gateway/testing/gateway_fixture.h"
#include "http/message/problem.h"
#include "http/transport/spooled_body.h"

namespace integreat::gateway {
namespace {

using testing::GatewayFixture;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

TEST(Pipeline, AssignsARequestIdAndIgnoresThatOfTheClient) {
    GatewayFixture fixture;
    http::Request request{.target = "/nowhere", .headers = {{"Integreat-Request-Id", "req_mine"}}};
    auto response = fixture.send(request);
    EXPECT_EQ(response.status, 404);
    EXPECT_EQ(response.type, "not-found");
    EXPECT_THAT(std::string(response.headers.value("Integreat-Request-Id")),
                MatchesRegex("req_[0-9A-Z]{26}"));
    EXPECT_THAT(response.body, HasSubstr("\"request_id\":\"" + response.context.id.text + "\""));
}

TEST(Pipeline, RejectsAmbiguousTargets) {
    GatewayFixture fixture;
    auto response = fixture.get("/v1/apps/campus/../teleo/me", "campus:u1:student");
    EXPECT_EQ(response.status, 400);
    EXPECT_EQ(response.type, "malformed-target");
    EXPECT_EQ(response.context.decision.stage, "target");
}

TEST(Pipeline, ReturnsTheIdentityOfTheCaller) {
    GatewayFixture fixture;
    auto response = fixture.get("/v1/apps/campus/me", "campus:u1:student");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body,
              R"({"kind":"user","tenant":"campus","uid":"u1","role":"student","email":"u1@example.com",)"
              R"("email_verified":false,"name":null,"provider":null,"expires":"2026-11-18T12:06:40.000000Z"})"
              "\n");
    EXPECT_EQ(response.headers.value("Content-Type"), "application/json");
    auto key = fixture.get("/v1/apps/campus/me", "key:campus:k1:grades.read");
    EXPECT_EQ(key.status, 200);
    EXPECT_THAT(key.body, HasSubstr(R"("scopes":["grades.read"])"));
}

TEST(Pipeline, ExplainsDeniedRequests) {
    GatewayFixture fixture;
    EXPECT_EQ(fixture.get("/v1/apps/campus/me").type, "token-missing");
    EXPECT_EQ(fixture.get("/v1/apps/campus/me", "teleo:u1:pastor").type, "wrong-tenant");
    EXPECT_EQ(fixture.get("/v1/apps/campus/grades", "campus:u1:student").type, "role-missing");
    EXPECT_EQ(fixture.get("/v1/apps/campus/grades", "key:campus:k1:other").type, "scope-missing");
    EXPECT_EQ(fixture.get("/v1/apps/campus/grades", "key:campus:k1:grades.read").status, 200);

    auto response = fixture.get("/v1/apps/campus/grades?token=hidden", "campus:u1:student");
    auto kept = fixture.denial_log.find(response.context.id.text);
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->decision.stage, "authorize");
    EXPECT_EQ(kept->decision.rule, "route campus.grades requires role registrar");
    EXPECT_EQ(kept->caller, "user u1");
    EXPECT_EQ(kept->path, "/v1/apps/campus/grades?token=[redacted]");
    EXPECT_EQ(kept->status, 403);
}

TEST(Pipeline, RendersAuthenticationFailures) {
    GatewayFixture fixture;
    auto response = fixture.get("/v1/apps/campus/me", "bad");
    EXPECT_EQ(response.status, 401);
    EXPECT_THAT(std::string(response.headers.value("WWW-Authenticate")), StartsWith("Bearer "));
    auto kept = fixture.denial_log.find(response.context.id.text);
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->decision.rule, "the signature must be right");
    EXPECT_EQ(kept->decision.facts[0].first, "kid");
}

TEST(Pipeline, LimitsFailedSignInsPerAddress) {
    GatewayFixture fixture;
    for (int i = 0; i < 100; ++i)
        EXPECT_EQ(fixture.get("/v1/apps/campus/me", "bad").status, 401);
    EXPECT_EQ(fixture.get("/v1/apps/campus/me", "bad").type, "rate-limited");
    EXPECT_EQ(fixture.get("/v1/apps/campus/me", "campus:u1:student").status, 200);
}

TEST(Pipeline, NeedsABlockingThreadForUncachedTokens) {
    GatewayFixture fixture;
    http::Request request{.target = "/v1/apps/campus/me",
                          .headers = {{"Authorization", "Bearer wait:campus:u1:student"},
                                      {"Origin", "https://campus.example"}}};
    http::RequestContext context;
    context.started = fixture.clock.now();
    EXPECT_TRUE(
        std::holds_alternative<http::NeedsBlockingThread>(fixture.application.admit(request, context)));
    auto id = context.id.text;
    const auto* snapshot = &current_snapshot(context);
    fixture.publish();
    context.may_block = true;
    auto admission = fixture.application.admit(request, context);
    ASSERT_TRUE(std::holds_alternative<http::FullResponse>(admission));
    EXPECT_EQ(std::get<http::FullResponse>(admission).status, 200);
    EXPECT_EQ(context.id.text, id);
    EXPECT_EQ(&current_snapshot(context), snapshot);
    for (auto field : {"Integreat-Request-Id", "Access-Control-Allow-Origin", "RateLimit"})
        EXPECT_EQ(context.response_headers.count(field), 1u) << field;
}

http::Route make_poll_route(http::Handler handler) {
    return {.pattern = "/v1/apps/campus/poll",
            .name = "campus.poll",
            .tenant = {"campus"},
            .limit = {.requests = 60, .window = std::chrono::seconds(60), .burst = 2},
            .handler = std::move(handler)};
}

TEST(Pipeline, CompletesPendingResponsesAsTheHandlerWould) {
    GatewayFixture fixture;
    std::function<http::Response(http::RequestContext&)> complete;
    fixture.publish({make_poll_route([&](const http::Request&, http::RequestContext& context) {
        return http::PendingResponse{.on_ready = [](const std::function<void(bool)>& ready) { ready(false); },
                                     .complete = [&] { return complete(context); }};
    })});
    complete = [](http::RequestContext&) { return http::FullResponse{.body = "event"}; };
    EXPECT_EQ(fixture.get("/v1/apps/campus/poll", "campus:u1:student").body, "event");
    complete = [](http::RequestContext&) -> http::Response { throw std::runtime_error("it broke"); };
    auto failed = fixture.get("/v1/apps/campus/poll", "campus:u1:student");
    EXPECT_EQ(failed.status, 500);
    EXPECT_EQ(failed.context.cause, "it broke");
    complete = [](http::RequestContext& context) {
        context.decision = {.stage = "data", .type = "forbidden", .rule = "a rule", .facts = {}};
        return http::FullResponse{.status = 403};
    };
    auto denied = fixture.get("/v1/apps/campus/poll", "campus:u2:student");
    ASSERT_TRUE(fixture.denial_log.find(denied.context.id.text));
}

TEST(Pipeline, AdmitsOnceIfOnlyTheHandlerMustBlock) {
    GatewayFixture fixture;
    fixture.publish(
        {make_poll_route([](const http::Request&, http::RequestContext& context) -> http::Response {
            if (!context.may_block) return http::NeedsBlockingThread{};
            return http::FullResponse{.body = "blocking"};
        })});
    http::Request request{.target = "/v1/apps/campus/poll",
                          .headers = {{"Authorization", "Bearer campus:u1:x"}}};
    http::RequestContext context;
    auto admission = fixture.application.admit(request, context);
    ASSERT_TRUE(std::holds_alternative<http::ReadBody>(admission));
    EXPECT_EQ(std::get<http::ReadBody>(admission).execution, http::Execution::blocking);
    context.may_block = true;
    EXPECT_EQ(std::get<http::FullResponse>(fixture.application.handle(request, context)).body, "blocking");
    EXPECT_EQ(context.response_headers.value("RateLimit"), "\"campus.poll\";r=1;t=1");
}

TEST(Pipeline, TreatsAUserOfAnotherAppAsAnonymousOnAPublicRoute) {
    GatewayFixture fixture;
    EXPECT_EQ(fixture.get("/v1/apps/campus/open", "teleo:u1:pastor").context.principal, nullptr);
    EXPECT_NE(fixture.get("/v1/apps/campus/open", "campus:u1:student").context.principal, nullptr);
    EXPECT_EQ(fixture.get("/v1/apps/campus/open", "bad").status, 401);
}

TEST(Pipeline, ListsTheMethodsOfAPath) {
    GatewayFixture fixture;
    http::Request request{.method = http::Method::del, .target = "/v1/apps/campus/me"};
    auto response = fixture.send(request);
    EXPECT_EQ(response.status, 405);
    EXPECT_EQ(response.headers.value("Allow"), "GET, HEAD, OPTIONS");
    request.method = http::Method::options;
    response = fixture.send(request);
    EXPECT_EQ(response.status, 204);
    EXPECT_EQ(response.headers.value("Allow"), "GET, HEAD, OPTIONS");
}

TEST(Pipeline, HandlesPreflightsWithoutAToken) {
    GatewayFixture fixture;
    http::Request request{
        .method = http::Method::options,
        .target = "/v1/apps/campus/me",
        .headers = {{"Origin", "http://localhost:5173"}, {"Access-Control-Request-Method", "GET"}}};
    auto response = fixture.send(request);
    EXPECT_EQ(response.status, 204);
    EXPECT_EQ(response.headers.value("Access-Control-Allow-Origin"), "http://localhost:5173");
    EXPECT_EQ(response.headers.value("Access-Control-Allow-Methods"), "GET, HEAD, OPTIONS");

    request.headers.set("Origin", "https://teleo.example");
    response = fixture.send(request);
    EXPECT_EQ(response.status, 403);
    EXPECT_EQ(response.type, "origin-not-allowed");
    EXPECT_FALSE(response.headers.contains("Access-Control-Allow-Origin"));
}

TEST(Pipeline, AddsCorsHeadersToErrors) {
    GatewayFixture fixture;
    for (auto target : {"/v1/apps/campus/me", "/v1/apps/campus/nowhere"}) {
        http::Request request{.target = target, .headers = {{"Origin", "https://campus.example"}}};
        auto response = fixture.send(request);
        EXPECT_GE(response.status, 400);
        EXPECT_EQ(response.headers.value("Access-Control-Allow-Origin"), "https://campus.example") << target;
        EXPECT_EQ(response.headers.value("Vary"), "Origin");
    }
}

TEST(Pipeline, LimitsEachCallerAndReportsTheRemainingRequests) {
    GatewayFixture fixture;
    auto first = fixture.get("/v1/apps/campus/few", "campus:u1:student");
    EXPECT_EQ(first.headers.value("RateLimit-Policy"), "\"campus.few\";q=60;w=60");
    EXPECT_EQ(first.headers.value("RateLimit"), "\"campus.few\";r=1;t=1");
    EXPECT_EQ(fixture.get("/v1/apps/campus/few", "campus:u1:student").status, 200);
    auto refused = fixture.get("/v1/apps/campus/few", "campus:u1:student");
    EXPECT_EQ(refused.status, 429);
    EXPECT_EQ(refused.headers.value("Retry-After"), "1");
    EXPECT_EQ(refused.headers.count("RateLimit"), 1u);
    EXPECT_EQ(fixture.get("/v1/apps/campus/few", "campus:u2:student").status, 200);
    EXPECT_EQ(fixture.get("/v1/apps/campus/me", "campus:u1:student").status, 200);
}

TEST(Pipeline, RejectsLargeBodiesByTheirHead) {
    GatewayFixture fixture;
    auto large = fixture.post("/v1/apps/campus/notes", "campus:u1:student", std::string(101, 'x'));
    EXPECT_EQ(large.status, 413);
    http::Request request{.target = "/v1/apps/campus/me", .headers = {{"Transfer-Encoding", "chunked"}}};
    EXPECT_EQ(fixture.send(request).status, 413);
}

TEST(Pipeline, RejectsOtherMediaTypesThanJson) {
    GatewayFixture fixture;
    auto post = [&](std::string body, http::Headers headers = {}) {
        return fixture.post("/v1/apps/campus/notes", "campus:u1:student", std::move(body),
                            std::move(headers));
    };
    EXPECT_EQ(post(R"({"text":"hello"})").body, R"({"text":"hello"})");
    EXPECT_EQ(post(R"({"text":"hello"})", {{"Content-Type", "text/plain"}}).type, "unsupported-media-type");
    EXPECT_EQ(post(R"({"text":"hello"})", {{"Content-Type", "application/json; charset=utf-8"}}).status, 200);
}

TEST(Pipeline, RendersProblemTypesBelowTheConfiguredUrl) {
    GatewayFixture fixture;
    auto type = [&] {
        auto body = boost::json::parse(fixture.get("/nowhere").body);
        return std::string(body.at("type").as_string());
    };
    EXPECT_EQ(type(), "https://integreat.dev/problems/not-found");
    fixture.settings.http.problem_base_url = "http://127.0.0.1:8080/problems";
    fixture.publish();
    EXPECT_EQ(type(), "http://127.0.0.1:8080/problems/not-found");
}

TEST(Pipeline, AcceptsTheMediaTypeOfTheRouteInUtf8Only) {
    GatewayFixture fixture;
    fixture.publish(
        {{.method = http::Method::post,
          .pattern = "/v1/apps/campus/table",
          .name = "campus.table.post",
          .tenant = {"campus"},
          .max_body_bytes = 100,
          .request_schema = R"({"type":"string"})",
          .request_type = "text/csv",
          .handler = [](const http::Request&, http::RequestContext&) { return http::FullResponse{}; }}});
    auto send = [&](const char* type) {
        return fixture.post("/v1/apps/campus/table", "campus:u1:student", "a,b", {{"Content-Type", type}});
    };
    for (const char* type : {"", "application/json", "text/csvx", "text/csv; charset=iso-8859-1"}) {
        auto rejected = send(type);
        EXPECT_EQ(rejected.type, "unsupported-media-type") << type;
        EXPECT_EQ(rejected.headers.value("Accept"), "text/csv");
    }
    for (const char* type : {"text/csv", "Text/CSV; charset=\"UTF-8\"; header=present", "text/csv ;header=x"})
        EXPECT_EQ(send(type).status, 200) << type;
}

http::Route make_large_route(std::string app, http::Handler handler) {
    return {.method = http::Method::post,
            .pattern = "/v1/apps/" + app + "/large",
            .name = app + ".large.post",
            .tenant = {app},
            .max_body_bytes = 1 << 20,
            .execution = http::Execution::spooled,
            .handler = std::move(handler)};
}

http::Response handle_nothing(const http::Request&, http::RequestContext&) {
    return http::FullResponse{};
}

http::Request make_large_request(const std::string& app) {
    return {
        .method = http::Method::post,
        .target = "/v1/apps/" + app + "/large",
        .headers = {{"Authorization", "Bearer " + app + ":u1:student"}, {"Transfer-Encoding", "chunked"}}};
}

TEST(Pipeline, SpoolsALargeBodyForItsHandler) {
    GatewayFixture fixture;
    fixture.gateway.spooling.folder = "/tmp";
    std::string received;
    fixture.publish({make_large_route("campus", [&](const http::Request&, http::RequestContext& context) {
        std::string chunk;
        for (received.clear(); context.spooled_body->read(received.size(), 1'000, chunk) && !chunk.empty();)
            received += chunk;
        return http::FullResponse{.body = std::to_string(received.size())};
    })});
    auto request = make_large_request("campus");
    http::RequestContext context;
    context.may_block = true;
    auto admission = fixture.application.admit(request, context);
    auto& body = std::get<http::StreamBody>(admission);
    EXPECT_EQ(body.max_bytes, 1u << 20);
    std::string chunk(300'000, 'x');
    EXPECT_FALSE(body.consume(chunk, false));
    EXPECT_FALSE(body.consume(chunk, false));
    fixture.clock.advance(std::chrono::seconds(60));
    auto response = body.consume("end", true);
    ASSERT_TRUE(response);
    EXPECT_EQ(std::get<http::FullResponse>(*response).body, "600003");
    EXPECT_TRUE(received == chunk + chunk + "end");
    EXPECT_GT(context.deadline, fixture.clock.monotonic()) << "starts when the body is complete";
}

TEST(Pipeline, RejectsALargeBodyWithoutDiskSpace) {
    GatewayFixture fixture;
    fixture.gateway.spooling.folder = "/nonexistent";
    fixture.publish({make_large_route("campus", handle_nothing)});
    auto rejected = fixture.post("/v1/apps/campus/large", "campus:u1:student", std::string(300'000, 'x'));
    EXPECT_EQ(rejected.status, 503);
    EXPECT_EQ(rejected.type, "unavailable");
    EXPECT_EQ(fixture.post("/v1/apps/campus/large", "campus:u1:student", "small").status, 200);
}

TEST(Pipeline, LimitsConcurrentLargeBodiesPerApp) {
    GatewayFixture fixture;
    fixture.gateway.spooling.max_pending = 2;
    fixture.gateway.spooling.max_pending_per_principal = 3;
    fixture.publish({make_large_route("campus", handle_nothing), make_large_route("teleo", handle_nothing)});
    auto request = make_large_request("campus");
    http::RequestContext first, second;
    auto one = fixture.application.admit(request, first);
    auto two = fixture.application.admit(request, second);
    ASSERT_TRUE(std::holds_alternative<http::StreamBody>(one));
    ASSERT_TRUE(std::holds_alternative<http::StreamBody>(two));
    auto rejected = fixture.send(request);
    EXPECT_EQ(rejected.status, 429);
    EXPECT_EQ(rejected.type, "limit-reached");
    EXPECT_EQ(rejected.headers.value("Retry-After"), "10");
    EXPECT_EQ(rejected.context.decision.rule, "imports.max_pending of integreat.yaml");
    EXPECT_EQ(fixture.send(make_large_request("teleo")).status, 200);
    one = http::FullResponse{};  // Releases its permit.
    EXPECT_EQ(fixture.send(request).status, 200);
    EXPECT_EQ(fixture.send(request).status, 200);
}

TEST(Pipeline, LimitsConcurrentLargeBodiesPerPrincipal) {
    GatewayFixture fixture;
    fixture.publish({make_large_route("campus", handle_nothing)});
    auto request = make_large_request("campus");
    http::RequestContext first, second;
    auto one = fixture.application.admit(request, first);
    auto two = fixture.application.admit(request, second);
    ASSERT_TRUE(std::holds_alternative<http::StreamBody>(one));
    ASSERT_TRUE(std::holds_alternative<http::StreamBody>(two));
    auto rejected = fixture.send(request);
    EXPECT_EQ(rejected.status, 429);
    EXPECT_EQ(rejected.context.decision.rule, "imports.max_pending_per_principal of integreat.yaml");
    EXPECT_NE(rejected.body.find("You have 2 imports"), std::string::npos) << rejected.body;
    auto other = request;
    other.headers.remove("Authorization");
    other.headers.add("Authorization", "Bearer campus:u2:student");
    EXPECT_EQ(fixture.send(other).status, 200) << "another user has slots of its own";
    one = http::FullResponse{};
    EXPECT_EQ(fixture.send(request).status, 200);
}

int count_status(GatewayFixture& fixture, const std::string& target, const std::string& address, int times,
                 int status) {
    int count = 0;
    for (int i = 0; i < times; ++i) {
        auto response = fixture.send({.target = target, .peer = {address, 1}});
        count += response.status == status ? 1 : 0;
    }
    return count;
}

TEST(Pipeline, LimitsRequestsWithoutARoutePerAddress) {
    GatewayFixture fixture;
    fixture.settings.http.unrouted_requests = 40;
    fixture.publish();
    EXPECT_EQ(count_status(fixture, "/no/such/path", "192.0.2.1", 100, 404), 10);
    auto rejected = fixture.send({.target = "/another", .peer = {"192.0.2.1", 1}});
    EXPECT_EQ(rejected.status, 429);
    EXPECT_EQ(rejected.type, "rate-limited");
    EXPECT_EQ(rejected.headers.value("Retry-After"), "2");
    EXPECT_EQ(count_status(fixture, "/no/such/path", "192.0.2.2", 1, 404), 1) << "another address";
    EXPECT_EQ(fixture.get("/v1/apps/campus/me", "campus:u1:student").status, 200) << "a user of that address";
    fixture.clock.advance(std::chrono::seconds(60));
    EXPECT_EQ(count_status(fixture, "/no/such/path", "192.0.2.1", 100, 404), 10);
}

TEST(Pipeline, LimitsRequestsWithoutCredentialsPerAddress) {
    GatewayFixture fixture;
    fixture.settings.http.unrouted_requests = 40;
    fixture.publish();
    EXPECT_EQ(count_status(fixture, "/v1/apps/campus/me", "192.0.2.1", 100, 401), 10);
    EXPECT_EQ(count_status(fixture, "/no/such/path", "192.0.2.1", 100, 429), 100) << "one bucket";
    EXPECT_EQ(count_status(fixture, "/v1/apps/campus/me", "192.0.2.2", 1, 401), 1);
}

TEST(Pipeline, CountsTheRecordsOfListsAgainstABudgetOfTheCaller) {
    GatewayFixture fixture;
    fixture.campus.max_records_per_window = 600;
    std::int64_t wait = 0;
    auto route = make_large_route("campus", [&](const http::Request&, http::RequestContext& context) {
        wait = context.records_wait.count();
        context.records = 1'000;
        return http::FullResponse{};
    });
    route.counts_records = true;
    fixture.publish({route});
    auto wait_of = [&](const char* token) {
        EXPECT_EQ(fixture.post("/v1/apps/campus/large", token, "x").status, 200);
        return wait;
    };
    EXPECT_EQ(wait_of("campus:u1:student"), 0) << "the request that exceeds the budget is served";
    EXPECT_EQ(wait_of("campus:u1:student"), 41);
    EXPECT_EQ(wait_of("campus:u2:student"), 0) << "another user has a budget of their own";
}

TEST(Pipeline, RunsBlockingRoutesOnTheBlockingPool) {
    GatewayFixture fixture;
    http::Request request{.target = "/v1/apps/campus/slow",
                          .headers = {{"Authorization", "Bearer campus:u1:x"}}};
    http::RequestContext context;
    auto admission = fixture.application.admit(request, context);
    ASSERT_TRUE(std::holds_alternative<http::ReadBody>(admission));
    EXPECT_EQ(std::get<http::ReadBody>(admission).execution, http::Execution::blocking);
    EXPECT_EQ(std::get<http::FullResponse>(fixture.application.handle(request, context)).status, 200);
}

TEST(Pipeline, ProxiesWithIdentity) {
    GatewayFixture fixture;
    auto response = fixture.get("/v1/apps/campus/portal/a/b?x=1", "campus:u1:student");
    ASSERT_TRUE(response.proxy_request);
    EXPECT_EQ(response.proxy_request->target, "/base/a/b?x=1");
    EXPECT_EQ(response.proxy_request->headers.value("Integreat-Subject"), "u1");
    EXPECT_EQ(response.proxy_request->headers.value("Integreat-Request-Id"), response.context.id.text);
    EXPECT_FALSE(response.proxy_request->headers.contains("Authorization"));
    EXPECT_TRUE(response.headers.contains("RateLimit"));
}

TEST(Pipeline, ConvertsExceptionsToProblems) {
    GatewayFixture fixture;
    auto response = fixture.get("/v1/apps/campus/broken", "campus:u1:student");
    EXPECT_EQ(response.status, 500);
    EXPECT_EQ(response.type, "internal");
    EXPECT_THAT(response.body, ::testing::Not(HasSubstr("it broke")));
    EXPECT_EQ(fixture.denial_log.find(response.context.id.text)->cause, "it broke");
}

TEST(Pipeline, RendersRefusalsOfTheTransport) {
    GatewayFixture fixture;
    http::Request request{.target = "/v1/apps/campus/me", .headers = {{"Origin", "https://campus.example"}}};
    http::RequestContext context;
    auto reply =
        fixture.application.reject(request, context, http::problem(http::ProblemType::request_timeout, "D"));
    EXPECT_EQ(reply.status, 408);
    EXPECT_THAT(reply.body, HasSubstr(context.id.text));
    EXPECT_EQ(context.response_headers.value("Access-Control-Allow-Origin"), "https://campus.example");
    EXPECT_EQ(fixture.denial_log.find(context.id.text)->decision.stage, "transport");

    http::RequestContext empty;
    EXPECT_EQ(fixture.application.reject({}, empty, http::problem(http::ProblemType::malformed_request, "D"))
                  .status,
              400);
    fixture.application.finish({}, empty, {.status = 400});
}

TEST(Pipeline, KeepsTheSnapshotOfARequestAcrossReloads) {
    GatewayFixture fixture;
    http::Request request{.target = "/v1/apps/campus/slow",
                          .headers = {{"Authorization", "Bearer campus:u1:x"}}};
    http::RequestContext context;
    fixture.application.admit(request, context);
    std::weak_ptr<const Snapshot> old = fixture.snapshots.current();
    for (int i = 0; i < 10; ++i)
        fixture.publish();
    EXPECT_EQ(std::get<http::FullResponse>(fixture.application.handle(request, context)).status, 200);
    EXPECT_FALSE(old.expired());
    context = {};
    EXPECT_TRUE(old.expired());
}

TEST(Pipeline, CountsRequestsByRoute) {
    GatewayFixture fixture;
    fixture.get("/v1/apps/campus/me", "campus:u1:student");
    fixture.get("/v1/apps/campus/me");
    fixture.get("/nowhere");
    auto text = fixture.metrics.text();
    EXPECT_THAT(text,
                HasSubstr(R"(integreat_requests_total{route="campus.me",status="2xx",tenant="campus"} 1)"));
    EXPECT_THAT(text,
                HasSubstr(R"(integreat_requests_total{route="campus.me",status="4xx",tenant="campus"} 1)"));
    EXPECT_THAT(
        text, HasSubstr(R"(integreat_requests_total{route="none",status="4xx",tenant="integreat-core"} 1)"));
}

TEST(Pipeline, WritesOneJsonLinePerRequest) {
    GatewayFixture fixture;
    std::string written;
    std::string id;
    {
        metrics::Counter lost;
        AccessLog log([&](std::string_view lines) { written += lines; }, lost);
        fixture.gateway.access_log = &log;
        id = fixture.get("/v1/apps/campus/me?token=abc&x=1", "campus:u1:student").context.id.text;
        fixture.get("/v1/apps/campus/me");
        fixture.gateway.access_log = nullptr;
    }
    auto end = written.find('\n');
    auto line = boost::json::parse(written.substr(0, end)).as_object();
    EXPECT_EQ(line["request_id"].as_string(), id);
    EXPECT_EQ(line["principal"].as_string(), "user:u1");
    EXPECT_EQ(line["route"].as_string(), "campus.me");
    EXPECT_EQ(line["path"].as_string(), "/v1/apps/campus/me?token=[redacted]&x=1");
    EXPECT_EQ(line["status"].as_int64(), 200);
    EXPECT_FALSE(line.contains("decision"));
    auto denied = boost::json::parse(written.substr(end + 1, written.size() - end - 2)).as_object();
    EXPECT_EQ(denied["decision"].as_string(), "token-missing");
}

}  // namespace
}  // namespace integreat::gateway
