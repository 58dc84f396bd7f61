// SPDX-License-Identifier: Apache-2.0
#include "gateway/pipeline/pipeline.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>

#include "gateway/testing/gateway_fixture.h"
#include "http/transport/spooled_body.h"

namespace integreat::gateway {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;
using testing::World;

TEST(Pipeline, NumbersEveryAnswerAndBelievesNoIdOfTheClient) {
    World world;
    http::Request request{.target = "/nowhere", .headers = {{"Integreat-Request-Id", "req_mine"}}};
    auto answer = world.send(request);
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(answer.type, "not-found");
    EXPECT_THAT(std::string(answer.headers.value("Integreat-Request-Id")), MatchesRegex("req_[0-9A-Z]{26}"));
    EXPECT_THAT(answer.body, HasSubstr("\"request_id\":\"" + answer.call.id.text + "\""));
}

TEST(Pipeline, RefusesTargetsThatTwoServersCouldReadDifferently) {
    World world;
    auto answer = world.get("/v1/apps/campus/../teleo/me", "campus:u1:student");
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.type, "malformed-target");
    EXPECT_EQ(answer.call.decision.stage, "target");
}

TEST(Pipeline, AnswersWhoIAm) {
    World world;
    auto answer = world.get("/v1/apps/campus/me", "campus:u1:student");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body,
              R"({"kind":"user","tenant":"campus","uid":"u1","role":"student","email":"u1@example.com",)"
              R"("email_verified":false,"name":null,"provider":null,"expires":"2026-11-18T12:06:40.000000Z"})"
              "\n");
    EXPECT_EQ(answer.headers.value("Content-Type"), "application/json");
    auto key = world.get("/v1/apps/campus/me", "key:campus:k1:grades.read");
    EXPECT_EQ(key.status, 200);
    EXPECT_THAT(key.body, HasSubstr(R"("scopes":["grades.read"])"));
}

TEST(Pipeline, ExplainsWhoMayNot) {
    World world;
    EXPECT_EQ(world.get("/v1/apps/campus/me").type, "token-missing");
    EXPECT_EQ(world.get("/v1/apps/campus/me", "teleo:u1:pastor").type, "foreign-tenant");
    EXPECT_EQ(world.get("/v1/apps/campus/grades", "campus:u1:student").type, "role-missing");
    EXPECT_EQ(world.get("/v1/apps/campus/grades", "key:campus:k1:other").type, "scope-missing");
    EXPECT_EQ(world.get("/v1/apps/campus/grades", "key:campus:k1:grades.read").status, 200);

    auto answer = world.get("/v1/apps/campus/grades?token=hidden", "campus:u1:student");
    auto kept = world.decisions.find(answer.call.id.text);
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->decision.stage, "authorize");
    EXPECT_EQ(kept->decision.rule, "route campus.grades requires role registrar");
    EXPECT_EQ(kept->caller, "user u1");
    EXPECT_EQ(kept->path, "/v1/apps/campus/grades?token=[redacted]");
    EXPECT_EQ(kept->status, 403);
}

TEST(Pipeline, PassesDenialsOnWithTheirReasons) {
    World world;
    auto answer = world.get("/v1/apps/campus/me", "bad");
    EXPECT_EQ(answer.status, 401);
    EXPECT_THAT(std::string(answer.headers.value("WWW-Authenticate")), StartsWith("Bearer "));
    auto kept = world.decisions.find(answer.call.id.text);
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->decision.rule, "the signature must be right");
    EXPECT_EQ(kept->decision.facts[0].first, "kid");
}

TEST(Pipeline, CountsFailedSignInsOnTheAddress) {
    World world;
    for (int i = 0; i < 100; ++i)
        EXPECT_EQ(world.get("/v1/apps/campus/me", "bad").status, 401);
    EXPECT_EQ(world.get("/v1/apps/campus/me", "bad").type, "rate-limited");
    EXPECT_EQ(world.get("/v1/apps/campus/me", "campus:u1:student").status, 200);
}

TEST(Pipeline, DefersWhatMustWait) {
    World world;
    http::Request request{.target = "/v1/apps/campus/me",
                          .headers = {{"Authorization", "Bearer wait:campus:u1:student"}}};
    http::Call call;
    call.started = world.clock.now();
    EXPECT_TRUE(std::holds_alternative<http::Defer>(world.application.admit(request, call)));
    auto id = call.id.text;
    call.may_wait = true;
    auto admission = world.application.admit(request, call);
    ASSERT_TRUE(std::holds_alternative<http::Reply>(admission));
    EXPECT_EQ(std::get<http::Reply>(admission).status, 200);
    EXPECT_EQ(call.id.text, id);
    EXPECT_EQ(call.response_headers.count("Integreat-Request-Id"), 1u);
}

