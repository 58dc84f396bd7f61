// SPDX-License-Identifier: Apache-2.0
#include "gateway/admin/admin_routes.h"

#include <regex>
#include <set>

#include <boost/json.hpp>
#include <gmock/gmock.h>

#include "gateway/testing/gateway_fixture.h"
#include "postgres/testing/test_databases.h"

namespace integreat::gateway {
namespace {

using ::testing::HasSubstr;

constexpr auto operator_token = "integreat-core:op:admin";

class AdminRoutesTest : public ::testing::Test {
protected:
    AdminRoutesTest() {
        fixture.gateway.database = &pool;
        fixture.publish(admin_routes(parts));
    }

    testing::TestResponse make_key(std::string body, http::Headers headers = {}) {
        return fixture.post("/v1/admin/tenants/campus/keys", operator_token, std::move(body),
                            std::move(headers));
    }
    boost::json::object json(const testing::TestResponse& response) {
        return boost::json::parse(response.body).as_object();
    }
    void as_superuser(std::string_view sql) {
        auto settings = database.pool;
        settings.url = database.superuser_url;
        postgres::Pool superuser(settings, fixture.clock);
        ASSERT_TRUE(superuser.run(platform_tenant, Monotonic::max(), sql, {}));
    }
    std::size_t keys_count() {
        return json(fixture.get("/v1/admin/tenants/campus/keys", operator_token))["keys"].as_array().size();
    }

