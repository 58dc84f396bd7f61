// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "gateway/idempotency/store.h"
#include "gateway/testing/gateway_fixture.h"
#include "postgres/testing/test_databases.h"

namespace integreat::gateway {
namespace {

using ::testing::HasSubstr;

// An upstream that remembers what it was sent.
class FixedOutbound final : public http::Outbound {
public:
    Result<http::Reply> fetch(const http::OutboundRequest& request) override {
        sent.push_back(request);
        if (!failure.empty()) return Error{fault, "It does not answer.", failure};
        return http::Reply{.status = status,
                           .headers = {{"Content-Type", "text/plain"},
                                       {"Connection", "close"},
                                       {"Access-Control-Allow-Origin", "*"},
                                       {"Integreat-Request-Id", "mine"},
                                       {"RateLimit", "mine"},
                                       {"Set-Cookie", "a=b"}},
                           .body = "answer " + std::to_string(sent.size())};
    }
    std::vector<http::OutboundRequest> sent;
    int status = 201;
    Fault fault = Fault::unavailable;
    std::string failure;
};

class AnswerOnceTest : public ::testing::Test {
protected:
    AnswerOnceTest() {
        world.gateway.database = &pool;
        world.gateway.outbound = &outbound;
        upstream->tenant = {"campus"};
        upstream->name = "pay";
        upstream->host = "127.0.0.1";
        upstream->port = 9301;
        upstream->path_prefix = "/base";
        publish();
    }

    void publish() {
        world.publish({{.method = http::Method::post,
                        .pattern = "/v1/apps/campus/pay/{id}",
                        .name = "campus.pay.post",
                        .tenant = {"campus"},
                        .body_bytes_max = 1000,
                        .idempotency = http::Idempotency::required,
                        .upstream = upstream,
                        .upstream_target = "/pay/{id}"}});
    }

    testing::Answer pay(std::string key, std::string body = "{}", std::string token = "campus:u1:student") {
        return world.post("/v1/apps/campus/pay/7", std::move(token), std::move(body),
                          {{"Idempotency-Key", key}});
    }

    // A request breaks off, and its lease runs out.
    void interrupt(std::string key) {
        outbound.failure = "unknown: timeout";
        EXPECT_EQ(pay(std::move(key)).type, "upstream-timeout");
        outbound.failure.clear();
        postgres::PoolSettings settings = database.pool;
        settings.url = database.superuser_url;
        postgres::Pool superuser(settings, world.clock);
        ASSERT_TRUE(superuser.run(platform_tenant, Monotonic::max(),
                                  "UPDATE integreat.idempotency_keys SET lease_until = now()"));
    }

