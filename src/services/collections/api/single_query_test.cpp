// SPDX-License-Identifier: Apache-2.0
// Which requests an I/O thread waits for in its lane, and that their answers are those that are given where
// waiting is allowed.
#include <gmock/gmock.h>

#include "services/collections/testing/api_test_client.h"

namespace integreat::collections {
namespace {

using testing::Calls;
using ::testing::HasSubstr;

class RecordsInLane : public ::testing::Test {
protected:
    std::string make_student(const std::string& user) {
        auto made = calls.send(
            "POST", "/students", "r1:registrar",
            R"({"name": "Ana Reyes", "user": ")" + user + R"(", "email": ")" + user + R"(@example.ph"})");
        EXPECT_EQ(made.status, 201) << made.body;
        return made.id();
    }
    void expect(int later, int deferred) {
        EXPECT_EQ(calls.later.exchange(0), later);
        EXPECT_EQ(calls.deferred.exchange(0), deferred);
    }

    Calls calls;
};

TEST_F(RecordsInLane, TheFirstRequestIsDeferredAndOpensTheConnection) {
    auto id = make_student("s1");
    expect(0, 1);
    EXPECT_EQ(calls.send("GET", "/students/" + id, "s1:student").text("id"), id);
    EXPECT_EQ(calls.send("GET", "/students", "s1:student").ids(), std::vector{id});
    EXPECT_EQ(calls.send("GET", "/students/aggregate", "s1:student").items(), 1u);
    EXPECT_EQ(calls.send("GET", "/students/" + id + "?fields=name", "s1:student").text("name"), "Ana Reyes");
    make_student("s2");
    expect(5, 0);
    EXPECT_EQ(calls.pool->counters().connects, 1u);
}

TEST_F(RecordsInLane, AnswersAreTheSameWhereWaitingIsAllowed) {
    auto id = make_student("s1");
    for (const auto& target :
         {"/students/" + id, std::string("/students?sort=-name&limit=1"),
          std::string("/students/aggregate?select=count&group=name"), "/students/" + id + "?fields=name",
          "/students/00000000-0000-7000-8000-" + std::string("000000000000")}) {
        expect(calls.later, calls.deferred);
        auto later = calls.send("GET", target, "r1:registrar");
        expect(1, 0);
        std::vector<postgres::Transaction> all;  // Then no connection is free at this moment.
        for (int i = 0; i < calls.pool->counters().open; ++i) {
            all.push_back(*calls.pool->begin(calls.model->app));
            ASSERT_TRUE(all.back().execute("SELECT 1"));
        }
        auto now = calls.send("GET", target, "r1:registrar");
        expect(0, 1);
        EXPECT_EQ(later.status, now.status);
        EXPECT_EQ(later.headers.value("ETag"), now.headers.value("ETag"));
        if (later.status == 200)
            EXPECT_EQ(later.body, now.body);
        else
            EXPECT_EQ(later.without_id(), now.without_id());
    }
}

TEST_F(RecordsInLane, EachSeesTheirOwnOverTheSameConnection) {
    auto one = make_student("s1");
    auto two = make_student("s2");
    expect(1, 1);
    for (int round = 0; round < 3; ++round) {
        EXPECT_EQ(calls.send("GET", "/students", "s1:student").ids(), std::vector{one});
        EXPECT_EQ(calls.send("GET", "/students", "s2:student").ids(), std::vector{two});
        EXPECT_EQ(calls.send("GET", "/students/" + one, "s2:student").status, 404);
        EXPECT_EQ(calls.send("GET", "/students", "r1:registrar").items(), 2u);
    }
    expect(12, 0);
    EXPECT_EQ(calls.pool->counters().connects, 1u);
}

TEST_F(RecordsInLane, WhatNeedsNoDatabaseIsAnsweredAtOnce) {
    auto id = make_student("s1");
    expect(0, 1);
    EXPECT_EQ(calls.send("GET", "/students?nosuch=eq.1", "r1:registrar").status, 400);
    EXPECT_EQ(calls.send("GET", "/students/not-an-id", "r1:registrar").status, 404);
    EXPECT_EQ(calls.send("POST", "/students", "r1:registrar", "{").status, 400);
    EXPECT_EQ(calls.send("POST", "/students", "r1:registrar", R"({"nme": 1})").status, 400);
    expect(0, 0);
}

TEST_F(RecordsInLane, RefusalsOfTheDatabaseAreExplained) {
    make_student("s1");
    calls.deferred = 0;
    auto no = calls.send("POST", "/students", "r1:registrar", R"({"name": "B", "email": "s1@example.ph"})");
    EXPECT_EQ(no.status, 409);
    EXPECT_EQ(no.type, "already-exists");
    expect(1, 0);
}

TEST_F(RecordsInLane, ListsOfNewRecordsAreDeferred) {
    make_student("s1");
    expect(0, 1);
    auto made = calls.send("POST", "/students", "r1:registrar",
                           R"([{"name": "B", "email": "b@x.ph"}, {"name": "C", "email": "c@x.ph"}])");
    EXPECT_EQ(made.status, 201) << made.body;
    EXPECT_EQ(made.items(), 2u);
    expect(0, 1);
}

}  // namespace
}  // namespace integreat::collections
