// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "gateway/idempotency/store.h"
#include "gateway/testing/gateway_fixture.h"
#include "postgres/testing/test_databases.h"

namespace integreat::gateway {
namespace {

using ::testing::HasSubstr;

// An upstream that records the requests.
class FakeUpstream final : public http::HttpClient {
public:
    Result<http::FullResponse> fetch(const http::ClientRequest& request) override {
        sent.push_back(request);
        if (!failure.empty()) return Error{fault, "It does not respond.", failure};
        return http::FullResponse{.status = status,
                                  .headers = {{"Content-Type", "text/plain"},
                                              {"Connection", "close"},
                                              {"Access-Control-Allow-Origin", "*"},
                                              {"Integreat-Request-Id", "mine"},
                                              {"RateLimit", "mine"},
                                              {"Set-Cookie", "a=b"}},
                                  .body = "response " + std::to_string(sent.size())};
    }
    std::vector<http::ClientRequest> sent;
    int status = 201;
    Fault fault = Fault::unavailable;
    std::string failure;
};

class IdempotencyTest : public ::testing::Test {
protected:
    IdempotencyTest() {
        fixture.gateway.database = &pool;
        fixture.gateway.http_client = &upstream_client;
        upstream->tenant = {"campus"};
        upstream->name = "pay";
        upstream->host = "127.0.0.1";
        upstream->port = 9301;
        upstream->path_prefix = "/base";
        publish();
    }

    void publish() {
        fixture.publish({{.method = http::Method::post,
                          .pattern = "/v1/apps/campus/pay/{id}",
                          .name = "campus.pay.post",
                          .tenant = {"campus"},
                          .max_body_bytes = 1000,
                          .idempotency = http::Idempotency::required,
                          .upstream = upstream,
                          .upstream_target = "/pay/{id}"}});
    }

    testing::TestResponse pay(std::string key, std::string body = "{}",
                              std::string token = "campus:u1:student") {
        return fixture.post("/v1/apps/campus/pay/7", std::move(token), std::move(body),
                            {{"Idempotency-Key", key}});
    }

    // Interrupts a request and expires its lease.
    void interrupt(std::string key) {
        upstream_client.failure = "unknown: timeout";
        EXPECT_EQ(pay(std::move(key)).type, "upstream-timeout");
        upstream_client.failure.clear();
        postgres::PoolSettings settings = database.pool;
        settings.url = database.superuser_url;
        postgres::Pool superuser(settings, fixture.clock);
        ASSERT_TRUE(superuser.run(platform_tenant, Monotonic::max(),
                                  "UPDATE integreat.idempotency_keys SET lease_until = now()"));
    }

