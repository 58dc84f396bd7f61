// SPDX-License-Identifier: Apache-2.0
#include "gateway/logging/transaction_log.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "postgres/testing/test_databases.h"

namespace integreat::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::EndsWith;
using ::testing::HasSubstr;

struct TransactionLogTest : ::testing::Test {
    postgres::testing::TestDatabase database = postgres::testing::fresh_database();
    FixedClock clock;
    FixedRandom random;
    postgres::Pool pool{database.pool, clock};
    TransactionLogSettings settings{.flush_interval = milliseconds(5)};
    std::unique_ptr<TransactionLog> writer;

    TransactionLog& make() {
        writer = std::make_unique<TransactionLog>(pool, clock, random, settings);
        return *writer;
    }
    LogRow row(std::string_view id) { return {.created = clock.now(), .request_id = id, .status = 200}; }
    std::int64_t query_number(std::string_view sql) {
        auto rows = pool.run(platform_tenant, Monotonic::max(), sql);
        if (!rows) ADD_FAILURE() << rows.error().cause;
        return rows ? rows->integer(0, 0) : -1;
    }
    std::int64_t stored() { return query_number("SELECT count(*) FROM integreat.transaction_log"); }
    LoggedRequest found(const std::string& id) {
        auto logged = find_logged_request(pool, id, Monotonic::max());
        if (!logged || !*logged) ADD_FAILURE() << id << " is not in the log";
        return logged && *logged ? **logged : LoggedRequest{};
    }
    void as_owner(const std::string& sql) {
        postgres::Pool owner({.tenant = platform_tenant, .url = database.superuser_url, .max_connections = 1},
                             clock);
        auto done = owner.run(platform_tenant, Monotonic::max(), sql);
        ASSERT_TRUE(done) << done.error().cause;
    }
};

const std::vector<std::pair<std::string, std::string>> every_column{
    {"trace_id", "trace"},
    {"tenant", "campus"},
    {"principal_kind", "user"},
    {"principal", "ada"},
    {"role", "student"},
    {"destination", "campus/portal"},
    {"api_version", "v1"},
    {"method", "POST"},
    {"route", "campus.portal"},
    {"url", "/v1/apps/campus/portal?q=\xC3\xA9"},
    {"request_headers", R"({"accept": "a/b", "x-twice": "1, 2"})"},
    {"request_body", "{}"},
    {"status", "403"},
    {"response_bytes", "5000000000"},
    {"response_body", "no"},
    {"duration_us", "1234"},
    {"upstream_us", "1000"},
    {"error_type", "role-required"},
    {"cause", "because"},
    {"decision", R"({"rule": "role registrar", "facts": {"role": "stu\"dent\n"}, "stage": "authorize"})"},
    {"client_ip", "192.0.2.7"},
    {"country", "PH"},
    {"region", "NCR"},
    {"city", "Quezon City"},
    {"zip", "1100"},
    {"latitude", "14.676"},
    {"longitude", "-121.0437"}};

