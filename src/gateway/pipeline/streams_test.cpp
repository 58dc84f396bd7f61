// SPDX-License-Identifier: Apache-2.0
// Answers that stream: how long they may last, and where they have no place.
#include <gmock/gmock.h>

#include "gateway/testing/gateway_fixture.h"
#include "http/message/event_stream.h"
#include "postgres/testing/test_databases.h"

namespace integreat::gateway {
namespace {

using ::testing::HasSubstr;

class OneEvent final : public http::BodySource {
public:
    http::Pace produce(std::string& to, const http::Demand&) override {
        http::append_event(to, {.data = "hello"});
        return http::Pace::idle;
    }
};

http::Response follow(const http::Request&, http::Call&) {
    return http::event_stream(std::make_unique<OneEvent>());
}

http::Response download(const http::Request&, http::Call&) {
    return http::Stream{.body = std::make_unique<OneEvent>()};
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
        http::Call call{.started = world.clock.now(), .arrived = world.clock.monotonic()};
        auto response = http::handle(world.application, request, call);
        return std::get<http::Stream>(response).until;
    }
    testing::World world;
};

TEST_F(StreamsTest, PassThroughThePipeline) {
    world.publish({campus_route("feed", follow)});
    auto answer = world.get("/v1/apps/campus/feed", "campus:u1:student");
    EXPECT_TRUE(answer.streamed);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "data: hello\n\n");
    EXPECT_FALSE(world.get("/v1/apps/campus/feed").streamed);
}

TEST_F(StreamsTest, EndlessOnesEndWithTheToken) {
    auto anyone = campus_route("public", follow);
    anyone.access.who = http::Access::Who::anyone;
    world.publish({campus_route("feed", follow), campus_route("export", download), anyone});
    auto expires = world.clock.monotonic() + (from_unix_seconds(1'795'003'600) - world.clock.now());
    EXPECT_EQ(until("feed", "campus:u1:student"), expires);
    EXPECT_EQ(until("export", "campus:u1:student"), Monotonic::max());
    EXPECT_EQ(until("public", ""), Monotonic::max());
}

TEST_F(StreamsTest, CannotBeKeptForAKey) {
    auto database = postgres::testing::fresh_database();
    database.pool.tenant = {"campus"};
    postgres::Pool pool(database.pool, world.clock);
    world.gateway.database = &pool;
    auto kept = campus_route("kept", download);
    kept.method = http::Method::post;
    kept.body_bytes_max = 100;
    kept.waits = true;
    kept.idempotency = http::Idempotency::accepted;
    auto transactional = kept;
    transactional.pattern += "/now";
    transactional.name += ".now";
    transactional.transactional = http::Transactional::always;
    world.gateway.database_of = [&pool](const TenantId&) { return &pool; };
    world.publish({kept, transactional});
    for (auto target : {"/v1/apps/campus/kept", "/v1/apps/campus/kept/now"}) {
        auto refused = world.post(target, "campus:u1:student", "{}", {{"Idempotency-Key", target}});
        EXPECT_EQ(refused.status, 500);
        EXPECT_THAT(refused.call.cause, HasSubstr("streams its answer, which cannot be kept"));
    }
    world.gateway.database = nullptr;
}

}  // namespace
}  // namespace integreat::gateway
