// SPDX-License-Identifier: Apache-2.0
#include "postgres/driver/notification_listener.h"

#include <thread>

#include <gtest/gtest.h>

#include "postgres/testing/test_databases.h"

namespace integreat::postgres {
namespace {

using namespace std::chrono_literals;

class NotificationListenerTest : public ::testing::Test {
protected:
    void notify(const char* payload) {
        auto deadline = clock.monotonic() + 10s;
        auto sent = pool.run(database.pool.tenant, deadline, "SELECT pg_notify('news', $1)", {payload});
        ASSERT_TRUE(sent) << sent.error().cause;
    }

    FixedClock clock;
    testing::TestDatabase database = testing::fresh_database();
    Pool pool{database.pool, clock};
};

TEST_F(NotificationListenerTest, ReceivesEachPayloadOnce) {
    NotificationListener listener([this] { return database.pool.url; }, "news");
    EXPECT_TRUE(listener.wait(10s).may_have_gaps);
    notify("students");
    auto received = listener.wait(10s);
    EXPECT_EQ(received.payloads, std::set<std::string>{"students"});
    EXPECT_FALSE(received.may_have_gaps);
    EXPECT_TRUE(listener.wait(0ms).payloads.empty());
}

TEST_F(NotificationListenerTest, KeepsAnInterruptFromBeforeTheWait) {
    NotificationListener listener([this] { return database.pool.url; }, "news");
    listener.wait(10s);
    listener.interrupt();
    EXPECT_TRUE(listener.wait(1h).payloads.empty());
    std::thread other([&] { listener.interrupt(); });
    EXPECT_FALSE(listener.wait(1h).may_have_gaps);
    other.join();
}

TEST_F(NotificationListenerTest, ReconnectsAfterALostConnectionAndReportsTheGap) {
    NotificationListener listener([this] { return database.pool.url; }, "news");
    listener.wait(10s);
    auto ended = pool.run(database.pool.tenant, clock.monotonic() + 10s,
                          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                          "WHERE query LIKE 'LISTEN%' AND datname = current_database()");
    ASSERT_TRUE(ended) << ended.error().cause;
    while (!listener.wait(10s).may_have_gaps) {
    }
    EXPECT_FALSE(listener.connected());
    EXPECT_TRUE(listener.wait(10s).may_have_gaps);
    EXPECT_TRUE(listener.connected());
    notify("again");
    EXPECT_EQ(listener.wait(10s).payloads, std::set<std::string>{"again"});
}

TEST_F(NotificationListenerTest, PausesWithoutAConnectionUntilInterrupted) {
    NotificationListener listener([this] { return database.pool.url; }, "news");
    listener.wait(10s);
    listener.interrupt();
    listener.pause();
    EXPECT_FALSE(listener.connected());
    EXPECT_TRUE(listener.wait(10s).may_have_gaps);
    EXPECT_TRUE(listener.connected());
}

TEST_F(NotificationListenerTest, WithoutAUrlWaitsEndByTimeout) {
    NotificationListener listener([] { return Secret(); }, "news");
    notify("unread");
    auto received = listener.wait(1ms);
    EXPECT_TRUE(received.payloads.empty());
    EXPECT_TRUE(received.may_have_gaps);
}

TEST_F(NotificationListenerTest, RetriesAServerThatCannotBeReached) {
    NotificationListener listener([] { return Secret("host=/nonexistent dbname=x user=x"); }, "news");
    for (int i = 0; i < 3; ++i)
        EXPECT_TRUE(listener.wait(1ms).may_have_gaps);
    EXPECT_FALSE(listener.connected());
}

}  // namespace
}  // namespace integreat::postgres
