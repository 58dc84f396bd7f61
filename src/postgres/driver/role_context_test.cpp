// SPDX-License-Identifier: Apache-2.0
// Statements in the role of a caller: the role and the identity that SQL sees, and that nothing of it is left
// on the connection.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "postgres/driver/connection.h"
#include "postgres/testing/role_context_fixture.h"

namespace integreat::postgres {
namespace {

using ::testing::StartsWith;

struct RoleContextTest : testing::RoleContextFixture {
    Result<ResultSet> query(const RoleContext& context, std::string_view sql,
                            ServerError* server_error = nullptr) {
        return pool->query_as(tenant, context, Monotonic::max(), sql, {}, server_error);
    }
};

TEST_F(RoleContextTest, AStatementRunsInTheRoleAndWithTheIdentity) {
    auto rows = query({reader, "ana", "req_1"}, session_identity_sql);
    ASSERT_TRUE(rows) << rows.error().cause;
    EXPECT_EQ(rows->text(0, 0), reader);
    EXPECT_EQ(rows->text(0, 1), "ana");
    EXPECT_EQ(rows->text(0, 2), "req_1");
    expect_login_role();
}

TEST_F(RoleContextTest, AnAnonymousCallerHasANullUid) {
    auto rows = query({reader, "", ""}, session_identity_sql);
    ASSERT_TRUE(rows);
    EXPECT_TRUE(rows->is_null(0, 1));
    auto after = query({reader, "ana", "req_1"}, session_identity_sql);
    auto again = query({reader, "", ""}, session_identity_sql);
    ASSERT_TRUE(after && again);
    EXPECT_TRUE(again->is_null(0, 1)) << "also after a query with a uid";
}

TEST_F(RoleContextTest, AStatementThatFailsLeavesNothingBehind) {
    ServerError server_error;
    EXPECT_FALSE(query({reader, "ana", "r"}, "INSERT INTO integreat.things VALUES (11)", &server_error));
    EXPECT_EQ(server_error.sqlstate, "23514");
    EXPECT_EQ(server_error.constraint, "small");
    expect_login_role();
    EXPECT_FALSE(query({reader, "ana", "r"}, "INSERT INTO integreat.things VALUES (NULL)", &server_error));
    EXPECT_EQ(server_error.sqlstate, "23502");
    EXPECT_EQ(server_error.column, "id");
    ASSERT_TRUE(query({reader, "ana", "r"}, "SELECT 1", &server_error));
    EXPECT_EQ(server_error.sqlstate, "");
}

TEST_F(RoleContextTest, ARoleThatIsNotGrantedExecutesNothing) {
    for (std::string role : {"integreat_owner", "integreat_superuser", "nosuchrole", "", "test_reader; --"}) {
        ServerError server_error;
        auto rows = query({role, "ana", "r"}, "INSERT INTO integreat.things VALUES (1)", &server_error);
        EXPECT_FALSE(rows) << role;
    }
    expect_login_role();
    auto counted = query({reader, "", ""}, "SELECT count(*) FROM integreat.things");
    ASSERT_TRUE(counted);
    EXPECT_EQ(counted->integer(0, 0), 0);
}

TEST_F(RoleContextTest, ATransactionSwitchesRoles) {
    {
        auto transaction = *pool->begin(tenant);
        transaction.set_role({reader, "ana", "req_1"});
        EXPECT_EQ(transaction.execute(session_identity_sql)->text(0, 1), "ana");
        EXPECT_EQ(transaction.execute(session_identity_sql)->text(0, 0), reader) << "until the next set_role";
        transaction.set_role({reader, "ben", "req_2"});
        EXPECT_EQ(transaction.execute(session_identity_sql)->text(0, 1), "ben");
        transaction.reset_role();
        auto rows = transaction.execute(session_identity_sql);
        EXPECT_EQ(rows->text(0, 0), database.role);
        EXPECT_TRUE(rows->is_null(0, 1));
        transaction.set_role({reader, "ana", "req_3"});
        ASSERT_TRUE(transaction.execute("INSERT INTO integreat.things VALUES (2)"));
        ASSERT_TRUE(transaction.commit());
    }
    expect_login_role();
    {
        auto rolled_back = *pool->begin(tenant);
        rolled_back.set_role({reader, "ana", "req_4"});
        ASSERT_TRUE(rolled_back.execute("SELECT 1"));
    }
    expect_login_role();
}

TEST_F(RoleContextTest, ATransactionReportsTheServerError) {
    auto transaction = *pool->begin(tenant);
    transaction.set_role({reader, "ana", "req_1"});
    EXPECT_FALSE(transaction.execute("INSERT INTO integreat.things VALUES (12)"));
    EXPECT_EQ(transaction.server_error().constraint, "small");
    auto other = transaction.execute("SELECT 1");
    EXPECT_FALSE(other) << "the transaction is over";
}

TEST_F(RoleContextTest, ATransactionContinuesAfterAnErrorInASavepoint) {
    auto transaction = pool->begin(tenant);
    ASSERT_TRUE(transaction);
    const std::string sql = "INSERT INTO integreat.things VALUES ($1::int)";
    auto insert = [&](const char* id) {
        transaction->set_role({reader, "ana", "req_1"});
        std::vector<Value> values{id};
        return static_cast<bool>(transaction->execute_in_savepoint(sql, values));
    };
    EXPECT_FALSE(insert("11"));
    EXPECT_EQ(transaction->server_error().constraint, "small");
    EXPECT_TRUE(insert("1"));
    EXPECT_FALSE(insert("1"));
    EXPECT_EQ(transaction->server_error().sqlstate, "23505");
    EXPECT_TRUE(insert("2"));
    auto rows = transaction->execute("SELECT count(*), current_user FROM integreat.things");
    ASSERT_TRUE(rows) << rows.error().cause;
    EXPECT_EQ(rows->integer(0, 0), 2);
    EXPECT_EQ(rows->text(0, 1), reader);
    EXPECT_TRUE(transaction->commit());
    expect_login_role();
}

TEST_F(RoleContextTest, IdentitiesAreValuesAndNotSql) {
    auto rows = query({reader, "x', true); DROP TABLE integreat.things; --", "'\"\\"}, session_identity_sql);
    ASSERT_TRUE(rows);
    EXPECT_EQ(rows->text(0, 1), "x', true); DROP TABLE integreat.things; --");
    EXPECT_EQ(rows->text(0, 2), "'\"\\");
}

}  // namespace
}  // namespace integreat::postgres