    postgres::testing::TestDatabase database = postgres::testing::fresh_database();
    testing::GatewayFixture fixture;
    postgres::Pool pool{database.pool, fixture.clock};
    FakeUpstream upstream_client;
    std::shared_ptr<http::Upstream> upstream = std::make_shared<http::Upstream>();
};

TEST_F(IdempotencyTest, SendsOnceAndRepeatsTheResponseByteForByte) {
    auto first = pay("k1");
    auto again = pay("\"k1\"");
    EXPECT_EQ(first.status, 201);
    EXPECT_EQ(first.body, "response 1");
    EXPECT_EQ(again.status, 201);
    EXPECT_EQ(again.body, first.body);
    EXPECT_EQ(again.headers.value("Content-Type"), "text/plain");
    EXPECT_EQ(again.headers.value("Idempotent-Replayed"), "true");
    EXPECT_FALSE(first.headers.contains("Idempotent-Replayed"));
    EXPECT_FALSE(first.headers.contains("Connection"));
    ASSERT_EQ(upstream_client.sent.size(), 1u);
    EXPECT_EQ(upstream_client.sent[0].url, "http://127.0.0.1:9301/base/pay/7");
    EXPECT_EQ(upstream_client.sent[0].headers.value("Integreat-Subject"), "u1");
    EXPECT_FALSE(upstream_client.sent[0].headers.contains("Authorization"));
}

TEST_F(IdempotencyTest, SetsTheHeadersOfTheGatewayItself) {
    for (int i = 0; i < 2; ++i) {
        auto response = pay("k1");
        EXPECT_FALSE(response.headers.contains("Access-Control-Allow-Origin"));
        EXPECT_EQ(response.headers.count("Integreat-Request-Id"), 1u);
        EXPECT_EQ(response.headers.value("Integreat-Request-Id"), response.context.id.text);
        EXPECT_EQ(response.headers.count("RateLimit"), 1u);
        EXPECT_EQ(response.headers.value("Set-Cookie"), "a=b; Path=/v1/apps/campus/");
    }
}

TEST_F(IdempotencyTest, SeparatesCallers) {
    EXPECT_EQ(pay("k1").body, "response 1");
    EXPECT_EQ(pay("k1", "{}", "campus:u2:student").body, "response 2");
    EXPECT_EQ(pay("k1", "{}", "teleo:u1:member").type, "wrong-tenant");
}

TEST_F(IdempotencyTest, RejectsAKeyForAnotherRequest) {
    pay("k1");
    EXPECT_EQ(pay("k1", "{\"other\":1}").type, "idempotency-key-reused");
    EXPECT_EQ(upstream_client.sent.size(), 1u);
}

TEST_F(IdempotencyTest, RequiresAValidKey) {
    EXPECT_EQ(fixture.post("/v1/apps/campus/pay/7", "campus:u1:student", "{}").type,
              "idempotency-key-missing");
    EXPECT_EQ(pay(std::string(255, 'k')).status, 201);
    for (auto wrong : {std::string(256, 'k'), std::string("\"\""), std::string("a b"), std::string("\"a"),
                       std::string("a,b"), std::string("caf\xc3\xa9"), std::string("\"a\"b\"")}) {
        EXPECT_EQ(pay(wrong).type, "idempotency-key-invalid") << wrong;
    }
    EXPECT_EQ(pay("\"a \\\"b\\\\\"").status, 201);
}

TEST_F(IdempotencyTest, DoesNotStoreTransientFailures) {
    upstream_client.status = 503;
    EXPECT_EQ(pay("k1").status, 503);
    upstream_client.status = 429;
    EXPECT_EQ(pay("k1").status, 429);
    upstream_client.status = 422;
    EXPECT_EQ(pay("k1").body, "response 3");
    EXPECT_EQ(pay("k1").body, "response 3");
}

TEST_F(IdempotencyTest, ReleasesTheKeyIfNothingWasSent) {
    upstream_client.failure = "not_sent: connection refused";
    EXPECT_EQ(pay("k1").type, "upstream-unreachable");
    upstream_client.failure.clear();
    EXPECT_EQ(pay("k1").status, 201);
}

TEST_F(IdempotencyTest, NeverRepeatsARequestThatMayHaveArrived) {
    upstream_client.failure = "unknown: timeout";
    EXPECT_EQ(pay("k1").type, "upstream-timeout");
    upstream_client.failure.clear();
    auto running = pay("k1");
    EXPECT_EQ(running.type, "idempotency-key-in-use");
    EXPECT_EQ(running.headers.value("Retry-After"), "1");
    EXPECT_EQ(upstream_client.sent.size(), 1u);
}

TEST_F(IdempotencyTest, ReportsAnUnknownOutcomeAfterTheLease) {
    interrupt("k1");
    for (int i = 0; i < 2; ++i) {
        auto unknown = pay("k1");
        EXPECT_EQ(unknown.status, 409);
        EXPECT_EQ(unknown.type, "outcome-unknown");
        EXPECT_FALSE(unknown.headers.contains("Retry-After"));  // Waiting does not help.
    }
    EXPECT_EQ(upstream_client.sent.size(), 1u);
    EXPECT_EQ(pay("k2").status, 201);
}

TEST_F(IdempotencyTest, RepeatsTheRequestForAnIdempotentUpstream) {
    fixture.campus.upstreams = {{.name = "pay", .url = "http://127.0.0.1:9301/base", .idempotent = true}};
    publish();
    interrupt("k1");
    EXPECT_EQ(pay("k1", "{\"other\":1}").type, "idempotency-key-reused");
    auto repeated = pay("k1");
    EXPECT_EQ(repeated.body, "response 2");
    EXPECT_FALSE(repeated.headers.contains("Idempotent-Replayed"));
    EXPECT_EQ(pay("k1").headers.value("Idempotent-Replayed"), "true");
    ASSERT_EQ(upstream_client.sent.size(), 2u);
    for (const auto& sent : upstream_client.sent)
        EXPECT_EQ(sent.headers.value("Idempotency-Key"), "k1");
}

TEST_F(IdempotencyTest, ReleasesTheKeyWhileTheCircuitIsOpen) {
    upstream->breaker_open = std::chrono::milliseconds(4'200);
    upstream_client.fault = Fault::exhausted;
    upstream_client.failure = "not_sent: the circuit is open";
    auto rejected = pay("k1");
    EXPECT_EQ(rejected.status, 503);
    EXPECT_EQ(rejected.type, "upstream-circuit-open");
    EXPECT_EQ(rejected.headers.value("Retry-After"), "5");
    ASSERT_EQ(upstream_client.sent.size(), 1u);
    EXPECT_EQ(upstream_client.sent[0].upstream, upstream);
    upstream_client.failure.clear();
    EXPECT_EQ(pay("k1").status, 201);
}

TEST_F(IdempotencyTest, NeedsADatabase) {
    fixture.gateway.database = nullptr;
    EXPECT_EQ(pay("k1").type, "unavailable");
    EXPECT_TRUE(upstream_client.sent.empty());
}

// A route whose work is one row in the database of the application.
class TransactionalByKeyTest : public ::testing::Test {
protected:
    TransactionalByKeyTest() {
        fixture.gateway.database = &platform;
        fixture.gateway.database_of = [this](const TenantId& tenant) {
            return tenant == TenantId{"campus"} ? &pool : nullptr;
        };
        auto admin = postgres::Pool({.tenant = {"campus"}, .url = database.superuser_url}, fixture.clock);
        EXPECT_TRUE(admin.run({"campus"}, Monotonic::max(), "CREATE TABLE public.done (what text)"));
        EXPECT_TRUE(admin.run({"campus"}, Monotonic::max(), "GRANT INSERT, SELECT ON public.done TO PUBLIC"));
        fixture.publish(
            {{.method = http::Method::post,
              .pattern = "/v1/apps/campus/do",
              .name = "campus.do",
              .tenant = {"campus"},
              .max_body_bytes = 1000,
              .idempotency = http::Idempotency::accepted,
              .execution = http::Execution::blocking,
              .transactional = http::Transactional::with_key,
              .handler = [this](const auto& request, auto& context) { return work(request, context); }}});
    }

    http::Response work(const http::Request& request, http::RequestContext& context) {
        auto* transaction = context.attachments.find<postgres::Transaction>();
        with_transaction += transaction != nullptr;
        constexpr const char* insert = "INSERT INTO public.done VALUES ($1)";
        auto done = transaction ? transaction->execute(insert, {request.body})
                                : pool.run({"campus"}, context.deadline, insert, {request.body});
        return http::FullResponse{.status = done ? status : 500, .headers = {}, .body = "done"};
    }

    testing::TestResponse send(http::Headers headers = {}) {
        return fixture.post("/v1/apps/campus/do", "campus:u1:student", "{}", std::move(headers));
    }
    std::int64_t rows() {
        return pool.run({"campus"}, Monotonic::max(), "SELECT count(*) FROM public.done")->integer(0, 0);
    }

    postgres::testing::TestDatabase platform_database = postgres::testing::fresh_database();
    postgres::testing::TestDatabase database = postgres::testing::fresh_database({"campus"});
    testing::GatewayFixture fixture;
    postgres::Pool platform{platform_database.pool, fixture.clock};
    postgres::Pool pool{database.pool, fixture.clock};
    int with_transaction = 0;
    int status = 201;
};

TEST_F(TransactionalByKeyTest, StoresTheKeyInTheSameTransaction) {
    auto first = send({{"Idempotency-Key", "k1"}});
    auto second = send({{"Idempotency-Key", "k1"}});
    EXPECT_EQ(first.status, 201);
    EXPECT_EQ(second.status, 201);
    EXPECT_EQ(second.headers.value("Idempotent-Replayed"), "true");
    EXPECT_EQ(rows(), 1);
    EXPECT_EQ(with_transaction, 1);
}

TEST_F(TransactionalByKeyTest, RunsWithoutATransactionIfThereIsNoKey) {
    EXPECT_EQ(send().status, 201);
    EXPECT_EQ(with_transaction, 0);
    EXPECT_EQ(rows(), 1);
}

TEST_F(TransactionalByKeyTest, RollsBackAndReleasesTheKeyAfterAnError) {
    status = 409;
    EXPECT_EQ(send({{"Idempotency-Key", "k1"}}).status, 409);
    EXPECT_EQ(rows(), 0);
    status = 201;
    EXPECT_EQ(send({{"Idempotency-Key", "k1"}}).status, 201);
    EXPECT_EQ(rows(), 1);
}

TEST_F(TransactionalByKeyTest, NeedsTheDatabaseOfTheApplication) {
    fixture.gateway.database_of = [](const TenantId&) { return nullptr; };
    auto response = send({{"Idempotency-Key", "k1"}});
    EXPECT_EQ(response.type, "unavailable");
    EXPECT_EQ(response.headers.value("Retry-After"), "1");
}

}  // namespace
}  // namespace integreat::gateway
