// SPDX-License-Identifier: Apache-2.0
// Checks beyond policies: transitions, references, computed fields and the change log.
#include <thread>

#include "postgres/driver/connection.h"
#include "services/collections/changes/feed_queries.h"
#include "services/collections/changes/history.h"
#include "services/collections/testing/school_fixture.h"

namespace integreat::collections {
namespace {

using testing::SchoolFixture;

struct TriggersTest : SchoolFixture {
    std::string state(const std::string& id) {
        return std::string(
            query_as_owner("SELECT state FROM data.enrollments WHERE id = '" + id + "'").text(0, 0));
    }
    ViolationKind rejected(const testing::StatementResult& result) {
        EXPECT_FALSE(result.ok());
        return violation("enrollments", result).kind;
    }
};

TEST_F(TriggersTest, StatesChangeByTransitionsOnly) {
    auto plain = query_as("registrar", "r", "UPDATE data.enrollments SET state = 'enrolled' WHERE true");
    EXPECT_EQ(rejected(plain), ViolationKind::forbidden);
    EXPECT_EQ(violation("enrollments", plain).fields, std::vector<std::string>{"state"});
    EXPECT_EQ(transition("registrar", "r", ana_physics, "enroll", "enrolled").affected(), 1u);
    EXPECT_EQ(state(ana_physics), "enrolled");
    EXPECT_EQ(state(ben_history), "pending");
}

TEST_F(TriggersTest, TransitionsCheckStartAndEndState) {
    EXPECT_EQ(rejected(transition("registrar", "r", ana_physics, "enroll", "completed")),
              ViolationKind::wrong_state);
    ASSERT_TRUE(transition("registrar", "r", ana_physics, "enroll", "enrolled").ok());
    EXPECT_EQ(rejected(transition("registrar", "r", ana_physics, "enroll", "enrolled")),
              ViolationKind::wrong_state);
}

TEST_F(TriggersTest, TransitionsCheckTheirRules) {
    EXPECT_EQ(rejected(transition("student", "ana", ana_physics, "enroll", "enrolled")),
              ViolationKind::forbidden);
    EXPECT_EQ(transition("student", "ana", ben_history, "drop", "dropped").affected(), 0u)
        << "not hers to see";
    EXPECT_EQ(transition("student", "ana", ana_physics, "drop", "dropped", "remarks = 'moving'").affected(),
              1u);
    EXPECT_FALSE(transition("admin", "a", ben_history, "drop", "dropped").ok());
    EXPECT_EQ(rejected(transition("professor", "other", ben_history, "invent", "dropped")),
              ViolationKind::forbidden);
}

TEST_F(TriggersTest, TransitionsChangeOnlyAcceptedFields) {
    auto more = transition("registrar", "r", ana_physics, "enroll", "enrolled", "paid = 5");
    EXPECT_EQ(rejected(more), ViolationKind::forbidden);
    EXPECT_EQ(violation("enrollments", more).fields, std::vector<std::string>{"paid"});
}

TEST_F(TriggersTest, TransitionsCheckRequiredFieldsAndGuard) {
    ASSERT_TRUE(transition("registrar", "r", ana_physics, "enroll", "enrolled").ok());
    auto complete = [&](const std::string& set) {
        return transition("professor", "prof", ana_physics, "complete", "completed", set);
    };
    auto unrated = complete("");
    EXPECT_EQ(rejected(unrated), ViolationKind::required_for_transition);
    EXPECT_EQ(violation("enrollments", unrated).fields, std::vector<std::string>{"rating"});
    EXPECT_EQ(rejected(complete("rating = 4")), ViolationKind::guard) << "500 are still to be paid";
    ASSERT_TRUE(query_as("registrar", "r", "UPDATE data.enrollments SET paid = 500 WHERE id = $1::uuid",
                         {ana_physics})
                    .ok());
    EXPECT_EQ(complete("rating = 4").affected(), 1u);
    EXPECT_EQ(transition("professor", "prof", ana_physics, "rate", "completed", "rating = 5").affected(), 1u)
        << "one that leads where it starts";
}

TEST_F(TriggersTest, ConcurrentCallersApplyATransitionOnce) {
    std::atomic<int> done{0}, conflicts{0};
    std::vector<std::thread> callers;
    for (int i = 0; i < 32; ++i) {
        callers.emplace_back([&, i] {
            auto result = transition("registrar", "r" + std::to_string(i), ana_physics, "enroll", "enrolled");
            if (result.affected() == 1) ++done;
            if (result.server_error.sqlstate == sqlstate_wrong_state) ++conflicts;
        });
    }
    for (auto& caller : callers)
        caller.join();
    EXPECT_EQ(done, 1);
    EXPECT_EQ(conflicts, 31);
    EXPECT_EQ(
        query_as_owner("SELECT version FROM data.enrollments WHERE id = '" + ana_physics + "'").integer(0, 0),
        2);
    EXPECT_EQ(
        query_as_owner("SELECT count(*) FROM integreat.changes WHERE transition = 'enroll'").integer(0, 0),
        1);
}

TEST_F(TriggersTest, ReferencesRequireReadableRecords) {
    auto grade = [&](const std::string& enrollment) {
        return query_as("professor", "prof",
                        "INSERT INTO data.grades (enrollment, value) VALUES ($1::uuid, 1.5)", {enrollment});
    };
    EXPECT_EQ(grade(ana_physics).affected(), 1u);
    auto foreign = grade(ben_history);
    auto nowhere = grade("00000000-0000-7000-8000-000000000000");
    EXPECT_EQ(foreign.server_error.sqlstate, sqlstate_unreadable_reference);
    EXPECT_EQ(nowhere.server_error.sqlstate, sqlstate_unreadable_reference)
        << "no telling one from the other";
    EXPECT_EQ(foreign.rows.error().cause, nowhere.rows.error().cause);
    EXPECT_EQ(foreign.server_error.column, "enrollment");
}

TEST_F(TriggersTest, VersionsIncreaseAndDefaultsNameTheCaller) {
    auto created = query_as(
        "professor", "prof",
        "INSERT INTO data.grades (enrollment, value) VALUES ($1::uuid, 2) RETURNING id, version, "
        "given_by, created_by, updated_at = created_at, given_on = (now() AT TIME ZONE 'Asia/Manila')::date",
        {ana_physics});
    ASSERT_TRUE(created.ok()) << created.rows.error().cause;
    EXPECT_EQ(created.text(0, 0).substr(14, 1), "7") << "a UUID of version 7";
    EXPECT_EQ(created.text(0, 1) + created.text(0, 2) + created.text(0, 3) + created.text(0, 4) +
                  created.text(0, 5),
              "1profproftt");
    EXPECT_FALSE(query_as("professor", "prof", "UPDATE data.grades SET version = 9").ok());
    EXPECT_EQ(query_as("professor", "prof", "UPDATE data.grades SET value = 1 RETURNING version").text(),
              "2");
    EXPECT_FALSE(query_as("professor", "prof", "UPDATE data.grades SET enrollment = enrollment").ok())
        << "immutable";
}

TEST_F(TriggersTest, ViolationsNameTheirFields) {
    struct Case {
        std::string collection, sql;
        ViolationKind kind;
        std::vector<std::string> fields;
    };
    for (const auto& one :
         {Case{"sections",
               "INSERT INTO data.sections (title, capacity) VALUES ('X', 501)",
               ViolationKind::out_of_range,
               {"capacity"}},
          Case{"sections",
               "INSERT INTO data.sections (title, assistants) VALUES ('X', '{a,b,c,d,e,f}')",
               ViolationKind::out_of_range,
               {"assistants"}},
          Case{"sections",
               "INSERT INTO data.sections (title, fee) VALUES ('X', -1)",
               ViolationKind::out_of_range,
               {"fee"}},
          Case{
              "sections", "INSERT INTO data.sections (room) VALUES ('X')", ViolationKind::missing, {"title"}},
          Case{"sections",
               "INSERT INTO data.sections (title, professor) VALUES ('Physics', 'prof')",
               ViolationKind::already_exists,
               {"title", "professor"}},
          Case{"students",
               "INSERT INTO data.students (name, email) VALUES ('A', 'ana@school.example')",
               ViolationKind::already_exists,
               {"email"}},
          Case{"students",
               "INSERT INTO data.students (name, email, phone) VALUES ('A', 'a@b.example', '0917')",
               ViolationKind::out_of_range,
               {"phone"}},
          Case{"students",
               "INSERT INTO data.students (name, email, program) VALUES ('A', 'a@b.example', 'law')",
               ViolationKind::out_of_range,
               {"program"}},
          Case{"sections",
               "DELETE FROM data.sections WHERE title = 'Physics'",
               ViolationKind::referenced,
               {"section"}}}) {
        auto result = query_as("registrar", "r", one.sql);
        EXPECT_FALSE(result.ok()) << one.sql;
        auto explained = violation(one.collection, result);
        EXPECT_EQ(explained.kind, one.kind) << one.sql << result.server_error.sqlstate;
        EXPECT_EQ(explained.fields, one.fields) << one.sql;
    }
}

TEST_F(TriggersTest, ComputedFieldsFollowInTheSameTransaction) {
    auto section = [&] {
        auto rows =
            query_as_owner("SELECT enrolled, collected, total FROM data.sections WHERE title = 'Physics'");
        return std::string(rows.text(0, 0)) + " " + std::string(rows.text(0, 1)) + " " +
               std::string(rows.text(0, 2));
    };
    EXPECT_EQ(section(), "1 0 300000");
    auto more = enroll(ben, physics);
    query_as("registrar", "r", "UPDATE data.enrollments SET paid = 250 WHERE id = $1::uuid", {more});
    EXPECT_EQ(section(), "2 250 300000");
    query_as("registrar", "r", "UPDATE data.enrollments SET section = $1::uuid WHERE id = $2::uuid",
             {history, ana_physics});
    EXPECT_EQ(section(), "1 250 300000");
    query_as("admin", "a", "DELETE FROM data.enrollments WHERE id = $1::uuid", {more});
    EXPECT_EQ(section(), "0 0 300000");
    query_as_owner("INSERT INTO data.grades (enrollment, value, units) VALUES ('" + ben_history +
                   "', 1, 3), ('" + ben_history + "', 2, 1)");
    auto averages =
        query_as_owner("SELECT average, weighted FROM data.enrollments WHERE id = '" + ben_history + "'");
    EXPECT_EQ(averages.text(0, 0), "1.50");
    EXPECT_EQ(averages.text(0, 1), "1.25");
    EXPECT_FALSE(query_as("registrar", "r", "UPDATE data.sections SET enrolled = 99").ok());
}

TEST_F(TriggersTest, ConcurrentChangesAreAllCounted) {
    std::vector<std::thread> callers;
    for (int i = 0; i < 16; ++i) {
        callers.emplace_back([&, i] {
            auto n = std::to_string(i);
            query_as("registrar", "r",
                     "WITH one AS (INSERT INTO data.students (id, name, email) VALUES (integreat.new_id(), "
                     "'S', '" +
                         n + "@c.example') RETURNING id) SELECT id FROM one");
            auto id =
                query_as("registrar", "r", "SELECT id FROM data.students WHERE email = '" + n + "@c.example'")
                    .text();
            query_as("registrar", "r",
                     "INSERT INTO data.enrollments (student, section, paid) VALUES ($1::uuid, $2::uuid, 10)",
                     {id, physics});
        });
    }
    for (auto& caller : callers)
        caller.join();
    auto rows = query_as_owner("SELECT enrolled, collected FROM data.sections WHERE title = 'Physics'");
    EXPECT_EQ(rows.integer(0, 0), 17);
    EXPECT_EQ(rows.integer(0, 1), 160);
}

TEST_F(TriggersTest, HistoryRecordsCallerAndChanges) {
    query_as("student", "ana", "UPDATE data.students SET phone = '+639170000001' WHERE id = $1::uuid", {ana});
    ASSERT_TRUE(transition("registrar", "reg", ana_physics, "enroll", "enrolled").ok());
    auto changes_of = [&](const std::string& collection, const std::string& id, const std::string& role) {
        return read_history(*pool, *model, *model->find(collection),
                            {database_role(model->app, role), "a", "req_h"},
                            {.record = id, .role = role, .before = std::nullopt}, Monotonic::max());
    };
    auto changes = changes_of("students", ana, "admin");
    ASSERT_TRUE(changes) << changes.error().cause;
    ASSERT_EQ(changes->size(), 2u);
    const auto& last = changes->front();
    EXPECT_EQ(last.uid + " " + last.role + " " + last.action + " " + last.request,
              "ana student update req_test");
    EXPECT_NE(to_json(last).find(R"("changes":{"phone":{"from":"+639171234567","to":"+639170000001"}}})"),
              std::string::npos)
        << to_json(last);
    EXPECT_EQ(changes->back().action, "create");
    auto enrollment = changes_of("enrollments", ana_physics, "admin");
    ASSERT_TRUE(enrollment);
    EXPECT_EQ(enrollment->front().transition + " " + enrollment->front().state, "enroll enrolled");
    EXPECT_NE(
        to_json(enrollment->back()).find(R"("tuition":{"from":null,"to":{"amount":500,"currency":"PHP"}})"),
        std::string::npos)
        << to_json(enrollment->back());
    auto hidden = changes_of("students", ana, "registrar");
    EXPECT_TRUE(!hidden || hidden->empty());
}

TEST_F(TriggersTest, HistoryCannotBeForged) {
    for (std::string sql :
         {"INSERT INTO integreat.changes (collection, record, version, action, role) VALUES "
          "('students', gen_random_uuid(), 1, 'create', 'x')",
          "UPDATE integreat.changes SET uid = 'someone'", "DELETE FROM integreat.changes",
          "TRUNCATE integreat.changes", "SELECT integreat.note_change()"}) {
        for (std::string role : {"admin", "registrar", "student"})
            EXPECT_FALSE(query_as(role, "x", sql).ok()) << role << ": " << sql;
        EXPECT_FALSE(pool->run(model->app, Monotonic::max(), sql)) << sql;
    }
    auto named = query_as(
        "student", "ana",
        "UPDATE data.students SET phone = NULL FROM (SELECT set_config('integreat.transition', 'promote', "
        "true) AS n OFFSET 0) AS t WHERE t.n <> ''");
    EXPECT_EQ(named.server_error.sqlstate, sqlstate_forbidden);
}

TEST_F(TriggersTest, ChangesAreNotifiedWhileFollowed) {
    postgres::ConnectFailure failure;
    auto soon = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    auto listener = postgres::Connection::open(database.pool.url, soon, failure);
    ASSERT_TRUE(listener) << failure.error.cause;
    ASSERT_TRUE(listener->script("LISTEN integreat_changes", soon));
    query_as("registrar", "r", "INSERT INTO data.sections (title) VALUES ('Before')");
    ASSERT_TRUE(listener->script("SELECT 1", soon));
    EXPECT_TRUE(listener->is_idle());
    auto process = "00000000-0000-7000-8000-00000000000a";
    ASSERT_TRUE(request_notifications(*pool, process, std::chrono::seconds(60), Monotonic::max()));
    EXPECT_EQ(query_as_owner("SELECT count(*) FROM integreat.followers").integer(0, 0), 1);
    query_as("registrar", "r", "INSERT INTO data.sections (title) VALUES ('After')");
    while (listener->is_idle() && std::chrono::steady_clock::now() < soon)
        std::this_thread::yield();
    EXPECT_FALSE(listener->is_idle()) << "the server has something to say";
    ASSERT_TRUE(request_notifications(*pool, process, std::chrono::seconds(0), Monotonic::max()));
    EXPECT_EQ(query_as_owner("SELECT count(*) FROM integreat.followers WHERE until > now()").integer(0, 0),
              0);
}

}  // namespace
}  // namespace integreat::collections
