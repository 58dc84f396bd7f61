// SPDX-License-Identifier: Apache-2.0
// Answers that stream: how long they may last, and where they have no place.
#include <gmock/gmock.h>

#include "gateway/testing/gateway_fixture.h"
#include "http/message/event_stream.h"
#include "postgres/testing/test_databases.h"

namespace integreat::gateway {
namespace {

using ::testing::HasSubstr;

class OneEvent final : public http::BodyStream {
public:
    http::ReadStatus read(std::string& to, const http::ReadRequest&) override {
        http::append_event(to, {.data = "hello"});
        return http::ReadStatus::pending;
    }
};

http::Response follow(const http::Request&, http::RequestContext&) {
    return http::make_event_stream(std::make_unique<OneEvent>());
}

http::Response download(const http::Request&, http::RequestContext&) {
    return http::StreamingResponse{.body = std::make_unique<OneEvent>()};
}

http::Response wait_for_event(const http::Request&, http::RequestContext&) {
    return http::PendingResponse{.on_ready = [](const std::function<void(bool)>&) {},
                                 .complete = [] { return http::FullResponse{}; }};
}

http::Route campus_route(std::string last, http::Handler handler) {
    return {.pattern = "/v1/apps/campus/" + last,
            .name = "campus." + last,
            .tenant = {"campus"},
            .handler = std::move(handler)};
}

class StreamsTest : public ::testing::Test {
protected:
    Monotonic until(std::string last, std::string token) {
        http::Request request{.target = "/v1/apps/campus/" + last};
        if (!token.empty()) request.headers.add("Authorization", "Bearer " + token);
        http::RequestContext context{.started = fixture.clock.now(), .arrived = fixture.clock.monotonic()};
        auto response = http::handle(fixture.application, request, context);
        return std::get<http::StreamingResponse>(response).until;
    }
    testing::GatewayFixture fixture;
};

TEST_F(StreamsTest, PassThroughThePipeline) {
    fixture.publish({campus_route("feed", follow)});
    auto response = fixture.get("/v1/apps/campus/feed", "campus:u1:student");
    EXPECT_TRUE(response.streamed);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "data: hello\n\n");
    EXPECT_FALSE(fixture.get("/v1/apps/campus/feed").streamed);
}

TEST_F(StreamsTest, EndWithTheTokenIfTheyAreEndless) {
    auto anyone = campus_route("public", follow);
    anyone.access.audience = http::Access::Audience::anyone;
    fixture.publish({campus_route("feed", follow), campus_route("export", download), anyone});
    auto expires = fixture.clock.monotonic() + (from_unix_seconds(1'795'003'600) - fixture.clock.now());
    EXPECT_EQ(until("feed", "campus:u1:student"), expires);
    EXPECT_EQ(until("export", "campus:u1:student"), Monotonic::max());
    EXPECT_EQ(until("public", ""), Monotonic::max());
}

TEST_F(StreamsTest, CannotBeStoredForAnIdempotencyKey) {
    auto database = postgres::testing::fresh_database();
    database.pool.tenant = {"campus"};
    postgres::Pool pool(database.pool, fixture.clock);
    fixture.gateway.database = &pool;
    auto stored = campus_route("stored", download);
    stored.method = http::Method::post;
    stored.max_body_bytes = 100;
    stored.execution = http::Execution::blocking;
    stored.idempotency = http::Idempotency::accepted;
    auto transactional = stored;
    transactional.pattern += "/now";
    transactional.name += ".now";
    transactional.transactional = http::Transactional::always;
    fixture.gateway.database_of = [&pool](const TenantId&) { return &pool; };
    auto pending = stored;
    pending.pattern += "/event";
    pending.name += ".event";
    pending.handler = wait_for_event;
    fixture.publish({stored, transactional, pending});
    auto deferred = fixture.post("/v1/apps/campus/stored/event", "campus:u1:student", "{}",
                                 {{"Idempotency-Key", "deferred"}});
    EXPECT_EQ(deferred.status, 500);
    EXPECT_THAT(deferred.context.cause, HasSubstr("defers its response, which cannot be stored"));
    for (auto target : {"/v1/apps/campus/stored", "/v1/apps/campus/stored/now"}) {
        auto rejected = fixture.post(target, "campus:u1:student", "{}", {{"Idempotency-Key", target}});
        EXPECT_EQ(rejected.status, 500);
        EXPECT_THAT(rejected.context.cause, HasSubstr("streams its response, which cannot be stored"));
    }
    fixture.gateway.database = nullptr;
}

}  // namespace
}  // namespace integreat::gateway
