// SPDX-License-Identifier: Apache-2.0
// Asynchronous queries: their results, and that neither a failure nor a cancelled query leaks data from one
// caller to another.
#include "postgres/driver/completion_queue.h"

#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include "postgres/driver/connection.h"
#include "postgres/testing/role_context_fixture.h"
#include "postgres/testing/stopped_process.h"

namespace integreat::postgres {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr milliseconds wait_max{10'000};

struct CompletionQueueTest : testing::RoleContextFixture {
    std::unique_ptr<CompletionQueue> queue = std::make_unique<CompletionQueue>();
    std::vector<QueryResult> results;

    // Opens a connection: queues open none.
    void open_connection() { ASSERT_TRUE(pool->run(tenant, Monotonic::max(), "SELECT 1")); }

    CompletionHandler append_result() {
        return [this](QueryResult result) { results.push_back(std::move(result)); };
    }
    bool start(const std::string& uid, std::string_view sql, Monotonic deadline = Monotonic::max(),
               std::vector<Value> parameters = {}) {
        return pool->query_async(*queue, tenant, {reader, uid, "req_" + uid}, deadline, sql, parameters,
                                 append_result());
    }
    // Runs the queue like an I/O thread until `count` handlers were called.
    void wait_for(std::size_t count, bool expires = true) {
        auto until = steady_clock::now() + wait_max;
        while (results.size() < count && steady_clock::now() < until) {
            pollfd watched{queue->descriptor(), POLLIN, 0};
            poll(&watched, 1, 20);
            queue->advance();
            if (expires) queue->expire();
        }
        ASSERT_EQ(results.size(), count);
    }
};

TEST_F(CompletionQueueTest, RunsAsTheCallerAndLeavesNothingBehind) {
    open_connection();
    for (std::string uid : {"ana", "ben", "ana"}) {
        results.clear();
        ASSERT_TRUE(start(uid, session_identity_sql));
        EXPECT_EQ(pool->counters().in_use, 1);
        wait_for(1);
        ASSERT_TRUE(results[0].rows) << results[0].rows.error().cause;
        EXPECT_EQ(results[0].rows->text(0, 0), reader);
        EXPECT_EQ(results[0].rows->text(0, 1), uid);
        EXPECT_EQ(results[0].rows->text(0, 2), "req_" + uid);
        EXPECT_EQ(pool->counters().in_use, 0);
        expect_login_role();
    }
    EXPECT_EQ(pool->counters().connects, 1u);
}

TEST_F(CompletionQueueTest, DeliversTheResultsOfConcurrentQueriesToTheirHandlers) {
    make_pool(4);
    std::vector<Transaction> held;
    for (int i = 0; i < 4; ++i) {
        held.push_back(*pool->begin(tenant));
        ASSERT_TRUE(held.back().execute("SELECT 1"));
    }
    for (auto& transaction : held)
        ASSERT_TRUE(transaction.commit());
    for (int i = 0; i < 4; ++i)
        ASSERT_TRUE(start(std::to_string(i), "SELECT integreat.uid(), pg_sleep(0.01)"));
    EXPECT_EQ(queue->in_flight(), 4u);
    wait_for(4);
    std::set<std::string> uids;
    for (const auto& result : results)
        uids.emplace(result.rows->text(0, 0));
    EXPECT_THAT(uids, ::testing::ElementsAre("0", "1", "2", "3"));
}

TEST_F(CompletionQueueTest, TransfersQueriesAndResultsThatExceedTheSocketBuffers) {
    open_connection();
    std::string large(3'000'000, 'x');
    ASSERT_TRUE(start("ana", "SELECT $1::text || integreat.uid()", Monotonic::max(), {large}));
    wait_for(1);
    ASSERT_TRUE(results[0].rows) << results[0].rows.error().cause;
    EXPECT_EQ(results[0].rows->text(0, 0).size(), large.size() + 3);
    EXPECT_GT(results[0].rows->memory(), large.size());
    ASSERT_TRUE(start("ben", "SELECT integreat.uid()"));
    wait_for(2);
    EXPECT_EQ(results[1].rows->text(0, 0), "ben");
}

TEST_F(CompletionQueueTest, StartsNothingWithoutAnIdleConnection) {
    EXPECT_FALSE(start("ana", session_identity_sql)) << "no connection is open yet";
    open_connection();
    {
        auto held = *pool->begin(tenant);
        EXPECT_FALSE(start("ana", session_identity_sql)) << "the connection is in use";
    }
    EXPECT_FALSE(start("ana", "SELECT $1::text", Monotonic::max(), {std::string("a\0b", 3)}))
        << "query_as reports the error";
    EXPECT_FALSE(start("ana", session_identity_sql, clock.monotonic())) << "the deadline has passed";
    ASSERT_TRUE(start("ana", session_identity_sql));
    EXPECT_FALSE(start("ben", session_identity_sql)) << "ana's query uses the connection";
    wait_for(1);
    EXPECT_EQ(results[0].rows->text(0, 1), "ana");
    EXPECT_EQ(pool->counters().open, 1);
}

TEST_F(CompletionQueueTest, ReportsAServerErrorAndKeepsTheConnection) {
    open_connection();
    ASSERT_TRUE(start("ana", "INSERT INTO integreat.things VALUES (11)"));
    wait_for(1);
    ASSERT_FALSE(results[0].rows);
    EXPECT_EQ(results[0].server_error.sqlstate, "23514");
    EXPECT_EQ(results[0].server_error.constraint, "small");
    EXPECT_FALSE(results[0].should_retry);
    expect_login_role();
    EXPECT_EQ(pool->counters().connects, 1u);
}

TEST_F(CompletionQueueTest, AsksForARetryWhenThePlanIsLost) {
    open_connection();
    ASSERT_TRUE(start("ana", session_identity_sql));
    wait_for(1);
    ASSERT_TRUE(pool->run(tenant, Monotonic::max(), "DEALLOCATE ALL"));
    ASSERT_TRUE(start("ana", session_identity_sql));
    wait_for(2);
    ASSERT_FALSE(results[1].rows);
    EXPECT_TRUE(results[1].should_retry);
    auto again = pool->query_as(tenant, {reader, "ana", "r"}, Monotonic::max(), session_identity_sql, {});
    EXPECT_TRUE(again) << again.error().cause;
}

TEST_F(CompletionQueueTest, ReportsALostConnectionAndReplacesIt) {
    open_connection();
    ASSERT_TRUE(start("ana", "SELECT pg_sleep(30)"));
    owner("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '" + database.role +
          "' AND datname = current_database()");
    wait_for(1);
    ASSERT_FALSE(results[0].rows);
    EXPECT_EQ(results[0].rows.error().fault, Fault::unavailable);
    EXPECT_THAT(results[0].rows.error().cause, StartsWith("unknown: "));
    EXPECT_EQ(pool->counters().open, 0);
    EXPECT_EQ(pool->counters().reconnects, 1u);
    open_connection();
    ASSERT_TRUE(start("ben", session_identity_sql));
    wait_for(2);
    EXPECT_EQ(results[1].rows->text(0, 1), "ben");
}

TEST_F(CompletionQueueTest, DoesNotUseAConnectionThatWasLostWhileIdle) {
    open_connection();
    ASSERT_TRUE(start("ana", session_identity_sql));
    wait_for(1);
    owner("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '" + database.role +
          "' AND datname = current_database()");
    // The queue becomes ready once, and not again.
    pollfd watched{queue->descriptor(), POLLIN, 0};
    ASSERT_EQ(poll(&watched, 1, static_cast<int>(wait_max.count())), 1);
    queue->advance();
    EXPECT_EQ(poll(&watched, 1, 0), 0);
    auto until = steady_clock::now() +
                 milliseconds(15);  // Longer than a connection is trusted without examining its socket.
    while (steady_clock::now() < until)
        std::this_thread::yield();
    EXPECT_FALSE(start("ben", session_identity_sql));
    open_connection();
    ASSERT_TRUE(start("ben", session_identity_sql));
    wait_for(2);
    EXPECT_EQ(results[1].rows->text(0, 1), "ben");
}

TEST_F(CompletionQueueTest, TheServerEndsAQueryAtItsDeadline) {
    open_connection();
    ASSERT_TRUE(start("ana", "SELECT pg_sleep(30)", clock.monotonic() + milliseconds(200)));
    wait_for(1, false);
    ASSERT_FALSE(results[0].rows);
    EXPECT_EQ(results[0].rows.error().fault, Fault::unavailable);
    EXPECT_EQ(results[0].server_error.sqlstate, "57014");
    expect_login_role();
    EXPECT_EQ(pool->counters().connects, 1u);
}

TEST_F(CompletionQueueTest, ExpiresAQueryOfAServerThatHangs) {
    open_connection();
    ASSERT_TRUE(start("ana", session_identity_sql));
    wait_for(1);
    testing::StoppedProcess backend(static_cast<pid_t>(results[0].rows->integer(0, 3)));
    ASSERT_TRUE(start("ana", session_identity_sql, clock.monotonic() + milliseconds(100)));
    wait_for(2);
    ASSERT_FALSE(results[1].rows);
    EXPECT_EQ(results[1].rows.error().fault, Fault::unavailable);
    EXPECT_THAT(results[1].rows.error().cause, HasSubstr("no response"));
    EXPECT_EQ(pool->counters().timeouts, 1u);
    EXPECT_EQ(pool->counters().open, 0) << "its late response must not reach another caller";
    open_connection();
    ASSERT_TRUE(start("ben", session_identity_sql));
    wait_for(3);
    EXPECT_EQ(results[2].rows->text(0, 1), "ben");
}

TEST_F(CompletionQueueTest, SharesConnectionsWithOtherQueuesAndBlockingCallers) {
    open_connection();
    CompletionQueue other;
    for (int round = 0; round < 5; ++round) {
        ASSERT_TRUE(start("ana", session_identity_sql));
        wait_for(results.size() + 1);
        expect_login_role();  // Blocks: the queue is notified of a response that is not its own.
        queue->advance();
        std::optional<QueryResult> received;
        ASSERT_TRUE(pool->query_async(other, tenant, {reader, "ben", "r"}, Monotonic::max(),
                                      session_identity_sql, {},
                                      [&](QueryResult result) { received = std::move(result); }));
        auto until = steady_clock::now() + wait_max;
        while (!received && steady_clock::now() < until) {
            queue->advance();
            other.advance();
        }
        ASSERT_TRUE(received && received->rows);
        EXPECT_EQ(received->rows->text(0, 1), "ben");
        EXPECT_EQ(results.back().rows->text(0, 1), "ana");
    }
    EXPECT_EQ(pool->counters().connects, 1u);
}

TEST_F(CompletionQueueTest, LetsBlockedCallersGoFirst) {
    open_connection();
    auto held = std::make_unique<Transaction>(*pool->begin(tenant));
    ASSERT_TRUE(held->execute("SELECT 1"));
    std::thread waiting([&] { EXPECT_TRUE(pool->run(tenant, Monotonic::max(), "SELECT pg_sleep(0.05)")); });
    while (pool->counters().waiting == 0)
        std::this_thread::yield();
    held.reset();
    // The blocked caller has the connection, or is about to get it.
    EXPECT_FALSE(start("ana", session_identity_sql));
    waiting.join();
}

TEST_F(CompletionQueueTest, ClosesTheConnectionsOfCancelledQueries) {
    make_pool(2);
    {
        auto one = *pool->begin(tenant);
        open_connection();
    }
    ASSERT_TRUE(start("ana", "SELECT pg_sleep(30)"));
    ASSERT_TRUE(start("ben", "SELECT pg_sleep(30)"));
    queue->cancel_all();
    ASSERT_EQ(results.size(), 2u);
    EXPECT_FALSE(results[0].rows);
    EXPECT_EQ(pool->counters().open, 0);
    open_connection();
    ASSERT_TRUE(start("ana", "SELECT pg_sleep(30)"));
    queue.reset();
    EXPECT_EQ(results.size(), 2u) << "a destroyed queue calls no handlers";
    EXPECT_EQ(pool->counters().open, 0);
}

TEST_F(CompletionQueueTest, AHandlerMayStartTheNextQuery) {
    open_connection();
    int rounds = 0;
    std::function<void(QueryResult)> next = [&](QueryResult result) {
        ASSERT_TRUE(result.rows);
        EXPECT_EQ(result.rows->text(0, 0), std::to_string(rounds));
        if (++rounds == 20) return results.push_back(std::move(result));
        ASSERT_TRUE(pool->query_async(*queue, tenant, {reader, std::to_string(rounds), "r"}, Monotonic::max(),
                                      "SELECT integreat.uid()", {}, next));
    };
    ASSERT_TRUE(pool->query_async(*queue, tenant, {reader, "0", "r"}, Monotonic::max(),
                                  "SELECT integreat.uid()", {}, next));
    wait_for(1);
    EXPECT_EQ(rounds, 20);
}

}  // namespace
}  // namespace integreat::postgres
