// SPDX-License-Identifier: Apache-2.0
// Transactions whose server, connection or plan is lost while they run.
#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "postgres/testing/stopped_process.h"
#include "postgres/testing/test_databases.h"

namespace integreat::postgres {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::StartsWith;

struct PoolFaultTest : ::testing::Test {
    testing::TestDatabase database = testing::fresh_database();
    FixedClock clock;
    Pool owner{{.tenant = platform_tenant, .url = database.superuser_url, .max_connections = 2}, clock};
    Pool pool{settings(database), clock};

    static PoolSettings settings(const testing::TestDatabase& database) {
        auto chosen = database.pool;
        chosen.max_connections = 2;
        return chosen;
    }
    Monotonic in(milliseconds time) const { return clock.monotonic() + time; }
    void as_owner(const std::string& sql) {
        auto transaction = *owner.begin(platform_tenant);
        ASSERT_TRUE(transaction.script(sql));
        ASSERT_TRUE(transaction.commit());
    }
    std::int64_t count(const std::string& table) {
        return owner.run(platform_tenant, in(seconds(5)), "SELECT count(*) FROM " + table)->integer(0, 0);
    }
    pid_t backend_pid(Transaction& transaction) {
        return static_cast<pid_t>(transaction.execute("SELECT pg_backend_pid()")->integer(0, 0));
    }
};

milliseconds since(steady_clock::time_point start) {
    return std::chrono::duration_cast<milliseconds>(steady_clock::now() - start);
}

TEST_F(PoolFaultTest, StopsWaitingForAServerThatHangs) {
    auto transaction = *pool.begin(platform_tenant, in(milliseconds(300)));
    testing::StoppedProcess backend(backend_pid(transaction));
    auto start = steady_clock::now();
    auto timed_out = transaction.execute("SELECT 1");
    ASSERT_FALSE(timed_out);
    EXPECT_EQ(timed_out.error().fault, Fault::unavailable);
    EXPECT_LT(since(start), milliseconds(4'000));
    EXPECT_EQ(pool.counters().timeouts, 1u);
    // The connection is not used again.
    { auto gone = std::move(transaction); }
    EXPECT_EQ(pool.counters().open, 0);
    EXPECT_TRUE(pool.run(platform_tenant, in(seconds(5)), "SELECT 1"));
}

TEST_F(PoolFaultTest, ReportsThatTheOutcomeOfAnInterruptedCommitIsUnknown) {
    as_owner("CREATE TABLE things (id int); GRANT ALL ON things TO PUBLIC");
    {
        auto transaction = *pool.begin(platform_tenant, in(milliseconds(300)));
        ASSERT_TRUE(transaction.execute("INSERT INTO things VALUES (1)"));
        testing::StoppedProcess backend(backend_pid(transaction));
        auto timed_out = transaction.commit();
        ASSERT_FALSE(timed_out);
        EXPECT_EQ(timed_out.error().fault, Fault::unavailable);
        EXPECT_THAT(timed_out.error().cause, StartsWith("unknown: "));
    }
    auto again = pool.begin(platform_tenant);
    ASSERT_TRUE(again);
    auto backend = backend_pid(*again);
    ASSERT_TRUE(again->execute("INSERT INTO things VALUES (2)"));
    ASSERT_TRUE(owner.run(platform_tenant, in(seconds(5)), "SELECT pg_terminate_backend($1)",
                          {std::to_string(backend)}));
    auto lost = again->commit();
    ASSERT_FALSE(lost);
    EXPECT_THAT(lost.error().cause, StartsWith("unknown: "));
}

TEST_F(PoolFaultTest, RestartsWhenTheConnectionBreaksAtTheFirstStatement) {
    auto transaction = *pool.begin(platform_tenant, in(seconds(10)));
    std::thread cutter([&] {
        std::uint64_t cut = 0;
        while (cut == 0) {
            cut = owner
                      .run(platform_tenant, in(seconds(5)),
                           "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE "
                           "'%pg_sleep(0.3)' "
                           "AND pid <> pg_backend_pid() AND state = 'active'")
                      ->size();
        }
    });
    auto rows = transaction.execute("SELECT 42, pg_sleep(0.3)");
    cutter.join();
    ASSERT_TRUE(rows) << rows.error().cause;
    EXPECT_EQ(rows->integer(0, 0), 42);
    EXPECT_EQ(pool.counters().connects, 2u);
    EXPECT_TRUE(transaction.commit());
}

TEST_F(PoolFaultTest, FailsATransactionIfItsConnectionBreaks) {
    auto transaction = *pool.begin(platform_tenant);
    auto backend = backend_pid(transaction);
    ASSERT_TRUE(owner.run(platform_tenant, in(seconds(5)), "SELECT pg_terminate_backend($1)",
                          {std::to_string(backend)}));
    auto next = transaction.execute("SELECT 1");
    ASSERT_FALSE(next);
    EXPECT_EQ(next.error().fault, Fault::unavailable);
}

TEST_F(PoolFaultTest, WorksThroughAPoolerThatForgetsPreparedStatements) {
    constexpr std::string_view sql = "SELECT $1::int + 1";
    for (int i = 0; i < 2; ++i) {
        auto transaction = *pool.begin(platform_tenant);
        ASSERT_TRUE(transaction.execute(sql, {"1"}));
        // A pooler in transaction mode has the same effect when it switches sessions.
        ASSERT_TRUE(transaction.execute("DEALLOCATE ALL"));
        ASSERT_TRUE(transaction.commit());
        auto next = *pool.begin(platform_tenant);
        auto rows = next.execute(sql, {"41"});
        ASSERT_TRUE(rows) << rows.error().cause;
        EXPECT_EQ(rows->integer(0, 0), 42);
        ASSERT_TRUE(next.commit());
    }
    EXPECT_EQ(pool.run(platform_tenant, in(seconds(5)), sql, {"2"})->integer(0, 0), 3);
    // No statements are kept prepared from then on.
    EXPECT_EQ(pool.run(platform_tenant, in(seconds(5)), "SELECT count(*) FROM pg_prepared_statements")
                  ->integer(0, 0),
              0);
}

TEST_F(PoolFaultTest, PlansAgainAfterTheTableHasChanged) {
    as_owner("CREATE TABLE things (a int); INSERT INTO things VALUES (1); GRANT ALL ON things TO PUBLIC");
    constexpr std::string_view sql = "SELECT * FROM things";
    ASSERT_TRUE(pool.run(platform_tenant, in(seconds(5)), sql));
    as_owner("ALTER TABLE things ADD b int DEFAULT 7");
    auto rows = pool.run(platform_tenant, in(seconds(5)), sql);
    ASSERT_TRUE(rows) << rows.error().cause;
    EXPECT_EQ(rows->integer(0, 1), 7);
    as_owner("ALTER TABLE things ADD c int DEFAULT 8");
    auto transaction = *pool.begin(platform_tenant);
    rows = transaction.execute(sql);
    ASSERT_TRUE(rows) << rows.error().cause;
    EXPECT_EQ(rows->integer(0, 2), 8);
}

TEST_F(PoolFaultTest, LeavesNothingBehindForTheNextTransaction) {
    {
        auto one = *pool.begin(platform_tenant, in(milliseconds(700)));
        ASSERT_TRUE(one.execute("SELECT set_config('app.tenant_id', 'campus', true)"));
        ASSERT_TRUE(one.commit());
    }
    auto two = *pool.begin(platform_tenant, in(seconds(60)));
    auto rows = two.execute(
        "SELECT nullif(current_setting('app.tenant_id', true), ''), current_setting('statement_timeout')");
    ASSERT_TRUE(rows);
    EXPECT_TRUE(rows->is_null(0, 0));
    EXPECT_EQ(rows->text(0, 1), "9950ms");
    EXPECT_EQ(pool.counters().connects, 1u);
}

TEST_F(PoolFaultTest, ReportsAWrongPasswordAtOnceAndDoesNotQuoteIt) {
    auto wrong = database.pool;
    auto url = wrong.url.reveal();
    wrong.url = Secret(url.replace(url.find("secret"), 6, "guess!"));
    Pool stranger(wrong, clock);
    auto start = steady_clock::now();
    auto refused = stranger.begin(platform_tenant);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().cause, ::testing::HasSubstr("28P01"));
    EXPECT_THAT(refused.error().cause, ::testing::Not(::testing::HasSubstr("guess!")));
    EXPECT_LT(since(start), milliseconds(4'000));
    EXPECT_EQ(stranger.counters().open, 0);
}

TEST_F(PoolFaultTest, RejectsAnInvalidUrl) {
    Pool nowhere({.tenant = platform_tenant, .url = Secret("postgresql://u:hush@[bad")}, clock);
    auto refused = nowhere.begin(platform_tenant);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::invalid);
    EXPECT_THAT(refused.error().message, ::testing::HasSubstr("postgresql://user:password@host/database"));
    EXPECT_THAT(refused.error().cause + refused.error().message,
                ::testing::Not(::testing::HasSubstr("hush")));
}

TEST_F(PoolFaultTest, WaitsForAServerUntilItsDeadline) {
    Pool nowhere({.tenant = platform_tenant, .url = Secret("host=/nonexistent dbname=x user=y")}, clock);
    auto start = steady_clock::now();
    auto none = nowhere.begin(platform_tenant, in(milliseconds(300)));
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().fault, Fault::unavailable);
    EXPECT_GE(since(start), milliseconds(50));  // It tried more than once.
    EXPECT_LT(since(start), milliseconds(4'000));
}

TEST(ServerKilledTest, CallsEndInTimeAndSucceedAgainAfterTheRestart) {
    auto own = testing::start_test_server();
    auto database = testing::fresh_database(*own->server);
    FixedClock clock;
    Pool owner({.tenant = platform_tenant, .url = database.superuser_url}, clock);
    ASSERT_TRUE(
        owner.run(platform_tenant, Monotonic::max(), "CREATE TABLE public.things (id int PRIMARY KEY)"));
    ASSERT_TRUE(owner.run(platform_tenant, Monotonic::max(), "GRANT ALL ON public.things TO PUBLIC"));
    Pool pool(database.pool, clock);
    std::atomic<bool> stop{false};
    std::atomic<int> next{0}, accepted{0}, unknown{0}, slowest_ms{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            while (!stop) {
                auto start = steady_clock::now();
                auto until = clock.monotonic() + milliseconds(1'000);
                auto id = std::to_string(next++);
                auto done =
                    run_transaction(pool, platform_tenant, until, [&](Transaction& transaction) -> Result<> {
                        TRY(transaction.execute("INSERT INTO public.things VALUES ($1)", {id}));
                        return {};
                    });
                if (done) ++accepted;
                if (!done && done.error().cause.starts_with("unknown: ")) ++unknown;
                int elapsed_ms = static_cast<int>(since(start).count());
                for (int slowest = slowest_ms;
                     elapsed_ms > slowest && !slowest_ms.compare_exchange_weak(slowest, elapsed_ms);) {
                }
            }
        });
    }
    auto wait_for = [&](int more) {
        auto goal = accepted + more;
        auto until = steady_clock::now() + seconds(20);
        while (accepted < goal && steady_clock::now() < until)
            std::this_thread::yield();
        return accepted >= goal;
    };
    EXPECT_TRUE(wait_for(50));
    for (int times = 1; times <= 2; ++times) {
        kill(own->server->pid(), SIGKILL);
        while (own->server->restarts() < times)
            std::this_thread::yield();
        EXPECT_TRUE(wait_for(50));
    }
    stop = true;
    for (auto& thread : threads)
        thread.join();
    EXPECT_LT(slowest_ms, 4'000);
    auto stored =
        owner.run(platform_tenant, Monotonic::max(), "SELECT count(*) FROM public.things")->integer(0, 0);
    EXPECT_GE(stored, accepted);
    EXPECT_LE(stored, accepted + unknown);
    EXPECT_TRUE(own->server->healthy());
}

}  // namespace
}  // namespace integreat::postgres