TEST(Pipeline, TakesAForeignUserOnAPublicRouteForNobody) {
    World world;
    EXPECT_EQ(world.get("/v1/apps/campus/open", "teleo:u1:pastor").call.principal, nullptr);
    EXPECT_NE(world.get("/v1/apps/campus/open", "campus:u1:student").call.principal, nullptr);
    EXPECT_EQ(world.get("/v1/apps/campus/open", "bad").status, 401);
}

TEST(Pipeline, NamesTheMethodsOfAPath) {
    World world;
    http::Request request{.method = http::Method::del, .target = "/v1/apps/campus/me"};
    auto answer = world.send(request);
    EXPECT_EQ(answer.status, 405);
    EXPECT_EQ(answer.headers.value("Allow"), "GET, HEAD, OPTIONS");
    request.method = http::Method::options;
    answer = world.send(request);
    EXPECT_EQ(answer.status, 204);
    EXPECT_EQ(answer.headers.value("Allow"), "GET, HEAD, OPTIONS");
}

TEST(Pipeline, AnswersPreflightsWithoutAToken) {
    World world;
    http::Request request{
        .method = http::Method::options,
        .target = "/v1/apps/campus/me",
        .headers = {{"Origin", "http://localhost:5173"}, {"Access-Control-Request-Method", "GET"}}};
    auto answer = world.send(request);
    EXPECT_EQ(answer.status, 204);
    EXPECT_EQ(answer.headers.value("Access-Control-Allow-Origin"), "http://localhost:5173");
    EXPECT_EQ(answer.headers.value("Access-Control-Allow-Methods"), "GET, HEAD, OPTIONS");

    request.headers.set("Origin", "https://teleo.example");
    answer = world.send(request);
    EXPECT_EQ(answer.status, 403);
    EXPECT_EQ(answer.type, "origin-not-allowed");
    EXPECT_FALSE(answer.headers.contains("Access-Control-Allow-Origin"));
}

TEST(Pipeline, LetsPagesReadErrors) {
    World world;
    for (auto target : {"/v1/apps/campus/me", "/v1/apps/campus/nowhere"}) {
        http::Request request{.target = target, .headers = {{"Origin", "https://campus.example"}}};
        auto answer = world.send(request);
        EXPECT_GE(answer.status, 400);
        EXPECT_EQ(answer.headers.value("Access-Control-Allow-Origin"), "https://campus.example") << target;
        EXPECT_EQ(answer.headers.value("Vary"), "Origin");
    }
}

TEST(Pipeline, LimitsEachCallerAndSaysWhatIsLeft) {
    World world;
    auto first = world.get("/v1/apps/campus/few", "campus:u1:student");
    EXPECT_EQ(first.headers.value("RateLimit-Policy"), "\"campus.few\";q=60;w=60");
    EXPECT_EQ(first.headers.value("RateLimit"), "\"campus.few\";r=1;t=1");
    EXPECT_EQ(world.get("/v1/apps/campus/few", "campus:u1:student").status, 200);
    auto refused = world.get("/v1/apps/campus/few", "campus:u1:student");
    EXPECT_EQ(refused.status, 429);
    EXPECT_EQ(refused.headers.value("Retry-After"), "1");
    EXPECT_EQ(refused.headers.count("RateLimit"), 1u);
    EXPECT_EQ(world.get("/v1/apps/campus/few", "campus:u2:student").status, 200);
    EXPECT_EQ(world.get("/v1/apps/campus/me", "campus:u1:student").status, 200);
}

TEST(Pipeline, RefusesBodiesBeforeTheyAreRead) {
    World world;
    auto large = world.post("/v1/apps/campus/notes", "campus:u1:student", std::string(101, 'x'));
    EXPECT_EQ(large.status, 413);
    http::Request request{.target = "/v1/apps/campus/me", .headers = {{"Transfer-Encoding", "chunked"}}};
    EXPECT_EQ(world.send(request).status, 413);
}