TEST_F(TransactionLogTest, StoresEveryColumn) {
    std::array<LogField, 3> headers{{{"Accept", "a/b"}, {"X-Twice", "1"}, {"x-twice", "2"}}};
    std::array<LogField, 1> facts{{{"role", "stu\"dent\n"}}};
    auto full = row("req_1");
    full.trace_id = "trace";
    full.tenant = "campus";
    full.principal_kind = "user";
    full.principal = "ada";
    full.role = "student";
    full.destination = "campus/portal";
    full.api_version = "v1";
    full.method = "POST";
    full.route = "campus.portal";
    full.url = "/v1/apps/campus/portal?q=\xC3\xA9";
    full.request_headers = headers;
    full.request_body = "{}";
    full.status = 403;
    full.response_bytes = 5'000'000'000;
    full.response_body = "no";
    full.duration = std::chrono::microseconds(1'234);
    full.upstream_duration = std::chrono::microseconds(1'000);
    full.error_type = "role-required";
    full.cause = "because";
    full.decision_stage = "authorize";
    full.decision_rule = "role registrar";
    full.decision_facts = facts;
    full.client_ip = "192.0.2.7";
    full.country = "PH";
    full.region = "NCR";
    full.city = "Quezon City";
    full.zip = "1100";
    full.latitude = 14.676;
    full.longitude = -121.0437;
    auto& all = make();
    ASSERT_TRUE(all.append(full));
    ASSERT_TRUE(all.flush(seconds(10)));
    auto stored = found("req_1");
    EXPECT_EQ(stored.created, clock.now());
    for (const auto& [column, value] : every_column)
        EXPECT_EQ(stored.find(column), value) << column;
}

TEST_F(TransactionLogTest, StoresAnyBytesThatClientsSend) {
    std::string hostile("a\0b\xff\xC0\x80\xED\xA0\x80\xF4\x90\x80\x80\xC3", 15);
    std::array<LogField, 2> fields{{{hostile, hostile}, {"\x01", "\\u0000"}}};
    auto strange = row("req_1");
    strange.url = hostile;
    strange.request_headers = fields;
    strange.decision_stage = hostile;
    strange.decision_facts = fields;
    auto& all = make();
    ASSERT_TRUE(all.append(strange));
    ASSERT_TRUE(all.flush(seconds(10)));
    EXPECT_EQ(all.lost(), 0u);
    auto logged = found("req_1");
    EXPECT_THAT(*logged.find("url"), ::testing::StartsWith("a\xEF\xBF\xBD"
                                                           "b\xEF\xBF\xBD"));
    EXPECT_THAT(*logged.find("request_headers"), HasSubstr(R"(\\u0000)"));
}

TEST_F(TransactionLogTest, TruncatesLongTextsBetweenCharacters) {
    settings.text_limits = {.max_text_bytes = 4, .max_body_bytes = 8};
    auto long_one = row("id");
    long_one.url = "abc\xC3\xA9z";
    long_one.response_body = "123456789";
    auto& all = make();
    ASSERT_TRUE(all.append(long_one));
    ASSERT_TRUE(all.flush(seconds(10)));
    auto logged = found("id");
    EXPECT_EQ(logged.find("url"), "abc\xE2\x80\xA6");
    EXPECT_EQ(logged.find("response_body"), "12345678\xE2\x80\xA6");
    EXPECT_EQ(logged.find("cause"), std::nullopt);
}

TEST_F(TransactionLogTest, CountsRowsThatTheQueueCannotHold) {
    settings.max_queued_rows = 10;
    settings.flush_interval = seconds(60);
    auto& all = make();
    int accepted = 0;
    for (int i = 0; i < 25; ++i)
        accepted += all.append(row("req_" + std::to_string(i))) ? 1 : 0;
    EXPECT_EQ(accepted, 8) << "the rest is for other tenants";
    EXPECT_EQ(all.lost(), 17u);
    ASSERT_TRUE(all.flush(seconds(10)));
    EXPECT_EQ(stored(), 8);
    EXPECT_EQ(all.written(), 8u);
    EXPECT_EQ(all.queued(), 0u);
    EXPECT_TRUE(all.append(row("after")));
}

TEST_F(TransactionLogTest, LimitsTheBytesOfTheQueue) {
    settings.max_queued_bytes = 4'000;
    settings.flush_interval = seconds(60);
    auto& all = make();
    std::string body(1'000, 'b');
    auto large = row("large");
    large.response_body = body;
    int accepted = 0;
    for (int i = 0; i < 5; ++i)
        accepted += all.append(large) ? 1 : 0;
    EXPECT_EQ(accepted, 2);
    EXPECT_EQ(all.lost(), 3u);
    ASSERT_TRUE(all.flush(seconds(10)));
    EXPECT_EQ(stored(), 2);
}

TEST_F(TransactionLogTest, KeepsTheRowsOfOtherTenantsDuringAFlood) {
    settings.max_queued_rows = 160;
    settings.flush_interval = seconds(60);
    auto& all = make();
    auto append = [&](const char* tenant, int count) {
        int accepted = 0;
        for (int i = 0; i < count; ++i) {
            auto one = row("req");
            one.tenant = tenant;
            accepted += all.append(one) ? 1 : 0;
        }
        return accepted;
    };
    EXPECT_EQ(append("campus", 1'000), 120);
    EXPECT_EQ(append("teleo", 10), 10);
    EXPECT_EQ(append("pillars", 20), 10) << "its share of the reserve";
    ASSERT_TRUE(all.flush(seconds(10)));
    EXPECT_EQ(query_number("SELECT count(*) FROM integreat.transaction_log WHERE tenant = 'teleo'"), 10);
    EXPECT_EQ(stored(), 140);
    EXPECT_EQ(all.lost(), 890u);
    EXPECT_EQ(append("campus", 1), 1) << "stored rows leave the queue";
}

TEST_F(TransactionLogTest, SamplesRequestsWithoutARouteAboveTheLimit) {
    settings.max_unrouted_rows_per_second = 100;
    auto& all = make();
    auto sample = [&](int count) {
        int rows = 0;
        for (int i = 0; i < count; ++i)
            rows += all.sample_unrouted(clock.now()) ? 1 : 0;
        return rows;
    };
    EXPECT_EQ(sample(100), 100);
    EXPECT_EQ(sample(9'900), 99);
    EXPECT_EQ(all.sampled(), 9'801u);
    clock.advance(seconds(1));
    EXPECT_EQ(sample(101), 100);
}

TEST_F(TransactionLogTest, LosesOnlyTheRowsThatTheDatabaseRejects) {
    as_owner("ALTER TABLE integreat.transaction_log ADD CHECK (method <> 'BAD')");
    settings.flush_interval = seconds(60);
    auto& all = make();
    for (int i = 0; i < 20; ++i) {
        auto id = "req_" + std::to_string(i);
        auto one = row(id);
        one.method = i == 7 || i == 13 ? "BAD" : "GET";
        ASSERT_TRUE(all.append(one));
    }
    ASSERT_TRUE(all.flush(seconds(20)));
    EXPECT_EQ(stored(), 18);
    EXPECT_EQ(all.written(), 18u);
    EXPECT_EQ(all.lost(), 2u);
}

TEST_F(TransactionLogTest, NeitherLosesNorDuplicatesRowsWhenConnectionsBreak) {
    auto& all = make();
    std::atomic<bool> done{false};
    std::thread cutter([&] {
        postgres::Pool owner({.tenant = platform_tenant, .url = database.superuser_url}, clock);
        while (!done) {
            auto cut = owner.run(platform_tenant, Monotonic::max(),
                                 "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                                 "WHERE datname = current_database() AND pid <> pg_backend_pid()");
            std::this_thread::yield();
        }
    });
    constexpr int rows = 2'000;
    for (int i = 0; i < rows; ++i) {
        ASSERT_TRUE(all.append(row("req_" + std::to_string(i))));
        if (i % 50 == 0) all.flush(milliseconds(20));
    }
    done = true;
    cutter.join();
    ASSERT_TRUE(all.flush(seconds(30)));
    EXPECT_EQ(all.lost(), 0u);
    EXPECT_EQ(all.written(), static_cast<std::uint64_t>(rows));
    EXPECT_EQ(stored(), rows);
    EXPECT_EQ(query_number("SELECT count(DISTINCT request_id) FROM integreat.transaction_log"), rows);
}

TEST_F(TransactionLogTest, CreatesPartitionsAheadAndDropsOldOnes) {
    auto days = [&] {
        return query_number(
            "SELECT count(*) FROM pg_inherits WHERE inhparent = 'integreat.transaction_log'::regclass");
    };
    settings.retention_days = 1;
    auto& all = make();
    ASSERT_TRUE(all.append(row("old")));
    ASSERT_TRUE(all.flush(seconds(10)));
    EXPECT_EQ(days(), 3);
    clock.advance(std::chrono::days(4));
    ASSERT_TRUE(all.flush(seconds(10)));
    ASSERT_TRUE(all.append(row("new")));
    ASSERT_TRUE(all.flush(seconds(10)));
    EXPECT_EQ(days(), 3);
    EXPECT_EQ(stored(), 1);
    EXPECT_FALSE(*find_logged_request(pool, "old", Monotonic::max()));
}

TEST_F(TransactionLogTest, CreatesADroppedPartitionAgain) {
    auto& all = make();
    ASSERT_TRUE(all.flush(seconds(10)));
    as_owner("SELECT integreat.drop_transaction_log('2100-01-01')");
    ASSERT_TRUE(all.append(row("req_1")));
    ASSERT_TRUE(all.flush(seconds(10)));
    EXPECT_EQ(stored(), 1);
    EXPECT_EQ(all.lost(), 0u);
}

TEST_F(TransactionLogTest, WritesQueuedRowsOnDestruction) {
    settings.flush_interval = seconds(60);
    for (int i = 0; i < 100; ++i) {
        if (!writer) make();
        ASSERT_TRUE(writer->append(row("req_" + std::to_string(i))));
    }
    writer.reset();
    EXPECT_EQ(stored(), 100);
}

TEST_F(TransactionLogTest, TheServingRoleCanNeitherChangeNorDeleteRows) {
    auto& all = make();
    ASSERT_TRUE(all.append(row("req_1")));
    ASSERT_TRUE(all.flush(seconds(10)));
    for (auto sql :
         {"UPDATE integreat.transaction_log SET status = 200", "DELETE FROM integreat.transaction_log",
          "TRUNCATE integreat.transaction_log", "DROP TABLE integreat.transaction_log"}) {
        auto refused = pool.run(platform_tenant, Monotonic::max(), sql);
        ASSERT_FALSE(refused) << sql;
        EXPECT_THAT(refused.error().cause, ::testing::StartsWith("42501")) << sql;
    }
}

}  // namespace
}  // namespace integreat::gateway
