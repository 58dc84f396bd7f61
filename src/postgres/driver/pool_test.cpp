// SPDX-License-Identifier: Apache-2.0
#include "postgres/driver/pool.h"

#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "postgres/testing/test_databases.h"

namespace integreat::postgres {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct PoolTest : ::testing::Test {
    testing::TestDatabase database = testing::fresh_database();
    FixedClock clock;
    std::unique_ptr<Pool> pool;

    Pool& make(int max_connections = 4, milliseconds statement_timeout = milliseconds(5'000)) {
        auto settings = database.pool;
        settings.max_connections = max_connections;
        settings.acquire_timeout = milliseconds(100);
        settings.statement_timeout = statement_timeout;
        pool = std::make_unique<Pool>(settings, clock);
        return *pool;
    }

    // Creates a table that the login role may use; that role owns nothing itself.
    void make_table(const std::string& definition) {
        Pool owner({.tenant = platform_tenant, .url = database.superuser_url, .max_connections = 1}, clock);
        auto transaction = *owner.begin(platform_tenant);
        ASSERT_TRUE(transaction.script(definition + "; GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC"));
        ASSERT_TRUE(transaction.commit());
    }
};

milliseconds elapsed_since(steady_clock::time_point start) {
    return std::chrono::duration_cast<milliseconds>(steady_clock::now() - start);
}

TEST_F(PoolTest, KeepsCommittedChangesOnly) {
    make_table("CREATE TABLE things (id int PRIMARY KEY, name text)");
    auto& all = make();
    {
        auto kept = *all.begin(platform_tenant);
        auto written = kept.execute("INSERT INTO things VALUES ($1, $2)", {"1", "kept"});
        ASSERT_TRUE(written) << written.error().cause;
        EXPECT_EQ(written->affected(), 1u);
        ASSERT_TRUE(kept.commit());
        auto dropped = *all.begin(platform_tenant);
        ASSERT_TRUE(dropped.execute("INSERT INTO things VALUES ($1, $2)", {"2", std::nullopt}));
    }
    auto rows = all.run(platform_tenant, Monotonic::max(), "SELECT id, name FROM things");
    ASSERT_TRUE(rows);
    ASSERT_EQ(rows->size(), 1u);
    EXPECT_EQ(rows->integer(0, 0), 1);
    EXPECT_EQ(rows->text(0, 1), "kept");
    EXPECT_EQ(all.counters().open, 1);
    EXPECT_EQ(all.counters().in_use, 0);
}

TEST_F(PoolTest, RoundTripsBytesAndNulls) {
    std::string bytes;
    for (int i = 0; i < 256; ++i)
        bytes += static_cast<char>(i);
    auto rows = make().run(platform_tenant, Monotonic::max(), "SELECT $1::bytea, $2::text, true, $3::bytea",
                           {bytea(bytes), std::nullopt, bytea("")});
    ASSERT_TRUE(rows) << rows.error().cause;
    EXPECT_EQ(rows->bytes(0, 0), bytes);
    EXPECT_TRUE(rows->is_null(0, 1));
    EXPECT_EQ(rows->value(0, 1), std::nullopt);
    EXPECT_TRUE(rows->boolean(0, 2));
    EXPECT_EQ(rows->bytes(0, 3), "");
}

TEST_F(PoolTest, RejectsTextThatPostgresCannotStore) {
    auto& all = make();
    auto nul = all.run(platform_tenant, Monotonic::max(), "SELECT $1::text", {std::string("a\0b", 3)});
    ASSERT_FALSE(nul);
    EXPECT_EQ(nul.error().fault, Fault::invalid);
    auto broken = all.run(platform_tenant, Monotonic::max(), "SELECT $1::text", {"\xff\xfe"});
    ASSERT_FALSE(broken);
    EXPECT_EQ(broken.error().fault, Fault::invalid);
    EXPECT_THAT(broken.error().cause, StartsWith("22021"));
}

TEST_F(PoolTest, DistinguishesConflictsFromBugs) {
    make_table("CREATE TABLE things (id int PRIMARY KEY)");
    auto& all = make();
    auto transaction = *all.begin(platform_tenant);
    ASSERT_TRUE(transaction.execute("INSERT INTO things VALUES (1)"));
    auto twice = transaction.execute("INSERT INTO things VALUES (1)");
    ASSERT_FALSE(twice);
    EXPECT_EQ(twice.error().fault, Fault::conflict);
    EXPECT_THAT(twice.error().cause, HasSubstr("things_pkey"));
    EXPECT_FALSE(transaction.execute("SELECT 1"));
    EXPECT_FALSE(transaction.commit());
    auto wrong = all.run(platform_tenant, Monotonic::max(), "SELEC 1");
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().fault, Fault::internal);
    EXPECT_THAT(wrong.error().cause, StartsWith("42601"));
}

TEST_F(PoolTest, EndsEachWaitAtTheDeadline) {
    auto& all = make();
    ASSERT_TRUE(all.run(platform_tenant, Monotonic::max(), "SELECT 1"));
    auto start = steady_clock::now();
    auto slow = all.run(platform_tenant, clock.monotonic() + milliseconds(200), "SELECT pg_sleep(20)");
    ASSERT_FALSE(slow);
    EXPECT_EQ(slow.error().fault, Fault::unavailable);
    EXPECT_THAT(slow.error().cause, StartsWith("57014"));  // The server's own end, so the connection lives.
    EXPECT_LT(elapsed_since(start), milliseconds(4'000));
    EXPECT_EQ(all.counters().open, 1);
    EXPECT_EQ(all.counters().reconnects, 0u);
}

TEST_F(PoolTest, LimitsAStatementWithoutADeadline) {
    auto& all = make(1, milliseconds(200));
    auto transaction = *all.begin(platform_tenant);
    ASSERT_TRUE(transaction.execute("SELECT 1"));
    auto start = steady_clock::now();
    EXPECT_FALSE(transaction.execute("SELECT pg_sleep(20)"));
    EXPECT_LT(elapsed_since(start), milliseconds(4'000));
}

TEST_F(PoolTest, ReportsThatAllConnectionsAreInUse) {
    auto& all = make(2);
    auto one = *all.begin(platform_tenant);
    auto two = all.begin(platform_tenant);
    auto start = steady_clock::now();
    auto three = all.begin(platform_tenant);
    ASSERT_FALSE(three);
    EXPECT_EQ(three.error().fault, Fault::unavailable);
    EXPECT_THAT(three.error().message, HasSubstr("busy"));
    EXPECT_LT(elapsed_since(start), milliseconds(4'000));
    EXPECT_EQ(all.counters().waits, 1u);
    EXPECT_EQ(all.counters().timeouts, 1u);
    EXPECT_EQ(all.counters().in_use, 2);
}

TEST_F(PoolTest, HandsAReleasedConnectionToAWaitingCaller) {
    auto& all = make(1);
    auto one = std::make_unique<Transaction>(*all.begin(platform_tenant));
    std::atomic<bool> over = false;
    std::thread other([&] {
        while (all.counters().waiting == 0 && !over)
            std::this_thread::yield();
        one.reset();
    });
    auto two = all.begin(platform_tenant);
    over = true;
    other.join();
    ASSERT_TRUE(two);
    EXPECT_TRUE(two->execute("SELECT 1"));
}

TEST_F(PoolTest, RetriesATransactionWhenTheServerAsksForIt) {
    make_table("CREATE TABLE counters (n int); INSERT INTO counters VALUES (0)");
    auto& all = make();
    int runs = 0;
    auto add = [&](Transaction& transaction) -> Result<> {
        TRY(transaction.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"));
        auto rows = TRY(transaction.execute("SELECT n FROM counters"));
        if (++runs == 1) {  // A concurrent transaction commits first.
            TRY(all.run(platform_tenant, Monotonic::max(), "UPDATE counters SET n = n + 1"));
        }
        TRY(transaction.execute("UPDATE counters SET n = $1", {std::to_string(rows.integer(0, 0) + 1)}));
        return {};
    };
    auto done = run_transaction(all, platform_tenant, Monotonic::max(), add);
    ASSERT_TRUE(done) << done.error().cause;
    EXPECT_EQ(runs, 2);
    EXPECT_EQ(all.run(platform_tenant, Monotonic::max(), "SELECT n FROM counters")->integer(0, 0), 2);
}

}  // namespace
}  // namespace integreat::postgres