TEST(Pipeline, ChecksBodiesAgainstTheSchema) {
    World world;
    auto post = [&](std::string body, http::Headers headers = {}) {
        return world.post("/v1/apps/campus/notes", "campus:u1:student", std::move(body), std::move(headers));
    };
    EXPECT_EQ(post(R"({"text":"hello"})").body, R"({"text":"hello"})");
    EXPECT_EQ(post("{").type, "malformed-json");
    EXPECT_EQ(post(R"({"text":"a","text":"b"})").type, "malformed-json");
    EXPECT_EQ(post("").type, "malformed-json");
    auto wrong = post(R"({"text":1})");
    EXPECT_EQ(wrong.type, "invalid-request");
    EXPECT_THAT(wrong.body, HasSubstr(R"({"pointer":"#/text","detail":"must be string"})"));
    EXPECT_EQ(post(R"({"text":"hello"})", {{"Content-Type", "text/plain"}}).type, "unsupported-media-type");
    EXPECT_EQ(post(R"({"text":"hello"})", {{"Content-Type", "application/json; charset=utf-8"}}).status, 200);
}

TEST(Pipeline, TakesTheTypeThatARouteSaysAndNoOtherCharset) {
    World world;
    world.publish({{.method = http::Method::post,
                    .pattern = "/v1/apps/campus/table",
                    .name = "campus.table.post",
                    .tenant = {"campus"},
                    .body_bytes_max = 100,
                    .checks_body = true,
                    .request_schema = R"({"type":"string"})",
                    .request_type = "text/csv",
                    .handler = [](const http::Request&, http::Call&) { return http::Reply{}; }}});
    auto send = [&](const char* type) {
        return world.post("/v1/apps/campus/table", "campus:u1:student", "a,b", {{"Content-Type", type}});
    };
    for (const char* type : {"", "application/json", "text/csvx", "text/csv; charset=iso-8859-1"}) {
        auto no = send(type);
        EXPECT_EQ(no.type, "unsupported-media-type") << type;
        EXPECT_EQ(no.headers.value("Accept"), "text/csv");
    }
    for (const char* type : {"text/csv", "Text/CSV; charset=\"UTF-8\"; header=present", "text/csv ;header=x"})
        EXPECT_EQ(send(type).status, 200) << type;
}

http::Route large(std::string app, http::Handler handler) {
    return {.method = http::Method::post,
            .pattern = "/v1/apps/" + app + "/large",
            .name = app + ".large.post",
            .tenant = {app},
            .body_bytes_max = 1 << 20,
            .waits = true,
            .spools_body = true,
            .handler = std::move(handler)};
}

http::Response nothing(const http::Request&, http::Call&) {
    return http::Reply{};
}

http::Request large_request(const std::string& app) {
    return {
        .method = http::Method::post,
        .target = "/v1/apps/" + app + "/large",
        .headers = {{"Authorization", "Bearer " + app + ":u1:student"}, {"Transfer-Encoding", "chunked"}}};
}

TEST(Pipeline, GivesALargeBodyToItsRouteInPieces) {
    World world;
    world.gateway.spooling.folder = "/tmp";
    std::string seen;
    world.publish({large("campus", [&](const http::Request&, http::Call& call) {
        std::string piece;
        for (seen.clear(); call.spooled->read(seen.size(), 1'000, piece) && !piece.empty();)
            seen += piece;
        return http::Reply{.body = std::to_string(seen.size())};
    })});
    auto request = large_request("campus");
    http::Call call;
    call.may_wait = true;
    auto admission = world.application.admit(request, call);
    auto& body = std::get<http::StreamBody>(admission);
    EXPECT_EQ(body.bytes_max, 1u << 20);
    std::string piece(300'000, 'x');
    EXPECT_FALSE(body.consume(piece, false));
    EXPECT_FALSE(body.consume(piece, false));
    world.clock.advance(std::chrono::seconds(60));
    auto answer = body.consume("end", true);
    ASSERT_TRUE(answer);
    EXPECT_EQ(std::get<http::Reply>(*answer).body, "600003");
    EXPECT_TRUE(seen == piece + piece + "end");
    EXPECT_GT(call.deadline, world.clock.monotonic()) << "counts from when all of it is there";
}

TEST(Pipeline, SaysWhenThereIsNoRoomForALargeBody) {
    World world;
    world.gateway.spooling.folder = "/nonexistent";
    world.publish({large("campus", nothing)});
    auto no = world.post("/v1/apps/campus/large", "campus:u1:student", std::string(300'000, 'x'));
    EXPECT_EQ(no.status, 503);
    EXPECT_EQ(no.type, "unavailable");
    EXPECT_EQ(world.post("/v1/apps/campus/large", "campus:u1:student", "small").status, 200);
}

TEST(Pipeline, TakesSoManyLargeBodiesOfAnAppAtATime) {
    World world;
    world.gateway.spooling.at_once = 2;
    world.publish({large("campus", nothing), large("teleo", nothing)});
    auto request = large_request("campus");
    http::Call first, second;
    auto one = world.application.admit(request, first);
    auto two = world.application.admit(request, second);
    ASSERT_TRUE(std::holds_alternative<http::StreamBody>(one));
    ASSERT_TRUE(std::holds_alternative<http::StreamBody>(two));
    auto no = world.send(request);
    EXPECT_EQ(no.status, 429);
    EXPECT_EQ(no.type, "limit-reached");
    EXPECT_EQ(no.headers.value("Retry-After"), "10");
    EXPECT_EQ(no.call.decision.rule, "imports.coming_at_once of integreat.yaml");
    EXPECT_EQ(world.send(large_request("teleo")).status, 200);
    one = http::Reply{};  // That one is over.
    EXPECT_EQ(world.send(request).status, 200);
    EXPECT_EQ(world.send(request).status, 200);
}

TEST(Pipeline, SendsWaitingRoutesToThePool) {
    World world;
    http::Request request{.target = "/v1/apps/campus/slow",
                          .headers = {{"Authorization", "Bearer campus:u1:x"}}};
    http::Call call;
    auto admission = world.application.admit(request, call);
    ASSERT_TRUE(std::holds_alternative<http::ReadBody>(admission));
    EXPECT_TRUE(std::get<http::ReadBody>(admission).waits);
    EXPECT_EQ(std::get<http::Reply>(world.application.answer(request, call)).status, 200);
}

TEST(Pipeline, RelaysWithIdentity) {
    World world;
    auto answer = world.get("/v1/apps/campus/portal/a/b?x=1", "campus:u1:student");
    ASSERT_TRUE(answer.relay);
    EXPECT_EQ(answer.relay->target, "/base/a/b?x=1");
    EXPECT_EQ(answer.relay->headers.value("Integreat-Subject"), "u1");
    EXPECT_EQ(answer.relay->headers.value("Integreat-Request-Id"), answer.call.id.text);
    EXPECT_FALSE(answer.relay->headers.contains("Authorization"));
    EXPECT_TRUE(answer.headers.contains("RateLimit"));
}

TEST(Pipeline, TurnsExceptionsIntoProblems) {
    World world;
    auto answer = world.get("/v1/apps/campus/broken", "campus:u1:student");
    EXPECT_EQ(answer.status, 500);
    EXPECT_EQ(answer.type, "internal");
    EXPECT_THAT(answer.body, ::testing::Not(HasSubstr("it broke")));
    EXPECT_EQ(world.decisions.find(answer.call.id.text)->cause, "it broke");
}

TEST(Pipeline, RendersWhatTheTransportRefuses) {
    World world;
    http::Request request{.target = "/v1/apps/campus/me", .headers = {{"Origin", "https://campus.example"}}};
    http::Call call;
    auto reply = world.application.reject(
        request, call, {.status = 408, .type = "request-timeout", .title = "T", .detail = "D"});
    EXPECT_EQ(reply.status, 408);
    EXPECT_THAT(reply.body, HasSubstr(call.id.text));
    EXPECT_EQ(call.response_headers.value("Access-Control-Allow-Origin"), "https://campus.example");
    EXPECT_EQ(world.decisions.find(call.id.text)->decision.stage, "transport");

    http::Call empty;
    EXPECT_EQ(world.application.reject({}, empty, {.status = 400, .type = "malformed-request"}).status, 400);
    world.application.finish({}, empty, {.status = 400});
}

TEST(Pipeline, KeepsTheSnapshotOfARequestAcrossReloads) {
    World world;
    http::Request request{.target = "/v1/apps/campus/slow",
                          .headers = {{"Authorization", "Bearer campus:u1:x"}}};
    http::Call call;
    world.application.admit(request, call);
    std::weak_ptr<const Snapshot> old = call.snapshot;
    for (int i = 0; i < 10; ++i)
        world.publish();
    EXPECT_EQ(std::get<http::Reply>(world.application.answer(request, call)).status, 200);
    EXPECT_FALSE(old.expired());
    call = {};
    EXPECT_TRUE(old.expired());
}

TEST(Pipeline, CountsRequestsByRoute) {
    World world;
    world.get("/v1/apps/campus/me", "campus:u1:student");
    world.get("/v1/apps/campus/me");
    world.get("/nowhere");
    auto text = world.metrics.text();
    EXPECT_THAT(text,
                HasSubstr(R"(integreat_requests_total{route="campus.me",status="2xx",tenant="campus"} 1)"));
    EXPECT_THAT(text,
                HasSubstr(R"(integreat_requests_total{route="campus.me",status="4xx",tenant="campus"} 1)"));
    EXPECT_THAT(
        text, HasSubstr(R"(integreat_requests_total{route="none",status="4xx",tenant="integreat-core"} 1)"));
}

TEST(Pipeline, WritesOneLineOfJsonPerRequest) {
    World world;
    std::string written;
    std::string id;
    {
        metrics::Counter lost;
        AccessLog log([&](std::string_view lines) { written += lines; }, lost);
        world.gateway.access_log = &log;
        id = world.get("/v1/apps/campus/me?token=abc&x=1", "campus:u1:student").call.id.text;
        world.get("/v1/apps/campus/me");
        world.gateway.access_log = nullptr;
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
