// SPDX-License-Identifier: Apache-2.0
#include "postgres/driver/notification_listener.h"

#include <thread>

#include <gtest/gtest.h>

#include "postgres/testing/test_databases.h"

namespace integreat::postgres {
namespace {

using namespace std::chrono_literals;

class NoticesTest : public ::testing::Test {
protected:
    void announce(const char* payload) {
        auto deadline = clock.monotonic() + 10s;
        auto done = pool.run(database.pool.tenant, deadline, "SELECT pg_notify('news', $1)", {payload});
        ASSERT_TRUE(done) << done.error().cause;
    }

    FixedClock clock;
    testing::TestDatabase database = testing::fresh_database();
    Pool pool{database.pool, clock};
};

TEST_F(NoticesTest, AreHeardOnceThoughSaidTwice) {
    Notices notices([this] { return database.pool.url; }, "news");
    EXPECT_TRUE(notices.wait(10s).perhaps_missed);
    announce("students");
    auto heard = notices.wait(10s);
    EXPECT_EQ(heard.payloads, std::set<std::string>{"students"});
    EXPECT_FALSE(heard.perhaps_missed);
    EXPECT_TRUE(notices.wait(0ms).payloads.empty());
}

TEST_F(NoticesTest, AnInterruptBeforeTheWaitIsNotLost) {
    Notices notices([this] { return database.pool.url; }, "news");
    notices.wait(10s);
    notices.interrupt();
    EXPECT_TRUE(notices.wait(1h).payloads.empty());
    std::thread other([&] { notices.interrupt(); });
    EXPECT_FALSE(notices.wait(1h).perhaps_missed);
    other.join();
}

TEST_F(NoticesTest, ALostConnectionIsOpenedAgainAndSaysSo) {
    Notices notices([this] { return database.pool.url; }, "news");
    notices.wait(10s);
    auto ended = pool.run(database.pool.tenant, clock.monotonic() + 10s,
                          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                          "WHERE query LIKE 'LISTEN%' AND datname = current_database()");
    ASSERT_TRUE(ended) << ended.error().cause;
    while (!notices.wait(10s).perhaps_missed) {
    }
    EXPECT_FALSE(notices.connected());
    EXPECT_TRUE(notices.wait(10s).perhaps_missed);
    EXPECT_TRUE(notices.connected());
    announce("again");
    EXPECT_EQ(notices.wait(10s).payloads, std::set<std::string>{"again"});
}

TEST_F(NoticesTest, RestWithoutAConnectionUntilInterrupted) {
    Notices notices([this] { return database.pool.url; }, "news");
    notices.wait(10s);
    notices.interrupt();
    notices.rest();
    EXPECT_FALSE(notices.connected());
    EXPECT_TRUE(notices.wait(10s).perhaps_missed);
    EXPECT_TRUE(notices.connected());
}

TEST_F(NoticesTest, WithoutAUrlThereIsOnlyTime) {
    Notices notices([] { return Secret(); }, "news");
    announce("unheard");
    auto heard = notices.wait(1ms);
    EXPECT_TRUE(heard.payloads.empty());
    EXPECT_TRUE(heard.perhaps_missed);
}

TEST_F(NoticesTest, AServerThatIsNotThereIsAskedAgainLater) {
    Notices notices([] { return Secret("host=/nonexistent dbname=x user=x"); }, "news");
    for (int i = 0; i < 3; ++i)
        EXPECT_TRUE(notices.wait(1ms).perhaps_missed);
    EXPECT_FALSE(notices.connected());
}

}  // namespace
}  // namespace integreat::postgres
