// SPDX-License-Identifier: Apache-2.0
// Each part of a rule as enforced by the database.
#include "services/collections/schema/row_policies.h"

#include "services/collections/testing/school_fixture.h"

namespace integreat::collections {
namespace {

using testing::SchoolFixture;

struct RowPoliciesTest : SchoolFixture {
    // Returns the values of a column in all records visible to the caller.
    std::string visible(const std::string& role, const std::string& uid, const std::string& collection,
                        const std::string& column) {
        return query_as(role, uid,
                        "SELECT coalesce(string_agg(" + column + "::text, ',' ORDER BY " + column +
                            "::text), '') FROM data." + collection)
            .text();
    }
    std::uint64_t updated(const std::string& role, const std::string& uid, const std::string& sql) {
        auto result = query_as(role, uid, sql);
        EXPECT_TRUE(result.ok()) << sql << ": " << result.rows.error().cause;
        return result.affected();
    }
    void expect_refused(const std::string& role, const std::string& uid, const std::string& sql,
                        const std::string& state) {
        auto result = query_as(role, uid, sql);
        EXPECT_FALSE(result.ok()) << role << ": " << sql;
        EXPECT_EQ(result.server_error.sqlstate, state) << role << ": " << sql;
    }
};

TEST_F(RowPoliciesTest, ARoleReadsAllAndOthersNothing) {
    EXPECT_EQ(visible("registrar", "r", "students", "name"), "Ana,Ben");
    EXPECT_EQ(visible("admin", "a", "students", "name"), "Ana,Ben");
    for (std::string role : {"none", "anonymous"})
        expect_refused(role, "ana", "SELECT id FROM data.students", "42501");
}

TEST_F(RowPoliciesTest, AnOwnerReadsAndChangesOnlyTheirOwn) {
    EXPECT_EQ(visible("student", "ana", "students", "name"), "Ana");
    EXPECT_EQ(visible("student", "ben", "students", "name"), "Ben");
    EXPECT_EQ(visible("student", "cara", "students", "name"), "");
    EXPECT_EQ(visible("student", "", "students", "name"), "")
        << "a record without an owner belongs to no caller";
    auto change = "UPDATE data.students SET phone = '+639170000000' WHERE email LIKE '%'";
    EXPECT_EQ(updated("student", "ana", change), 1u);
    EXPECT_EQ(updated("student", "cara", change), 0u);
    EXPECT_EQ(
        query_as_owner("SELECT count(*) FROM data.students WHERE phone = '+639170000000'").integer(0, 0), 1);
}

TEST_F(RowPoliciesTest, NullOwnerMatchesNoCaller) {
    query_as_owner("INSERT INTO data.students (name, email) VALUES ('Nobody', 'nobody@x.example')");
    EXPECT_EQ(visible("student", "", "students", "name"), "");
    query_as_owner("UPDATE data.sections SET professor = NULL");
    EXPECT_EQ(updated("professor", "", "UPDATE data.sections SET room = 'B' WHERE title <> ''"), 0u);
}

TEST_F(RowPoliciesTest, AListMayHoldTheOwner) {
    EXPECT_EQ(updated("student", "ben", "UPDATE data.sections SET room = 'A1' WHERE title <> ''"), 1u);
    EXPECT_EQ(updated("student", "ana", "UPDATE data.sections SET room = 'A2' WHERE title <> ''"), 0u);
    EXPECT_EQ(query_as_owner("SELECT room FROM data.sections WHERE title = 'Physics'").text(0, 0), "A1");
}

TEST_F(RowPoliciesTest, APathLeadsForwardToTheCaller) {
    EXPECT_EQ(visible("student", "ana", "enrollments", "id"), ana_physics);
    EXPECT_EQ(visible("professor", "other", "enrollments", "id"), ben_history);
    EXPECT_EQ(visible("professor", "ana", "enrollments", "id"), "");
    EXPECT_EQ(visible("student", "prof", "enrollments", "id"), "") << "a path belongs to its roles";
}

TEST_F(RowPoliciesTest, APathLeadsBackwardToTheCaller) {
    EXPECT_EQ(visible("professor", "prof", "students", "name"), "Ana");
    EXPECT_EQ(visible("professor", "other", "students", "name"), "Ben");
    query_as_owner("DELETE FROM data.enrollments WHERE id = '" + ana_physics + "'");
    EXPECT_EQ(visible("professor", "prof", "students", "name"), "");
}

TEST_F(RowPoliciesTest, APathDoesNotLeadThroughWhatIsDeleted) {
    query_as_owner("UPDATE data.students SET deleted_at = now() - interval '1 day' WHERE id = '" + ana + "'");
    EXPECT_EQ(visible("student", "ana", "enrollments", "id"), "");
    EXPECT_EQ(visible("registrar", "r", "students", "name"), "Ben");
}

TEST_F(RowPoliciesTest, UnreadableFieldsAreRejected) {
    EXPECT_EQ(query_as("professor", "prof", "SELECT name, program, version FROM data.students").text(),
              "Ana");
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

TEST_F(RowPoliciesTest, StatesDecideWhoReadsAndChanges) {
    auto draft =
        query_as("professor", "prof", "INSERT INTO data.announcements (body) VALUES ('Soon') RETURNING id");
    ASSERT_TRUE(draft.ok()) << draft.rows.error().cause;
    EXPECT_EQ(visible("professor", "prof", "announcements", "body"), "Soon");
    EXPECT_EQ(visible("registrar", "r", "announcements", "body"), "");
    EXPECT_EQ(updated("professor", "prof", "UPDATE data.announcements SET body = 'Now' WHERE true"), 1u);
    query_as_owner("UPDATE data.announcements SET state = 'published'");
    EXPECT_EQ(visible("student", "ana", "announcements", "body"), "Now");
    EXPECT_EQ(visible("none", "x", "announcements", "body"), "Now") << "every signed-in user";
    expect_refused("anonymous", "", "SELECT body FROM data.announcements", "42501");
    auto conflicts =
        query_as("professor", "prof", "UPDATE data.announcements SET body = 'Later' WHERE body = 'Now'");
    EXPECT_FALSE(conflicts.ok()) << "it is a draft no more";
    EXPECT_EQ(violation("announcements", conflicts).kind, ViolationKind::forbidden);
}

TEST_F(RowPoliciesTest, CreatorIsTheCaller) {
    expect_refused("professor", "prof",
                   "INSERT INTO data.announcements (body, created_by) VALUES ('x', 'other')", "42501");
    query_as("professor", "prof", "INSERT INTO data.announcements (body) VALUES ('mine')");
    EXPECT_EQ(query_as_owner("SELECT created_by FROM data.announcements").text(0, 0), "prof");
    EXPECT_EQ(updated("professor", "other", "DELETE FROM data.announcements WHERE body = 'mine'"), 0u);
    EXPECT_EQ(updated("professor", "prof", "DELETE FROM data.announcements WHERE body = 'mine'"), 1u);
}

TEST_F(RowPoliciesTest, AllowsCreatingWithoutReading) {
    auto insert = "INSERT INTO data.inquiries (question) VALUES ('When?')";
    EXPECT_EQ(updated("anonymous", "", insert), 1u);
    EXPECT_EQ(updated("none", "x", insert), 1u);
    expect_refused("anonymous", "", std::string(insert) + " RETURNING id", "42501");
    expect_refused("student", "ana", "SELECT id FROM data.inquiries", "42501");
    EXPECT_EQ(visible("registrar", "r", "inquiries", "question"), "When?,When?");
}

TEST_F(RowPoliciesTest, CreatingNeedsARule) {
    expect_refused("student", "ana", "INSERT INTO data.students (name, email) VALUES ('X', 'x@y.example')",
                   "42501");
    expect_refused("admin", "a", "INSERT INTO data.sections (title) VALUES ('X')", "42501");
    EXPECT_EQ(updated("registrar", "r", "INSERT INTO data.sections (title) VALUES ('Art')"), 1u);
}

TEST_F(RowPoliciesTest, CreatingIsBoundToThePathToo) {
    auto create = [&](const std::string& student) {
        return "INSERT INTO data.enrollments (student, section) VALUES ('" + student + "', '" + history +
               "')";
    };
    EXPECT_EQ(updated("student", "ana", create(ana)), 1u);
    auto for_another = query_as("student", "ana", create(ben));
    EXPECT_FALSE(for_another.ok());
    auto explained = violation("enrollments", for_another);
    EXPECT_EQ(explained.kind, ViolationKind::unreadable_reference) << "ana may not even know of ben";
    EXPECT_EQ(explained.fields, std::vector<std::string>{"student"});
}

TEST_F(RowPoliciesTest, RecordsCannotBeMovedByOthers) {
    auto draft =
        query_as("professor", "prof", "INSERT INTO data.announcements (body) VALUES ('Soon') RETURNING id");
    EXPECT_EQ(
        updated("registrar", "r",
                "UPDATE data.enrollments SET section = '" + history + "' WHERE id = '" + ana_physics + "'"),
        1u);
    EXPECT_EQ(visible("professor", "prof", "enrollments", "id"), "");
    expect_refused("professor", "other",
                   "UPDATE data.enrollments SET section = '" + physics + "' WHERE id = '" + ana_physics + "'",
                   "42501");
}

TEST_F(RowPoliciesTest, SoftDeleteHidesTheRecord) {
    auto gone = "UPDATE data.students SET deleted_at = now() WHERE id = '" + ana + "'";
    expect_refused("registrar", "r", gone, "42501");
    expect_refused("student", "ana", gone, "42501");
    EXPECT_EQ(updated("admin", "a", gone), 1u);
    EXPECT_EQ(visible("admin", "a", "students", "name"), "Ben");
    EXPECT_EQ(visible("student", "ana", "students", "name"), "");
    EXPECT_EQ(updated("admin", "a", gone), 0u);
    EXPECT_EQ(updated("registrar", "r", "UPDATE data.students SET notes = 'x'"), 1u) << "Ben alone";
    expect_refused("admin", "a", "DELETE FROM data.students", "42501");
    EXPECT_EQ(updated("registrar", "r",
                      "INSERT INTO data.students (name, email) VALUES ('Ana II', 'ana@school.example')"),
              1u)
        << "what is gone does not stand in the way";
}

TEST_F(RowPoliciesTest, PathsRunOncePerQueryAndUseAnIndex) {
    query_as_owner(
        "INSERT INTO data.students (name, email) SELECT n, n || '@many.example' FROM (SELECT 's' || g AS n "
        "FROM "
        "generate_series(1, 5000) g) x");
    query_as_owner("INSERT INTO data.enrollments (student, section) SELECT id, '" + history +
                   "' FROM data.students WHERE email LIKE '%@many.example'");
    query_as_owner("ANALYZE data.students, data.enrollments");
    auto plan = query_as("student", "ana",
                         "EXPLAIN SELECT id FROM data.enrollments ORDER BY created_at DESC, id DESC");
    std::string text;
    for (std::size_t i = 0; i < plan.rows->size(); ++i)
        text += plan.text(i) + "\n";
    EXPECT_NE(text.find("InitPlan"), std::string::npos) << text;
    EXPECT_NE(text.find("Index Cond: (student = ANY"), std::string::npos) << text;
    EXPECT_EQ(text.find("Seq Scan"), std::string::npos) << text;
}

}  // namespace
}  // namespace integreat::collections
