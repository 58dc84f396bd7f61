// SPDX-License-Identifier: Apache-2.0
// Statements in somebody's name: as which role they run, who is told to the database, and that nothing of it
// is left for the next who gets the connection.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "postgres/driver/connection.h"
#include "postgres/testing/role_context_fixture.h"

namespace integreat::postgres {
namespace {

using ::testing::StartsWith;

struct ActingTest : testing::ActingFixture {
    Result<Rows> ask(const Acting& acting, std::string_view sql, Refusal* refusal = nullptr) {
        return pool->run_as(tenant, acting, Monotonic::max(), sql, {}, refusal);
    }
};

TEST_F(ActingTest, AStatementRunsAsTheRoleAndInTheName) {
    auto rows = ask({reader, "ana", "req_1"}, who);
    ASSERT_TRUE(rows) << rows.error().cause;
    EXPECT_EQ(rows->text(0, 0), reader);
    EXPECT_EQ(rows->text(0, 1), "ana");
    EXPECT_EQ(rows->text(0, 2), "req_1");
    expect_nobody();
}

TEST_F(ActingTest, NobodySignedInIsNull) {
    auto rows = ask({reader, "", ""}, who);
    ASSERT_TRUE(rows);
    EXPECT_TRUE(rows->is_null(0, 1));
    auto after = ask({reader, "ana", "req_1"}, who);
    auto again = ask({reader, "", ""}, who);
    ASSERT_TRUE(after && again);
    EXPECT_TRUE(again->is_null(0, 1)) << "also after somebody was";
}

TEST_F(ActingTest, AStatementThatFailsLeavesNothingBehind) {
    Refusal refusal;
    EXPECT_FALSE(ask({reader, "ana", "r"}, "INSERT INTO integreat.things VALUES (11)", &refusal));
    EXPECT_EQ(refusal.state, "23514");
    EXPECT_EQ(refusal.constraint, "small");
    expect_nobody();
    EXPECT_FALSE(ask({reader, "ana", "r"}, "INSERT INTO integreat.things VALUES (NULL)", &refusal));
    EXPECT_EQ(refusal.state, "23502");
    EXPECT_EQ(refusal.column, "id");
    ASSERT_TRUE(ask({reader, "ana", "r"}, "SELECT 1", &refusal));
    EXPECT_EQ(refusal.state, "");
}

TEST_F(ActingTest, ARoleThatTheLoginMayNotBecomeDoesNothing) {
    for (std::string role : {"integreat_owner", "integreat_superuser", "nosuchrole", "", "test_reader; --"}) {
        Refusal refusal;
        auto rows = ask({role, "ana", "r"}, "INSERT INTO integreat.things VALUES (1)", &refusal);
        EXPECT_FALSE(rows) << role;
    }
    expect_nobody();
    auto counted = ask({reader, "", ""}, "SELECT count(*) FROM integreat.things");
    ASSERT_TRUE(counted);
    EXPECT_EQ(counted->integer(0, 0), 0);
}

TEST_F(ActingTest, ATransactionChangesItsNameOnTheWay) {
    {
        auto begun = *pool->begin(tenant);
        begun.act_as({reader, "ana", "req_1"});
        EXPECT_EQ(begun.execute(who)->text(0, 1), "ana");
        EXPECT_EQ(begun.execute(who)->text(0, 0), reader) << "until told otherwise";
        begun.act_as({reader, "ben", "req_2"});
        EXPECT_EQ(begun.execute(who)->text(0, 1), "ben");
        begun.act_as_login();
        auto rows = begun.execute(who);
        EXPECT_EQ(rows->text(0, 0), database.role);
        EXPECT_TRUE(rows->is_null(0, 1));
        begun.act_as({reader, "ana", "req_3"});
        ASSERT_TRUE(begun.execute("INSERT INTO integreat.things VALUES (2)"));
        ASSERT_TRUE(begun.commit());
    }
    expect_nobody();
    {
        auto dropped = *pool->begin(tenant);
        dropped.act_as({reader, "ana", "req_4"});
        ASSERT_TRUE(dropped.execute("SELECT 1"));
    }
    expect_nobody();
}

TEST_F(ActingTest, ATransactionSaysWhatWasRefused) {
    auto begun = *pool->begin(tenant);
    begun.act_as({reader, "ana", "req_1"});
    EXPECT_FALSE(begun.execute("INSERT INTO integreat.things VALUES (12)"));
    EXPECT_EQ(begun.refusal().constraint, "small");
    auto other = begun.execute("SELECT 1");
    EXPECT_FALSE(other) << "it is over";
}

TEST_F(ActingTest, ATransactionGoesOnAfterAnAttemptThatWasRefused) {
    auto transaction = pool->begin(tenant);
    ASSERT_TRUE(transaction);
    const std::string sql = "INSERT INTO integreat.things VALUES ($1::int)";
    auto insert = [&](const char* id) {
        transaction->act_as({reader, "ana", "req_1"});
        std::vector<Value> values{id};
        return static_cast<bool>(transaction->attempt(sql, values));
    };
    EXPECT_FALSE(insert("11"));
    EXPECT_EQ(transaction->refusal().constraint, "small");
    EXPECT_TRUE(insert("1"));
    EXPECT_FALSE(insert("1"));
    EXPECT_EQ(transaction->refusal().state, "23505");
    EXPECT_TRUE(insert("2"));
    auto rows = transaction->execute("SELECT count(*), current_user FROM integreat.things");
    ASSERT_TRUE(rows) << rows.error().cause;
    EXPECT_EQ(rows->integer(0, 0), 2);
    EXPECT_EQ(rows->text(0, 1), reader);
    EXPECT_TRUE(transaction->commit());
    expect_nobody();
}

TEST_F(ActingTest, NamesAreValuesAndNotSql) {
    auto rows = ask({reader, "x', true); DROP TABLE integreat.things; --", "'\"\\"}, who);
    ASSERT_TRUE(rows);
    EXPECT_EQ(rows->text(0, 1), "x', true); DROP TABLE integreat.things; --");
    EXPECT_EQ(rows->text(0, 2), "'\"\\");
}

}  // namespace
}  // namespace integreat::postgres
