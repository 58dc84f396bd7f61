// SPDX-License-Identifier: Apache-2.0
// Requests that an I/O thread completes asynchronously: they have the same responses as on a blocking thread.
#include <gmock/gmock.h>

#include "services/collections/testing/api_test_client.h"

namespace integreat::collections {
namespace {

using testing::ApiTestClient;
using ::testing::HasSubstr;

class SingleQueryTest : public ::testing::Test {
protected:
    std::string make_student(const std::string& user) {
        auto created = client.send(
            "POST", "/students", "r1:registrar",
            R"({"name": "Ana Reyes", "user": ")" + user + R"(", "email": ")" + user + R"(@example.ph"})");
        EXPECT_EQ(created.status, 201) << created.body;
        return created.id();
    }
    void expect(int async_responses, int blocking_calls) {
        EXPECT_EQ(client.async_responses.exchange(0), async_responses);
        EXPECT_EQ(client.blocking_calls.exchange(0), blocking_calls);
    }

    ApiTestClient client;
};

TEST_F(SingleQueryTest, FirstRequestBlocksToConnect) {
    auto id = make_student("s1");
    expect(0, 1);
    EXPECT_EQ(client.send("GET", "/students/" + id, "s1:student").text("id"), id);
    EXPECT_EQ(client.send("GET", "/students", "s1:student").ids(), std::vector{id});
    EXPECT_EQ(client.send("GET", "/students/aggregate", "s1:student").items(), 1u);
    EXPECT_EQ(client.send("GET", "/students/" + id + "?fields=name", "s1:student").text("name"), "Ana Reyes");
    make_student("s2");
    expect(5, 0);
    EXPECT_EQ(client.pool->counters().connects, 1u);
}

TEST_F(SingleQueryTest, AsyncAndBlockingResponsesAreEqual) {
    auto id = make_student("s1");
    for (const auto& target :
         {"/students/" + id, std::string("/students?sort=-name&limit=1"),
          std::string("/students/aggregate?select=count&group=name"), "/students/" + id + "?fields=name",
          "/students/00000000-0000-7000-8000-" + std::string("000000000000")}) {
        expect(client.async_responses, client.blocking_calls);
        auto async = client.send("GET", target, "r1:registrar");
        expect(1, 0);
        std::vector<postgres::Transaction> all;  // Occupy all connections.
        for (int i = 0; i < client.pool->counters().open; ++i) {
            all.push_back(*client.pool->begin(client.model->app));
            ASSERT_TRUE(all.back().execute("SELECT 1"));
        }
        auto blocking = client.send("GET", target, "r1:registrar");
        expect(0, 1);
        EXPECT_EQ(async.status, blocking.status);
        EXPECT_EQ(async.headers.value("ETag"), blocking.headers.value("ETag"));
        if (async.status == 200)
            EXPECT_EQ(async.body, blocking.body);
        else
            EXPECT_EQ(async.without_id(), blocking.without_id());
    }
}

TEST_F(SingleQueryTest, CallersShareAConnectionButNotRecords) {
    auto one = make_student("s1");
    auto two = make_student("s2");
    expect(1, 1);
    for (int round = 0; round < 3; ++round) {
        EXPECT_EQ(client.send("GET", "/students", "s1:student").ids(), std::vector{one});
        EXPECT_EQ(client.send("GET", "/students", "s2:student").ids(), std::vector{two});
        EXPECT_EQ(client.send("GET", "/students/" + one, "s2:student").status, 404);
        EXPECT_EQ(client.send("GET", "/students", "r1:registrar").items(), 2u);
    }
    expect(12, 0);
    EXPECT_EQ(client.pool->counters().connects, 1u);
}

TEST_F(SingleQueryTest, RejectsInvalidRequestsWithoutAQuery) {
    auto id = make_student("s1");
    expect(0, 1);
    EXPECT_EQ(client.send("GET", "/students?nosuch=eq.1", "r1:registrar").status, 400);
    EXPECT_EQ(client.send("GET", "/students/not-an-id", "r1:registrar").status, 404);
    EXPECT_EQ(client.send("POST", "/students", "r1:registrar", "{").status, 400);
    EXPECT_EQ(client.send("POST", "/students", "r1:registrar", R"({"nme": 1})").status, 400);
    expect(0, 0);
}

TEST_F(SingleQueryTest, ExplainsDatabaseErrors) {
    make_student("s1");
    client.blocking_calls = 0;
    auto rejected =
        client.send("POST", "/students", "r1:registrar", R"({"name": "B", "email": "s1@example.ph"})");
    EXPECT_EQ(rejected.status, 409);
    EXPECT_EQ(rejected.type, "already-exists");
    expect(1, 0);
}

TEST_F(SingleQueryTest, ListsOfNewRecordsBlock) {
    make_student("s1");
    expect(0, 1);
    auto created = client.send("POST", "/students", "r1:registrar",
                               R"([{"name": "B", "email": "b@x.ph"}, {"name": "C", "email": "c@x.ph"}])");
    EXPECT_EQ(created.status, 201) << created.body;
    EXPECT_EQ(created.items(), 2u);
    expect(0, 1);
}

}  // namespace
}  // namespace integreat::collections