    postgres::testing::TestDatabase database = postgres::testing::fresh_database();
    testing::GatewayFixture fixture;
    postgres::Pool pool{database.pool, fixture.clock};
    gateway::TransactionLog log{
        pool, fixture.clock, fixture.random, {.flush_interval = std::chrono::milliseconds(5)}};
    AdminRoutes parts{
        .platform = pool,
        .clock = fixture.clock,
        .random = fixture.random,
        .denial_log = fixture.denial_log,
        .readiness_checks = [] { return std::vector<ReadinessCheck>{{.name = "database", .ready = true}}; },
        .transaction_log = &log};
};

TEST_F(AdminRoutesTest, CreatesListsAndRevokesKeys) {
    auto made = make_key(R"({"name":"import","scopes":["grades.read"],"expires":"2027-01-01T00:00:00Z"})");
    ASSERT_EQ(made.status, 201) << made.body;
    auto key = json(made);
    EXPECT_FALSE(key["key"].as_string().empty());
    EXPECT_EQ(key["created_by"].as_string(), "user op");
    EXPECT_EQ(key["expires"].as_string(), "2027-01-01T00:00:00Z");

    auto listed = fixture.get("/v1/admin/tenants/campus/keys", operator_token);
    EXPECT_THAT(listed.body, HasSubstr(R"("name":"import")"));
    EXPECT_THAT(listed.body, ::testing::Not(HasSubstr(std::string(key["key"].as_string()))));

    http::Request revoke{.method = http::Method::del,
                         .target = "/v1/admin/tenants/campus/keys/" + std::string(key["id"].as_string()),
                         .headers = {{"Authorization", "Bearer " + std::string(operator_token)}}};
    auto revoked = fixture.send(revoke);
    EXPECT_EQ(revoked.status, 200) << revoked.body;
    EXPECT_TRUE(json(revoked)["revoked"].is_string());
    revoke.target += "x";
    EXPECT_EQ(fixture.send(revoke).status, 404);
}

TEST_F(AdminRoutesTest, CreatesOneKeyPerIdempotencyKeyAndReturnsItOnce) {
    auto first = make_key(R"({"name":"import"})", {{"Idempotency-Key", "k1"}});
    auto again = make_key(R"({"name":"import"})", {{"Idempotency-Key", "k1"}});
    ASSERT_EQ(first.status, 201) << first.body;
    EXPECT_EQ(again.status, 201) << again.body;
    EXPECT_EQ(again.headers.value("Idempotent-Replayed"), "true");
    EXPECT_EQ(json(first)["id"], json(again)["id"]);
    EXPECT_TRUE(json(first)["key"].is_string());
    EXPECT_TRUE(json(again)["key"].is_null());
    EXPECT_EQ(keys_count(), 1u);
    EXPECT_EQ(make_key(R"({"name":"other"})", {{"Idempotency-Key", "k1"}}).type, "idempotency-key-reused");
}

TEST_F(AdminRoutesTest, StoresTheKeyAndItsIdempotencyRecordAtomically) {
    as_superuser("ALTER TABLE integreat.idempotency_keys ADD CONSTRAINT no CHECK (status <> 201)");
    auto refused = make_key(R"({"name":"import"})", {{"Idempotency-Key", "k1"}});
    EXPECT_GE(refused.status, 409) << refused.body;
    EXPECT_THAT(refused.body, ::testing::Not(HasSubstr("itg_")));
    EXPECT_EQ(keys_count(), 0u);
    as_superuser("ALTER TABLE integreat.idempotency_keys DROP CONSTRAINT no");
    auto made = make_key(R"({"name":"import"})", {{"Idempotency-Key", "k1"}});
    ASSERT_EQ(made.status, 201) << made.body;
    EXPECT_FALSE(made.headers.contains("Idempotent-Replayed"));
    EXPECT_EQ(keys_count(), 1u);
}

TEST_F(AdminRoutesTest, StoresNothingIfTheConnectionIsLostInBetween) {
    // The database sees a killed process as a lost connection; here just before the record is stored.
    as_superuser(
        "CREATE FUNCTION die() RETURNS trigger SECURITY DEFINER LANGUAGE plpgsql AS "
        "'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END'");
    as_superuser(
        "CREATE TRIGGER die AFTER INSERT ON integreat.idempotency_keys FOR EACH ROW EXECUTE FUNCTION die()");
    EXPECT_EQ(make_key(R"({"name":"import"})", {{"Idempotency-Key", "k1"}}).status, 503);
    EXPECT_EQ(keys_count(), 0u);
    as_superuser("DROP TRIGGER die ON integreat.idempotency_keys");
    EXPECT_EQ(make_key(R"({"name":"import"})", {{"Idempotency-Key", "k1"}}).status, 201);
    EXPECT_EQ(keys_count(), 1u);
}

TEST_F(AdminRoutesTest, ReleasesTheIdempotencyKeyOfARejectedRequest) {
    auto wrong = make_key(R"({"name":"x","scopes":["A B"]})", {{"Idempotency-Key", "k1"}});
    EXPECT_EQ(wrong.status, 400);
    EXPECT_EQ(make_key(R"({"name":"x"})", {{"Idempotency-Key", "k1"}}).status, 201);
}

TEST_F(AdminRoutesTest, RejectsInvalidKeys) {
    EXPECT_EQ(make_key("{").type, "malformed-json");
    EXPECT_EQ(make_key("[]").type, "invalid-request");
    EXPECT_EQ(make_key("{}").type, "invalid-request");
    auto wrong = make_key(R"({"name":1,"scopes":[""],"scope":[]})");
    EXPECT_EQ(wrong.type, "invalid-request");
    EXPECT_THAT(wrong.body, HasSubstr(R"("pointer":"#/name")"));
    EXPECT_THAT(wrong.body, HasSubstr(R"("pointer":"#/scopes/0")"));
    EXPECT_THAT(wrong.body, HasSubstr(R"("pointer":"#/scope")"));
    EXPECT_EQ(make_key("{\"name\":\"" + std::string(101, 'x') + "\"}").type, "invalid-request");
    EXPECT_EQ(make_key(R"({"name":""})").type, "invalid-request");
    EXPECT_EQ(make_key(R"({"name":"x","scope":[]})").type, "invalid-request");
    EXPECT_EQ(make_key(R"({"name":"x","scopes":["A B"]})").type, "invalid-request");
    EXPECT_EQ(make_key(R"({"name":"x","expires":"tomorrow"})").type, "invalid-request");
    EXPECT_EQ(make_key(R"({"name":"x","expires":"2020-01-01T00:00:00Z"})").type, "invalid-request");
    EXPECT_EQ(fixture.post("/v1/admin/tenants/nobody/keys", operator_token, R"({"name":"x"})").type,
              "not-found");
    EXPECT_EQ(keys_count(), 0u);
}

TEST_F(AdminRoutesTest, AreForOperatorsOnly) {
    for (const auto& route : admin_routes(parts)) {
        http::Request request{.method = route.method, .target = "/v1/admin/status"};
        if (route.pattern != "/v1/admin/status") request.target = "/v1/admin/tenants/campus/keys";
        if (route.method == http::Method::del) request.target += "/key_1";
        EXPECT_EQ(fixture.send(request).type, "token-missing") << route.name;
        request.headers.add("Authorization", "Bearer campus:u1:admin");
        EXPECT_EQ(fixture.send(request).type, "operators-only") << route.name;
    }
}

TEST_F(AdminRoutesTest, ArePermittedToKeysByScope) {
    std::set<std::string> scopes;
    auto routes = admin_routes(parts);
    for (const auto& route : routes)
        scopes.insert(route.access.scope);
    EXPECT_FALSE(scopes.contains("")) << "each route has a scope";
    scopes.insert("role:admin");
    for (const auto& route : routes) {
        auto target = std::regex_replace(route.pattern, std::regex("\\{[a-z_]+\\}"), "campus");
        http::Request request{.method = route.method, .target = target};
        for (const auto& scope : scopes) {
            request.headers.set("Authorization", "Bearer key:integreat-core:k1:" + scope);
            bool permitted = scope == route.access.scope || scope == "admin";
            EXPECT_EQ(fixture.send(request).type == "scope-missing", !permitted)
                << route.name << " " << scope;
        }
    }
}

TEST_F(AdminRoutesTest, ExplainsDenialsFromMemoryAndFromTheLog) {
    fixture.gateway.transaction_log = &log;
    auto refused = fixture.get("/v1/apps/campus/grades?token=hidden", "campus:u1:student");
    auto path = "/v1/admin/decisions/" + refused.context.id.text;
    auto kept = json(fixture.get(path, operator_token));
    EXPECT_EQ(kept["type"].as_string(), "role-missing");

    for (int i = 0; i < 2000; ++i)
        fixture.denial_log.add({.request_id = "req_" + std::to_string(i)});
    ASSERT_FALSE(fixture.denial_log.find(refused.context.id.text));
    ASSERT_TRUE(log.flush(std::chrono::seconds(10)));
    auto logged = json(fixture.get(path, operator_token));
    for (auto member : {"type", "stage", "rule", "facts", "caller", "path", "status"}) {
        EXPECT_TRUE(logged[member] == kept[member]) << member;  // The database keeps facts in its own order.
    }
    EXPECT_THAT(std::string(logged["explanation"].as_string()), HasSubstr("role = student"));
    EXPECT_EQ(fixture.get("/v1/admin/decisions/req_none", operator_token).type, "not-found");
}

TEST_F(AdminRoutesTest, LogsEachRequestOnceWithoutSecrets) {
    fixture.gateway.transaction_log = &log;
    http::Request request{.target = "/v1/apps/campus/me?token=hidden&x=1",
                          .headers = {{"Authorization", "Bearer campus:u1:student"}, {"Accept", "a/b"}}};
    auto response = fixture.send(request);
    ASSERT_TRUE(log.flush(std::chrono::seconds(10)));
    auto found = gateway::find_logged_request(pool, response.context.id.text, Monotonic::max());
    ASSERT_TRUE(found && *found);
    auto column = [&](std::string_view name) { return (**found).find(name).value_or("(null)"); };
    EXPECT_EQ(column("tenant"), "campus");
    EXPECT_EQ(column("principal"), "u1");
    EXPECT_EQ(column("role"), "student");
    EXPECT_EQ(column("destination"), "integreat-core");
    EXPECT_EQ(column("api_version"), "v1");
    EXPECT_EQ(column("url"), "/v1/apps/campus/me?token=[redacted]&x=1");
    EXPECT_EQ(column("status"), "200");
    EXPECT_THAT(column("request_headers"), HasSubstr("[redacted]"));
    EXPECT_THAT(column("request_headers"), ::testing::Not(HasSubstr("campus:u1")));
    EXPECT_EQ(column("response_body"), "(null)");
    EXPECT_EQ(column("decision"), "(null)");
}

TEST_F(AdminRoutesTest, ShowsTheStatusOfThePlatform) {
    auto status = json(fixture.get("/v1/admin/status", operator_token));
    EXPECT_EQ(status["apps"].as_array().size(), 2u);
    EXPECT_EQ(status["checks"].as_array().size(), 1u);
    EXPECT_TRUE(status["transaction_log"].as_object().contains("lost"));
}

}  // namespace
}  // namespace integreat::gateway