    postgres::testing::TestDatabase database = postgres::testing::fresh_database();
    testing::World world;
    postgres::Pool pool{database.pool, world.clock};
    FixedOutbound outbound;
    std::shared_ptr<http::Upstream> upstream = std::make_shared<http::Upstream>();
};

TEST_F(AnswerOnceTest, SendsOnceAndRepeatsTheAnswerByteForByte) {
    auto first = pay("k1");
    auto again = pay("\"k1\"");
    EXPECT_EQ(first.status, 201);
    EXPECT_EQ(first.body, "answer 1");
    EXPECT_EQ(again.status, 201);
    EXPECT_EQ(again.body, first.body);
    EXPECT_EQ(again.headers.value("Content-Type"), "text/plain");
    EXPECT_EQ(again.headers.value("Idempotent-Replayed"), "true");
    EXPECT_FALSE(first.headers.contains("Idempotent-Replayed"));
    EXPECT_FALSE(first.headers.contains("Connection"));
    ASSERT_EQ(outbound.sent.size(), 1u);
    EXPECT_EQ(outbound.sent[0].url, "http://127.0.0.1:9301/base/pay/7");
    EXPECT_EQ(outbound.sent[0].headers.value("Integreat-Subject"), "u1");
    EXPECT_FALSE(outbound.sent[0].headers.contains("Authorization"));
}

TEST_F(AnswerOnceTest, SaysItselfWhatIsNotTheUpstreamsToSay) {
    for (int i = 0; i < 2; ++i) {
        auto answer = pay("k1");
        EXPECT_FALSE(answer.headers.contains("Access-Control-Allow-Origin"));
        EXPECT_EQ(answer.headers.count("Integreat-Request-Id"), 1u);
        EXPECT_EQ(answer.headers.value("Integreat-Request-Id"), answer.call.id.text);
        EXPECT_EQ(answer.headers.count("RateLimit"), 1u);
        EXPECT_EQ(answer.headers.value("Set-Cookie"), "a=b");
    }
}

TEST_F(AnswerOnceTest, KeepsCallersApart) {
    EXPECT_EQ(pay("k1").body, "answer 1");
    EXPECT_EQ(pay("k1", "{}", "campus:u2:student").body, "answer 2");
    EXPECT_EQ(pay("k1", "{}", "teleo:u1:member").type, "foreign-tenant");
}

TEST_F(AnswerOnceTest, RefusesAKeyForAnotherRequest) {
    pay("k1");
    EXPECT_EQ(pay("k1", "{\"other\":1}").type, "idempotency-key-reused");
    EXPECT_EQ(outbound.sent.size(), 1u);
}

TEST_F(AnswerOnceTest, AsksForAKeyThatIsOne) {
    EXPECT_EQ(world.post("/v1/apps/campus/pay/7", "campus:u1:student", "{}").type, "idempotency-key-missing");
    EXPECT_EQ(pay(std::string(255, 'k')).status, 201);
    for (auto wrong : {std::string(256, 'k'), std::string("\"\""), std::string("a b"), std::string("\"a"),
                       std::string("a,b"), std::string("caf\xc3\xa9"), std::string("\"a\"b\"")}) {
        EXPECT_EQ(pay(wrong).type, "idempotency-key-invalid") << wrong;
    }
    EXPECT_EQ(pay("\"a \\\"b\\\\\"").status, 201);
}

TEST_F(AnswerOnceTest, KeepsNoPassingTrouble) {
    outbound.status = 503;
    EXPECT_EQ(pay("k1").status, 503);
    outbound.status = 429;
    EXPECT_EQ(pay("k1").status, 429);
    outbound.status = 422;
    EXPECT_EQ(pay("k1").body, "answer 3");
    EXPECT_EQ(pay("k1").body, "answer 3");
}

TEST_F(AnswerOnceTest, FreesTheKeyIfNothingWasSent) {
    outbound.failure = "not_sent: connection refused";
    EXPECT_EQ(pay("k1").type, "upstream-unreachable");
    outbound.failure.clear();
    EXPECT_EQ(pay("k1").status, 201);
}

TEST_F(AnswerOnceTest, NeverSendsAgainWhatMayHaveArrived) {
    outbound.failure = "unknown: timeout";
    EXPECT_EQ(pay("k1").type, "upstream-timeout");
    outbound.failure.clear();
    auto running = pay("k1");
    EXPECT_EQ(running.type, "idempotency-key-in-use");
    EXPECT_EQ(running.headers.value("Retry-After"), "1");
    EXPECT_EQ(outbound.sent.size(), 1u);
}

TEST_F(AnswerOnceTest, SaysThatTheOutcomeIsUnknownOnceTheLeaseHasRunOut) {
    interrupt("k1");
    for (int i = 0; i < 2; ++i) {
        auto unknown = pay("k1");
        EXPECT_EQ(unknown.status, 409);
        EXPECT_EQ(unknown.type, "outcome-unknown");
        EXPECT_FALSE(unknown.headers.contains("Retry-After"));  // Waiting will not tell.
    }
    EXPECT_EQ(outbound.sent.size(), 1u);
    EXPECT_EQ(pay("k2").status, 201);
}

TEST_F(AnswerOnceTest, SendsAgainToAnUpstreamThatHonoursTheKeyItself) {
    world.campus.upstreams = {{.name = "pay", .url = "http://127.0.0.1:9301/base", .idempotent = true}};
    publish();
    interrupt("k1");
    EXPECT_EQ(pay("k1", "{\"other\":1}").type, "idempotency-key-reused");
    auto taken_over = pay("k1");
    EXPECT_EQ(taken_over.body, "answer 2");
    EXPECT_FALSE(taken_over.headers.contains("Idempotent-Replayed"));
    EXPECT_EQ(pay("k1").headers.value("Idempotent-Replayed"), "true");
    ASSERT_EQ(outbound.sent.size(), 2u);
    for (const auto& sent : outbound.sent)
        EXPECT_EQ(sent.headers.value("Idempotency-Key"), "k1");
}

TEST_F(AnswerOnceTest, LeavesAFailingUpstreamAloneAndTheKeyFree) {
    upstream->breaker_open = std::chrono::milliseconds(4'200);
    outbound.fault = Fault::exhausted;
    outbound.failure = "not_sent: the circuit is open";
    auto refused = pay("k1");
    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(refused.type, "upstream-circuit-open");
    EXPECT_EQ(refused.headers.value("Retry-After"), "5");
    ASSERT_EQ(outbound.sent.size(), 1u);
    EXPECT_EQ(outbound.sent[0].upstream, upstream);
    outbound.failure.clear();
    EXPECT_EQ(pay("k1").status, 201);
}

TEST_F(AnswerOnceTest, SaysSoWithoutADatabase) {
    world.gateway.database = nullptr;
    EXPECT_EQ(pay("k1").type, "unavailable");
    EXPECT_TRUE(outbound.sent.empty());
}

// A route whose work is one row of the application's own database.
class TransactionalByKeyTest : public ::testing::Test {
protected:
    TransactionalByKeyTest() {
        world.gateway.database = &platform;
        world.gateway.database_of = [this](const TenantId& tenant) {
            return tenant == TenantId{"campus"} ? &pool : nullptr;
        };
        auto admin = postgres::Pool({.tenant = {"campus"}, .url = database.superuser_url}, world.clock);
        EXPECT_TRUE(admin.run({"campus"}, Monotonic::max(), "CREATE TABLE public.done (what text)"));
        EXPECT_TRUE(admin.run({"campus"}, Monotonic::max(), "GRANT INSERT, SELECT ON public.done TO PUBLIC"));
        world.publish({{.method = http::Method::post,
                        .pattern = "/v1/apps/campus/do",
                        .name = "campus.do",
                        .tenant = {"campus"},
                        .body_bytes_max = 1000,
                        .idempotency = http::Idempotency::accepted,
                        .waits = true,
                        .transactional = http::Transactional::with_key,
                        .handler = [this](const auto& request, auto& call) { return work(request, call); }}});
    }

    http::Response work(const http::Request& request, http::Call& call) {
        with_transaction += call.transaction != nullptr;
        constexpr const char* insert = "INSERT INTO public.done VALUES ($1)";
        auto done = call.transaction ? call.transaction->execute(insert, {request.body})
                                     : pool.run({"campus"}, call.deadline, insert, {request.body});
        return http::Reply{.status = done ? status : 500, .headers = {}, .body = "done"};
    }

    testing::Answer send(http::Headers headers = {}) {
        return world.post("/v1/apps/campus/do", "campus:u1:student", "{}", std::move(headers));
    }
    std::int64_t rows() {
        return pool.run({"campus"}, Monotonic::max(), "SELECT count(*) FROM public.done")->integer(0, 0);
    }

    postgres::testing::TestDatabase platform_database = postgres::testing::fresh_database();
    postgres::testing::TestDatabase database = postgres::testing::fresh_database({"campus"});
    testing::World world;
    postgres::Pool platform{platform_database.pool, world.clock};
    postgres::Pool pool{database.pool, world.clock};
    int with_transaction = 0;
    int status = 201;
};

TEST_F(TransactionalByKeyTest, KeepsTheKeyInTheDatabaseOfTheApplicationInTheSameTransaction) {
    auto first = send({{"Idempotency-Key", "k1"}});
    auto second = send({{"Idempotency-Key", "k1"}});
    EXPECT_EQ(first.status, 201);
    EXPECT_EQ(second.status, 201);
    EXPECT_EQ(second.headers.value("Idempotent-Replayed"), "true");
    EXPECT_EQ(rows(), 1);
    EXPECT_EQ(with_transaction, 1);
}

TEST_F(TransactionalByKeyTest, LeavesTheStatementToItselfWithoutAKey) {
    EXPECT_EQ(send().status, 201);
    EXPECT_EQ(with_transaction, 0);
    EXPECT_EQ(rows(), 1);
}

TEST_F(TransactionalByKeyTest, UndoesTheWorkOfARefusalAndFreesTheKey) {
    status = 409;
    EXPECT_EQ(send({{"Idempotency-Key", "k1"}}).status, 409);
    EXPECT_EQ(rows(), 0);
    status = 201;
    EXPECT_EQ(send({{"Idempotency-Key", "k1"}}).status, 201);
    EXPECT_EQ(rows(), 1);
}

TEST_F(TransactionalByKeyTest, SaysSoWithoutTheDatabase) {
    world.gateway.database_of = [](const TenantId&) { return nullptr; };
    auto answer = send({{"Idempotency-Key", "k1"}});
    EXPECT_EQ(answer.type, "unavailable");
    EXPECT_EQ(answer.headers.value("Retry-After"), "1");
}

}  // namespace
}  // namespace integreat::gateway
