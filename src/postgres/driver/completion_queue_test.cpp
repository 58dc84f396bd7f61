// SPDX-License-Identifier: Apache-2.0
// Statements that somebody waits for without standing still: their outcomes, and that neither a failure nor
// a caller who leaves lets anything of one caller come to another.
#include "postgres/driver/completion_queue.h"

#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>

#include "postgres/driver/connection.h"
#include "postgres/testing/role_context_fixture.h"

namespace integreat::postgres {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr milliseconds patience{10'000};

struct LaneTest : testing::ActingFixture {
    std::unique_ptr<Lane> lane = std::make_unique<Lane>();
    std::vector<Outcome> outcomes;

    // A connection has to be there: lanes open none.
    void warm() { ASSERT_TRUE(pool->run(tenant, Monotonic::max(), "SELECT 1")); }

    Told keep() {
        return [this](Outcome outcome) { outcomes.push_back(std::move(outcome)); };
    }
    bool begin(const std::string& uid, std::string_view sql, Monotonic deadline = Monotonic::max(),
               std::vector<Value> parameters = {}) {
        return pool->begin_as(*lane, tenant, {reader, uid, "req_" + uid}, deadline, sql, parameters, keep());
    }
    // As an I/O thread does, until so many were told.
    void wait_for(std::size_t count, bool until_late = true) {
        auto until = steady_clock::now() + patience;
        while (outcomes.size() < count && steady_clock::now() < until) {
            pollfd watched{lane->descriptor(), POLLIN, 0};
            poll(&watched, 1, 20);
            lane->advance();
            if (until_late) lane->expire();
        }
        ASSERT_EQ(outcomes.size(), count);
    }
};

// A process that stands still while this lives.
struct Stopped {
    explicit Stopped(pid_t chosen) : pid(chosen) { kill(pid, SIGSTOP); }
    ~Stopped() { kill(pid, SIGCONT); }
    pid_t pid;
};

TEST_F(LaneTest, RowsComeInTheCallersNameAndNothingOfItStays) {
    warm();
    for (std::string uid : {"ana", "ben", "ana"}) {
        outcomes.clear();
        ASSERT_TRUE(begin(uid, who));
        EXPECT_EQ(pool->counters().in_use, 1);
        wait_for(1);
        ASSERT_TRUE(outcomes[0].rows) << outcomes[0].rows.error().cause;
        EXPECT_EQ(outcomes[0].rows->text(0, 0), reader);
        EXPECT_EQ(outcomes[0].rows->text(0, 1), uid);
        EXPECT_EQ(outcomes[0].rows->text(0, 2), "req_" + uid);
        EXPECT_EQ(pool->counters().in_use, 0);
        expect_nobody();
    }
    EXPECT_EQ(pool->counters().connects, 1u);
}

TEST_F(LaneTest, ManyAreUnderWayAtOnceAndEachGetsItsOwnRows) {
    make_pool(4);
    std::vector<Transaction> held;
    for (int i = 0; i < 4; ++i) {
        held.push_back(*pool->begin(tenant));
        ASSERT_TRUE(held.back().execute("SELECT 1"));
    }
    for (auto& one : held)
        ASSERT_TRUE(one.commit());
    for (int i = 0; i < 4; ++i)
        ASSERT_TRUE(begin(std::to_string(i), "SELECT integreat.uid(), pg_sleep(0.01)"));
    EXPECT_EQ(lane->under_way(), 4u);
    wait_for(4);
    std::set<std::string> seen;
    for (const auto& outcome : outcomes)
        seen.emplace(outcome.rows->text(0, 0));
    EXPECT_THAT(seen, ::testing::ElementsAre("0", "1", "2", "3"));
}

TEST_F(LaneTest, WhatIsTooLargeForOneWriteOrOneReadIsWhole) {
    warm();
    std::string large(3'000'000, 'x');
    ASSERT_TRUE(begin("ana", "SELECT $1::text || integreat.uid()", Monotonic::max(), {large}));
    wait_for(1);
    ASSERT_TRUE(outcomes[0].rows) << outcomes[0].rows.error().cause;
    EXPECT_EQ(outcomes[0].rows->text(0, 0).size(), large.size() + 3);
    EXPECT_GT(outcomes[0].rows->memory(), large.size());
    ASSERT_TRUE(begin("ben", "SELECT integreat.uid()"));
    wait_for(2);
    EXPECT_EQ(outcomes[1].rows->text(0, 0), "ben");
}

TEST_F(LaneTest, BeginsNothingWithoutAFreeConnection) {
    EXPECT_FALSE(begin("ana", who)) << "none is open yet";
    warm();
    {
        auto held = *pool->begin(tenant);
        EXPECT_FALSE(begin("ana", who)) << "it is in use";
    }
    EXPECT_FALSE(begin("ana", "SELECT $1::text", Monotonic::max(), {std::string("a\0b", 3)}))
        << "the reason is told where it can be waited for";
    EXPECT_FALSE(begin("ana", who, clock.monotonic())) << "its time is over";
    ASSERT_TRUE(begin("ana", who));
    EXPECT_FALSE(begin("ben", who)) << "ana has it";
    wait_for(1);
    EXPECT_EQ(outcomes[0].rows->text(0, 1), "ana");
    EXPECT_EQ(pool->counters().open, 1);
}

TEST_F(LaneTest, ARefusalIsToldAndTheConnectionIsStillGood) {
    warm();
    ASSERT_TRUE(begin("ana", "INSERT INTO integreat.things VALUES (11)"));
    wait_for(1);
    ASSERT_FALSE(outcomes[0].rows);
    EXPECT_EQ(outcomes[0].refusal.state, "23514");
    EXPECT_EQ(outcomes[0].refusal.constraint, "small");
    EXPECT_FALSE(outcomes[0].should_run_again);
    expect_nobody();
    EXPECT_EQ(pool->counters().connects, 1u);
}

TEST_F(LaneTest, APlanThatIsGoneIsRunAgainElsewhere) {
    warm();
    ASSERT_TRUE(begin("ana", who));
    wait_for(1);
    ASSERT_TRUE(pool->run(tenant, Monotonic::max(), "DEALLOCATE ALL"));
    ASSERT_TRUE(begin("ana", who));
    wait_for(2);
    ASSERT_FALSE(outcomes[1].rows);
    EXPECT_TRUE(outcomes[1].should_run_again);
    auto again = pool->run_as(tenant, {reader, "ana", "r"}, Monotonic::max(), who, {});
    EXPECT_TRUE(again) << again.error().cause;
}

TEST_F(LaneTest, AConnectionLostOnTheWayIsAnErrorAndTheNextGetsAnother) {
    warm();
    ASSERT_TRUE(begin("ana", "SELECT pg_sleep(30)"));
    owner("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '" + database.role +
          "' AND datname = current_database()");
    wait_for(1);
    ASSERT_FALSE(outcomes[0].rows);
    EXPECT_EQ(outcomes[0].rows.error().fault, Fault::unavailable);
    EXPECT_THAT(outcomes[0].rows.error().cause, StartsWith("unknown: "));
    EXPECT_EQ(pool->counters().open, 0);
    EXPECT_EQ(pool->counters().reconnects, 1u);
    warm();
    ASSERT_TRUE(begin("ben", who));
    wait_for(2);
    EXPECT_EQ(outcomes[1].rows->text(0, 1), "ben");
}

TEST_F(LaneTest, AConnectionLostWhileItRestsIsNotUsed) {
    warm();
    ASSERT_TRUE(begin("ana", who));
    wait_for(1);
    owner("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '" + database.role +
          "' AND datname = current_database()");
    // The lane hears of it, and does not go on hearing of it.
    pollfd watched{lane->descriptor(), POLLIN, 0};
    ASSERT_EQ(poll(&watched, 1, static_cast<int>(patience.count())), 1);
    lane->advance();
    EXPECT_EQ(poll(&watched, 1, 0), 0);
    auto until = steady_clock::now() + milliseconds(15);  // Beyond what is trusted without a look.
    while (steady_clock::now() < until)
        std::this_thread::yield();
    EXPECT_FALSE(begin("ben", who));
    warm();
    ASSERT_TRUE(begin("ben", who));
    wait_for(2);
    EXPECT_EQ(outcomes[1].rows->text(0, 1), "ben");
}

TEST_F(LaneTest, TheServerEndsWhatTakesTooLong) {
    warm();
    ASSERT_TRUE(begin("ana", "SELECT pg_sleep(30)", clock.monotonic() + milliseconds(200)));
    wait_for(1, false);
    ASSERT_FALSE(outcomes[0].rows);
    EXPECT_EQ(outcomes[0].rows.error().fault, Fault::unavailable);
    EXPECT_EQ(outcomes[0].refusal.state, "57014");
    expect_nobody();
    EXPECT_EQ(pool->counters().connects, 1u);
}

TEST_F(LaneTest, AServerThatStandsStillIsNotWaitedFor) {
    warm();
    ASSERT_TRUE(begin("ana", who));
    wait_for(1);
    Stopped backend(static_cast<pid_t>(outcomes[0].rows->integer(0, 3)));
    ASSERT_TRUE(begin("ana", who, clock.monotonic() + milliseconds(100)));
    wait_for(2);
    ASSERT_FALSE(outcomes[1].rows);
    EXPECT_EQ(outcomes[1].rows.error().fault, Fault::unavailable);
    EXPECT_THAT(outcomes[1].rows.error().cause, HasSubstr("no answer"));
    EXPECT_EQ(pool->counters().timeouts, 1u);
    EXPECT_EQ(pool->counters().open, 0) << "its late answer must not come to somebody else";
    warm();
    ASSERT_TRUE(begin("ben", who));
    wait_for(3);
    EXPECT_EQ(outcomes[2].rows->text(0, 1), "ben");
}

TEST_F(LaneTest, ConnectionsGoFromLaneToLaneAndToThoseWhoWait) {
    warm();
    Lane other;
    for (int round = 0; round < 5; ++round) {
        ASSERT_TRUE(begin("ana", who));
        wait_for(outcomes.size() + 1);
        expect_nobody();  // This thread waits by itself: the lane is told of an answer that is not for it.
        lane->advance();
        std::optional<Outcome> told;
        ASSERT_TRUE(pool->begin_as(other, tenant, {reader, "ben", "r"}, Monotonic::max(), who, {},
                                   [&](Outcome outcome) { told = std::move(outcome); }));
        auto until = steady_clock::now() + patience;
        while (!told && steady_clock::now() < until) {
            lane->advance();
            other.advance();
        }
        ASSERT_TRUE(told && told->rows);
        EXPECT_EQ(told->rows->text(0, 1), "ben");
        EXPECT_EQ(outcomes.back().rows->text(0, 1), "ana");
    }
    EXPECT_EQ(pool->counters().connects, 1u);
}

TEST_F(LaneTest, ThoseWhoWaitAlreadyComeFirst) {
    warm();
    auto held = std::make_unique<Transaction>(*pool->begin(tenant));
    ASSERT_TRUE(held->execute("SELECT 1"));
    std::thread waiting([&] { EXPECT_TRUE(pool->run(tenant, Monotonic::max(), "SELECT pg_sleep(0.05)")); });
    while (pool->counters().waiting == 0)
        std::this_thread::yield();
    held.reset();
    // It has it, or is about to wake up to it.
    EXPECT_FALSE(begin("ana", who));
    waiting.join();
}

TEST_F(LaneTest, AbandonedStatementsEndAndTheirConnectionsToo) {
    make_pool(2);
    {
        auto one = *pool->begin(tenant);
        warm();
    }
    ASSERT_TRUE(begin("ana", "SELECT pg_sleep(30)"));
    ASSERT_TRUE(begin("ben", "SELECT pg_sleep(30)"));
    lane->abandon();
    ASSERT_EQ(outcomes.size(), 2u);
    EXPECT_FALSE(outcomes[0].rows);
    EXPECT_EQ(pool->counters().open, 0);
    warm();
    ASSERT_TRUE(begin("ana", "SELECT pg_sleep(30)"));
    lane.reset();
    EXPECT_EQ(outcomes.size(), 2u) << "nobody is told by a lane that is gone";
    EXPECT_EQ(pool->counters().open, 0);
}

TEST_F(LaneTest, WhoIsToldMayBeginTheNextAtOnce) {
    warm();
    int rounds = 0;
    std::function<void(Outcome)> next = [&](Outcome outcome) {
        ASSERT_TRUE(outcome.rows);
        EXPECT_EQ(outcome.rows->text(0, 0), std::to_string(rounds));
        if (++rounds == 20) return outcomes.push_back(std::move(outcome));
        ASSERT_TRUE(pool->begin_as(*lane, tenant, {reader, std::to_string(rounds), "r"}, Monotonic::max(),
                                   "SELECT integreat.uid()", {}, next));
    };
    ASSERT_TRUE(pool->begin_as(*lane, tenant, {reader, "0", "r"}, Monotonic::max(), "SELECT integreat.uid()",
                               {}, next));
    wait_for(1);
    EXPECT_EQ(rounds, 20);
}

}  // namespace
}  // namespace integreat::postgres
