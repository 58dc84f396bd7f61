// SPDX-License-Identifier: Apache-2.0
// Each part of a rule as the database enforces it: what it lets through, and what it does not.
#include "services/collections/schema/row_policies.h"

#include "services/collections/testing/school_fixture.h"

namespace integreat::collections {
namespace {

using testing::School;

struct RulesTest : School {
    // Ids of what a caller sees, by the name of a column.
    std::string seen(const std::string& role, const std::string& uid, const std::string& collection,
                     const std::string& column) {
        return as(role, uid,
                  "SELECT coalesce(string_agg(" + column + "::text, ',' ORDER BY " + column +
                      "::text), '') FROM data." + collection)
            .text();
    }
    std::uint64_t updated(const std::string& role, const std::string& uid, const std::string& sql) {
        auto outcome = as(role, uid, sql);
        EXPECT_TRUE(outcome.done()) << sql << ": " << outcome.rows.error().cause;
        return outcome.changed();
    }
    void expect_refused(const std::string& role, const std::string& uid, const std::string& sql,
                        const std::string& state) {
        auto outcome = as(role, uid, sql);
        EXPECT_FALSE(outcome.done()) << role << ": " << sql;
        EXPECT_EQ(outcome.refusal.state, state) << role << ": " << sql;
    }
};

TEST_F(RulesTest, ARoleReadsAllAndOthersNothing) {
    EXPECT_EQ(seen("registrar", "r", "students", "name"), "Ana,Ben");
    EXPECT_EQ(seen("admin", "a", "students", "name"), "Ana,Ben");
    for (std::string role : {"none", "anonymous"})
        expect_refused(role, "ana", "SELECT id FROM data.students", "42501");
}

TEST_F(RulesTest, AnOwnerReadsAndChangesOnlyTheirOwn) {
    EXPECT_EQ(seen("student", "ana", "students", "name"), "Ana");
    EXPECT_EQ(seen("student", "ben", "students", "name"), "Ben");
    EXPECT_EQ(seen("student", "cara", "students", "name"), "");
    EXPECT_EQ(seen("student", "", "students", "name"), "") << "nobody owns what has no owner";
    auto change = "UPDATE data.students SET phone = '+639170000000' WHERE email LIKE '%'";
    EXPECT_EQ(updated("student", "ana", change), 1u);
    EXPECT_EQ(updated("student", "cara", change), 0u);
    EXPECT_EQ(owner("SELECT count(*) FROM data.students WHERE phone = '+639170000000'").integer(0, 0), 1);
}

TEST_F(RulesTest, NullIsNobodysRecord) {
    owner("INSERT INTO data.students (name, email) VALUES ('Nobody', 'nobody@x.example')");
    EXPECT_EQ(seen("student", "", "students", "name"), "");
    owner("UPDATE data.sections SET professor = NULL");
    EXPECT_EQ(updated("professor", "", "UPDATE data.sections SET room = 'B' WHERE title <> ''"), 0u);
}

TEST_F(RulesTest, AListMayHoldTheOwner) {
    EXPECT_EQ(updated("student", "ben", "UPDATE data.sections SET room = 'A1' WHERE title <> ''"), 1u);
    EXPECT_EQ(updated("student", "ana", "UPDATE data.sections SET room = 'A2' WHERE title <> ''"), 0u);
    EXPECT_EQ(owner("SELECT room FROM data.sections WHERE title = 'Physics'").text(0, 0), "A1");
}

TEST_F(RulesTest, APathLeadsForwardToTheCaller) {
    EXPECT_EQ(seen("student", "ana", "enrollments", "id"), ana_physics);
    EXPECT_EQ(seen("professor", "other", "enrollments", "id"), ben_history);
    EXPECT_EQ(seen("professor", "ana", "enrollments", "id"), "");
    EXPECT_EQ(seen("student", "prof", "enrollments", "id"), "") << "a path belongs to its roles";
}

TEST_F(RulesTest, APathLeadsBackwardToTheCaller) {
    EXPECT_EQ(seen("professor", "prof", "students", "name"), "Ana");
    EXPECT_EQ(seen("professor", "other", "students", "name"), "Ben");
    owner("DELETE FROM data.enrollments WHERE id = '" + ana_physics + "'");
    EXPECT_EQ(seen("professor", "prof", "students", "name"), "");
}

TEST_F(RulesTest, APathDoesNotLeadThroughWhatIsDeleted) {
    owner("UPDATE data.students SET deleted_at = now() - interval '1 day' WHERE id = '" + ana + "'");
    EXPECT_EQ(seen("student", "ana", "enrollments", "id"), "");
    EXPECT_EQ(seen("registrar", "r", "students", "name"), "Ben");
}

TEST_F(RulesTest, FieldsThatARoleMayNotSeeAreRefused) {
    EXPECT_EQ(as("professor", "prof", "SELECT name, program, version FROM data.students").text(), "Ana");
    for (std::string sql :
         {"SELECT email FROM data.students", "SELECT * FROM data.students",
          "SELECT name FROM data.students WHERE email LIKE 'a%'",
          "SELECT name FROM data.students ORDER BY phone", "SELECT deleted_at FROM data.students",
          "SELECT s::text FROM data.students AS s"}) {
        expect_refused("professor", "prof", sql, "42501");
    }
    expect_refused("student", "ana", "UPDATE data.students SET name = 'Queen'", "42501");
    expect_refused("student", "ana", "UPDATE data.students SET \"user\" = 'ben'", "42501");
}

TEST_F(RulesTest, StatesDecideWhoReadsAndChanges) {
    auto draft =
        as("professor", "prof", "INSERT INTO data.announcements (body) VALUES ('Soon') RETURNING id");
    ASSERT_TRUE(draft.done()) << draft.rows.error().cause;
    EXPECT_EQ(seen("professor", "prof", "announcements", "body"), "Soon");
    EXPECT_EQ(seen("registrar", "r", "announcements", "body"), "");
    EXPECT_EQ(updated("professor", "prof", "UPDATE data.announcements SET body = 'Now' WHERE true"), 1u);
    owner("UPDATE data.announcements SET state = 'published'");
    EXPECT_EQ(seen("student", "ana", "announcements", "body"), "Now");
    EXPECT_EQ(seen("none", "x", "announcements", "body"), "Now") << "whoever is signed in";
    expect_refused("anonymous", "", "SELECT body FROM data.announcements", "42501");
    auto late = as("professor", "prof", "UPDATE data.announcements SET body = 'Later' WHERE body = 'Now'");
    EXPECT_FALSE(late.done()) << "it is a draft no more";
    EXPECT_EQ(why("announcements", late).why, Refused::forbidden);
}

TEST_F(RulesTest, CreatorsOwnWhatTheyCreateAndNobodyElsesName) {
    expect_refused("professor", "prof",
                   "INSERT INTO data.announcements (body, created_by) VALUES ('x', 'other')", "42501");
    as("professor", "prof", "INSERT INTO data.announcements (body) VALUES ('mine')");
    EXPECT_EQ(owner("SELECT created_by FROM data.announcements").text(0, 0), "prof");
    EXPECT_EQ(updated("professor", "other", "DELETE FROM data.announcements WHERE body = 'mine'"), 0u);
    EXPECT_EQ(updated("professor", "prof", "DELETE FROM data.announcements WHERE body = 'mine'"), 1u);
}

TEST_F(RulesTest, AnybodyMayAskAndOnlyTheRegistrarReads) {
    auto asked = "INSERT INTO data.inquiries (question) VALUES ('When?')";
    EXPECT_EQ(updated("anonymous", "", asked), 1u);
    EXPECT_EQ(updated("none", "x", asked), 1u);
    expect_refused("anonymous", "", std::string(asked) + " RETURNING id", "42501");
    expect_refused("student", "ana", "SELECT id FROM data.inquiries", "42501");
    EXPECT_EQ(seen("registrar", "r", "inquiries", "question"), "When?,When?");
}

TEST_F(RulesTest, WhoMayNotCreateCannot) {
    expect_refused("student", "ana", "INSERT INTO data.students (name, email) VALUES ('X', 'x@y.example')",
                   "42501");
    expect_refused("admin", "a", "INSERT INTO data.sections (title) VALUES ('X')", "42501");
    EXPECT_EQ(updated("registrar", "r", "INSERT INTO data.sections (title) VALUES ('Art')"), 1u);
}

TEST_F(RulesTest, CreatingIsBoundToThePathToo) {
    auto create = [&](const std::string& student) {
        return "INSERT INTO data.enrollments (student, section) VALUES ('" + student + "', '" + history +
               "')";
    };
    EXPECT_EQ(updated("student", "ana", create(ana)), 1u);
    auto for_another = as("student", "ana", create(ben));
    EXPECT_FALSE(for_another.done());
    auto explained = why("enrollments", for_another);
    EXPECT_EQ(explained.why, Refused::unreadable_reference) << "ana may not even know of ben";
    EXPECT_EQ(explained.fields, std::vector<std::string>{"student"});
}

TEST_F(RulesTest, NothingMovesOutOfItsOwnersRules) {
    auto draft =
        as("professor", "prof", "INSERT INTO data.announcements (body) VALUES ('Soon') RETURNING id");
    EXPECT_EQ(
        updated("registrar", "r",
                "UPDATE data.enrollments SET section = '" + history + "' WHERE id = '" + ana_physics + "'"),
        1u);
    EXPECT_EQ(seen("professor", "prof", "enrollments", "id"), "");
    expect_refused("professor", "other",
                   "UPDATE data.enrollments SET section = '" + physics + "' WHERE id = '" + ana_physics + "'",
                   "42501");
}

TEST_F(RulesTest, ASoftDeleteHidesFromEverybody) {
    auto gone = "UPDATE data.students SET deleted_at = now() WHERE id = '" + ana + "'";
    expect_refused("registrar", "r", gone, "42501");
    expect_refused("student", "ana", gone, "42501");
    EXPECT_EQ(updated("admin", "a", gone), 1u);
    EXPECT_EQ(seen("admin", "a", "students", "name"), "Ben");
    EXPECT_EQ(seen("student", "ana", "students", "name"), "");
    EXPECT_EQ(updated("admin", "a", gone), 0u);
    EXPECT_EQ(updated("registrar", "r", "UPDATE data.students SET notes = 'x'"), 1u) << "Ben alone";
    expect_refused("admin", "a", "DELETE FROM data.students", "42501");
    EXPECT_EQ(updated("registrar", "r",
                      "INSERT INTO data.students (name, email) VALUES ('Ana II', 'ana@school.example')"),
              1u)
        << "what is gone does not stand in the way";
}

TEST_F(RulesTest, EachPathIsAskedOncePerQueryAndServedByAnIndex) {
    owner(
        "INSERT INTO data.students (name, email) SELECT n, n || '@many.example' FROM (SELECT 's' || g AS n "
        "FROM "
        "generate_series(1, 5000) g) x");
    owner("INSERT INTO data.enrollments (student, section) SELECT id, '" + history +
          "' FROM data.students WHERE email LIKE '%@many.example'");
    owner("ANALYZE data.students, data.enrollments");
    auto plan =
        as("student", "ana", "EXPLAIN SELECT id FROM data.enrollments ORDER BY created_at DESC, id DESC");
    std::string text;
    for (std::size_t i = 0; i < plan.rows->size(); ++i)
        text += plan.text(i) + "\n";
    EXPECT_NE(text.find("InitPlan"), std::string::npos) << text;
    EXPECT_NE(text.find("Index Cond: (student = ANY"), std::string::npos) << text;
    EXPECT_EQ(text.find("Seq Scan"), std::string::npos) << text;
}

}  // namespace
}  // namespace integreat::collections
