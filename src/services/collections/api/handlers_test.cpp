// SPDX-License-Identifier: Apache-2.0
// The routes of a small school, called as the gateway calls them, before a real database.
#include "services/collections/api/handlers.h"

#include <gmock/gmock.h>

#include "services/collections/testing/api_test_client.h"

namespace integreat::collections {
namespace {

using testing::Answer;
using testing::Calls;
using ::testing::HasSubstr;

class RecordsTest : public ::testing::Test {
protected:
    // A section of professor p1 and a student s1, made by the registrar.
    std::string make_section(std::string professor = "p1") {
        auto made = calls.send("POST", "/sections", "r1:registrar",
                               R"({"title": "CS-)" + std::to_string(++sections) + R"(", "professor": ")" +
                                   professor + R"(", "fee": {"amount": 150000}, "capacity": 30})");
        EXPECT_EQ(made.status, 201) << made.body;
        return made.id();
    }
    std::string make_student(std::string user = "s1") {
        auto made = calls.send("POST", "/students", "r1:registrar",
                               R"({"name": "Ana Reyes", "user": ")" + user + R"(", "email": ")" + user +
                                   R"(@Example.PH", "phone": "0917 123 4567"})");
        EXPECT_EQ(made.status, 201) << made.body;
        return made.id();
    }

    Calls calls;
    int sections = 0;
};

TEST_F(RecordsTest, AnswersWhatWasCreatedAsItIsStored) {
    auto made = calls.send("POST", "/students", "r1:registrar",
                           R"({"name": "Ana Reyes", "email": "Ana@Example.PH", "phone": "0917 123 4567",
                               "address": {"city": "Cebu", "latitude": 10.3157}, "born": "2005-02-28"})");
    ASSERT_EQ(made.status, 201) << made.body;
    EXPECT_EQ(made.text("email"), "Ana@example.ph");
    EXPECT_EQ(made.text("phone"), "+639171234567");
    EXPECT_EQ(made.text("created_by"), "r1");
    EXPECT_EQ(made.headers.value("ETag"), "\"1\"");
    EXPECT_EQ(made.headers.value("Location"), "/v1/apps/school/students/" + made.id());
    auto got = calls.send("GET", "/students/" + made.id(), "r1:registrar");
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.body, made.body);
    EXPECT_EQ(
        calls.send("GET", "/students/" + made.id(), "r1:registrar", "", {{"If-None-Match", "\"1\""}}).status,
        304);
    EXPECT_EQ(
        calls.send("GET", "/students/" + made.id(), "r1:registrar", "", {{"If-None-Match", "\"2\""}}).status,
        200);
}

TEST_F(RecordsTest, TellsAllMistakesOfABodyAtOnce) {
    auto no =
        calls.send("POST", "/students", "r1:registrar",
                   R"({"nme": "Ana", "email": "ana", "phone": "12", "version": 3, "born": "2026-02-30"})");
    EXPECT_EQ(no.status, 400);
    EXPECT_EQ(no.type, "invalid-request");
    EXPECT_THAT(no.body,
                HasSubstr(R"({"pointer":"#/nme","detail":"is not known here, did you mean \"name\"?"})"));
    EXPECT_THAT(no.body, HasSubstr(R"("#/email")"));
    EXPECT_THAT(no.body, HasSubstr(R"("#/phone")"));
    EXPECT_THAT(no.body, HasSubstr(R"({"pointer":"#/version","detail":"is set by the platform"})"));
    EXPECT_THAT(no.body, HasSubstr(R"("#/born")"));
    EXPECT_THAT(no.body, HasSubstr(R"({"pointer":"#/name","detail":"is required"})"));
}

TEST_F(RecordsTest, NamesTheFieldsThatAreTaken) {
    make_student("s1");
    auto no = calls.send("POST", "/students", "r1:registrar", R"({"name": "Bea", "email": "s1@example.ph"})");
    EXPECT_EQ(no.status, 409);
    EXPECT_EQ(no.type, "already-exists");
    EXPECT_THAT(no.body, HasSubstr(R"("#/email")"));
}

TEST_F(RecordsTest, LetsTheCallerSeeTheirOwnRecordsOnly) {
    auto own = make_student("s1");
    auto other = make_student("s2");
    EXPECT_EQ(calls.send("GET", "/students/" + own, "s1:student").status, 200);
    auto hidden = calls.send("GET", "/students/" + other, "s1:student");
    auto missing = calls.send("GET", "/students/00000000-0000-7000-8000-000000000000", "s1:student");
    EXPECT_EQ(hidden.status, 404);
    EXPECT_EQ(hidden.without_id(), missing.without_id());
    EXPECT_EQ(calls.send("GET", "/students/me", "s1:student").status, 404);
    auto list = calls.send("GET", "/students", "s1:student");
    EXPECT_EQ(list.items(), 1u);
    EXPECT_EQ(calls.send("PATCH", "/students/" + other, "s1:student", R"({"phone": "09171234567"})").status,
              404);
}

TEST_F(RecordsTest, ShowsEachRoleItsFieldsAndNoOthers) {
    make_student("s1");
    for (const char* query : {"?sort=email", "?email=eq.s1@example.ph", "?fields=email", "?q=ana",
                              "?select=min(email)", "?group=email"}) {
        auto aggregate = std::string_view(query).find("select") != std::string_view::npos ||
                         std::string_view(query).find("group") != std::string_view::npos;
        auto no = calls.send("GET", std::string("/students") + (aggregate ? "/aggregate" : "") + query,
                             "p1:professor");
        EXPECT_EQ(no.status, 400) << query;
        auto unknown = calls.send("GET", std::string("/students?sort=nothing"), "p1:professor");
        EXPECT_EQ(unknown.status, 400);
    }
}

TEST_F(RecordsTest, ChangesWhatTheRoleMayChange) {
    auto id = make_student("s1");
    auto changed =
        calls.send("PATCH", "/students/" + id, "s1:student", R"({"phone": null})", {{"If-Match", "\"1\""}});
    ASSERT_EQ(changed.status, 200) << changed.body;
    EXPECT_THAT(changed.body, HasSubstr(R"("phone":null)"));
    EXPECT_EQ(changed.headers.value("ETag"), "\"2\"");
    auto stale =
        calls.send("PATCH", "/students/" + id, "s1:student", R"({"phone": null})", {{"If-Match", "\"1\""}});
    EXPECT_EQ(stale.status, 412);
    EXPECT_EQ(stale.type, "changed-meanwhile");
    auto no = calls.send("PATCH", "/students/" + id, "s1:student", R"({"name": "Bea"})");
    EXPECT_EQ(no.status, 400);
    EXPECT_THAT(no.body, HasSubstr(R"("#/name","detail":"cannot be written by the role student")"));
}

TEST_F(RecordsTest, MergesObjectsIntoWhatIsThere) {
    auto id = make_student("s1");
    auto patch = [&](std::string body, http::Headers headers = {}) {
        return calls.send("PATCH", "/students/" + id, "s1:student", std::move(body), std::move(headers));
    };
    auto incomplete = patch(R"({"address": {"barangay": "Lahug"}})");
    EXPECT_EQ(incomplete.status, 400);
    EXPECT_THAT(incomplete.body, HasSubstr(R"("#/address/city","detail":"is required")"));
    ASSERT_EQ(patch(R"({"address": {"city": "Cebu", "barangay": "Lahug"}})").status, 200);
    auto merged =
        patch(R"({"address": {"line": "Gorordo Avenue", "barangay": null}})", {{"If-Match", "\"2\""}});
    ASSERT_EQ(merged.status, 200) << merged.body;
    EXPECT_THAT(merged.body,
                HasSubstr(R"("address":{"city": "Cebu", "line": "Gorordo Avenue", "country": "PH"})"));
    EXPECT_EQ(patch(R"({"address": {"line": "x"}})", {{"If-Match", "\"2\""}}).status, 412);
    EXPECT_EQ(calls.send("PATCH", "/students/" + id, "s2:student", R"({"address": {"line": "x"}})").status,
              404);
    auto cleared = patch(R"({"address": null})");
    EXPECT_THAT(cleared.body, HasSubstr(R"("address":null)"));
}

TEST_F(RecordsTest, DeletesSoftlyWhereRecordsAreKept) {
    auto id = make_student("s1");
    EXPECT_EQ(calls.send("DELETE", "/students/" + id, "a1:admin", "", {{"If-Match", "\"9\""}}).status, 412);
    auto gone = calls.send("DELETE", "/students/" + id, "a1:admin");
    EXPECT_EQ(gone.status, 204) << gone.body;
    EXPECT_EQ(calls.send("GET", "/students/" + id, "r1:registrar").status, 404);
    EXPECT_EQ(calls.send("DELETE", "/students/" + id, "a1:admin").status, 404);
}

TEST_F(RecordsTest, CreatesManyOrNone) {
    auto three =
        calls.send("POST", "/students", "r1:registrar",
                   R"([{"name": "A", "email": "a@x.ph"}, {"name": "B", "email": "b@x.ph", "notes": "n"},
                                {"name": "C", "email": "c@x.ph"}])");
    ASSERT_EQ(three.status, 201) << three.body;
    EXPECT_EQ(three.items(), 3u);
    EXPECT_THAT(three.body, HasSubstr(R"("email":"a@x.ph")"));
    auto bad =
        calls.send("POST", "/students", "r1:registrar",
                   R"([{"name": "D", "email": "d@x.ph"}, {"name": "E", "email": "e"}, {"email": "f@x.ph"}])");
    EXPECT_EQ(bad.status, 400);
    EXPECT_THAT(bad.body, HasSubstr(R"("#/1/email")"));
    EXPECT_THAT(bad.body, HasSubstr(R"("#/2/name")"));
    auto twice = calls.send("POST", "/students", "r1:registrar",
                            R"([{"name": "G", "email": "g@x.ph"}, {"name": "H", "email": "a@x.ph"}])");
    EXPECT_EQ(twice.status, 409);
    EXPECT_THAT(twice.body, HasSubstr(R"("#/1/email")"));
    EXPECT_EQ(calls.send("GET", "/students", "r1:registrar").items(), 3u);
}

TEST_F(RecordsTest, NamesEachOfManyThatTheDatabaseRefuses) {
    ASSERT_EQ(calls
                  .send("POST", "/students", "r1:registrar",
                        R"([{"name": "A", "email": "a@x.ph"}, {"name": "B", "email": "b@x.ph"}])")
                  .status,
              201);
    auto no = calls.send("POST", "/students", "r1:registrar",
                         R"([{"name": "B", "email": "b@x.ph"}, {"name": "C", "email": "c@x.ph"},
                             {"name": "C", "email": "c@x.ph"}, {"name": "D", "email": "d@x.ph", "notes": "n"},
                             {"name": "A", "email": "a@x.ph", "notes": "n"}])");
    EXPECT_EQ(no.status, 409);
    EXPECT_THAT(no.body, HasSubstr(R"("errors":[{"pointer":"#/0/email","detail":"is taken"},)"
                                   R"({"pointer":"#/2/email","detail":"is taken"},)"
                                   R"({"pointer":"#/4/email","detail":"is taken"}])"));
    EXPECT_EQ(calls.send("GET", "/students", "r1:registrar").items(), 2u);
}

TEST_F(RecordsTest, LetsPeopleAskWhoMayNotReadTheAnswers) {
    auto asked = calls.send("POST", "/inquiries", "", R"({"question": "When does the term begin?"})");
    EXPECT_EQ(asked.status, 201) << asked.body;
    EXPECT_EQ(asked.body, "{}");
    EXPECT_EQ(calls.send("GET", "/inquiries", "").status, 403);
    EXPECT_EQ(calls.send("GET", "/inquiries", "r1:registrar").items(), 1u);
}

TEST_F(RecordsTest, PagesWithoutSkippingOrRepeating) {
    std::string bodies = "[";
    for (int i = 0; i < 25; ++i) {
        bodies += (i ? "," : "") + std::string(R"({"name": "N)") + std::to_string(i % 3) +
                  R"(", "email": "e)" + std::to_string(i) + R"(@x.ph")" +
                  (i % 2 ? R"(, "program": "bsit")" : "") + "}";
    }
    ASSERT_EQ(calls.send("POST", "/students", "r1:registrar", bodies + "]").status, 201);
    for (const char* sort : {"", "sort=name", "sort=-name", "sort=program", "sort=-program,name",
                             "sort=name,-program", "sort=-created_at"}) {
        std::set<std::string> seen;
        std::string next;
        int pages = 0;
        do {
            auto page = calls.send(
                "GET", std::string("/students?limit=4&") + sort + (next.empty() ? "" : "&next=" + next),
                "r1:registrar");
            ASSERT_EQ(page.status, 200) << page.body << sort;
            for (const auto& id : page.ids())
                EXPECT_TRUE(seen.insert(id).second) << sort;
            next = page.text("next");
        } while (!next.empty() && ++pages < 20);
        EXPECT_EQ(seen.size(), 25u) << sort;
    }
}

TEST_F(RecordsTest, TakesCursorsForTheListAndTheCallerTheyAreOf) {
    make_student("s1"), make_student("s2");
    auto next = calls.send("GET", "/students?limit=1", "r1:registrar").text("next");
    ASSERT_FALSE(next.empty());
    EXPECT_EQ(calls.send("GET", "/students?limit=1&next=" + next, "r1:registrar").status, 200);
    for (const auto& [target, who] : std::vector<std::pair<std::string, std::string>>{
             {"/students?next=" + next, "r2:registrar"},
             {"/students?sort=email&next=" + next, "r1:registrar"},
             {"/students?program=bsit&next=" + next, "r1:registrar"},
             {"/students?next=" + next.substr(1), "r1:registrar"},
             {"/students?next=x", "r1:registrar"}}) {
        auto no = calls.send("GET", target, who);
        EXPECT_EQ(no.status, 400) << target;
        EXPECT_THAT(no.body, HasSubstr("?next")) << target;
    }
}

TEST_F(RecordsTest, FiltersByWhatIsAsked) {
    ASSERT_EQ(calls
                  .send("POST", "/students", "r1:registrar",
                        R"([{"name": "Ana 50%", "email": "a@x.ph", "program": "bsit", "born": "2001-01-01"},
                             {"name": "Bea, \"B\"", "email": "b@x.ph", "program": "bscs",
                              "notes": "fast swimmer"},
                             {"name": "Caloy_O'Hara", "email": "c@x.ph"}])")
                  .status,
              201);
    auto count = [&](const std::string& query) {
        auto list = calls.send("GET", "/students?" + query, "r1:registrar");
        EXPECT_EQ(list.status, 200) << query << list.body;
        return list.items();
    };
    EXPECT_EQ(count("program=bsit"), 1u);
    EXPECT_EQ(count("program=ne.bsit"), 1u);
    EXPECT_EQ(count("program=in.(bsit,bscs)"), 2u);
    EXPECT_EQ(count("program=null.true"), 1u);
    EXPECT_EQ(count("name=in.(%22Bea,%20%5C%22B%5C%22%22)"), 1u);
    EXPECT_EQ(count("name=like.*50%25"), 1u);
    EXPECT_EQ(count("name=like.%25"), 0u);
    EXPECT_EQ(count("name=starts.Caloy_O'"), 1u);
    EXPECT_EQ(count("name=starts.Caloy.O"), 0u);
    EXPECT_EQ(count("born=lt.2002-01-01"), 1u);
    EXPECT_EQ(count("created_at=gt.2020-01-01T00:00:00Z&created_at=lt.2020-01-02T00:00:00Z"), 0u);
    EXPECT_EQ(count("q=swimmer"), 1u);
    EXPECT_EQ(count("email='%20OR%201=1--"), 0u);
    for (const char* bad :
         {"nme=x", "born=lt.now", "limit=0", "limit=201", "limit=x", "sort=name,name", "program=in.x",
          "fields=", "address=x", "program=null.maybe", "limit=1&limit=2", "expand=name"}) {
        EXPECT_EQ(calls.send("GET", std::string("/students?") + bad, "r1:registrar").status, 400) << bad;
    }
}

TEST_F(RecordsTest, FiltersListsByTheirElements) {
    for (const char* assistants : {R"(["u1", "u2"])", R"(["u2"])", "[]"}) {
        auto made = calls.send(
            "POST", "/sections", "r1:registrar",
            R"({"title": "T)" + std::to_string(++sections) + R"(", "assistants": )" + assistants + "}");
        ASSERT_EQ(made.status, 201) << made.body;
    }
    auto count = [&](const std::string& query) {
        return calls.send("GET", "/sections?" + query, "").items();
    };
    EXPECT_EQ(count("assistants=u1"), 1u);
    EXPECT_EQ(count("assistants=u2"), 2u);
    EXPECT_EQ(count("assistants=ne.u1"), 2u);
    EXPECT_EQ(count("assistants=in.(u1,u3)"), 1u);
    EXPECT_EQ(count("assistants=in.(u3)"), 0u);
    EXPECT_EQ(calls.send("GET", "/sections?assistants=gt.u1", "").status, 400);
}

TEST_F(RecordsTest, CarriesOutTransitionsFromWhereTheyStart) {
    auto student = make_student("s1");
    auto section = make_section();
    auto made = calls.send("POST", "/enrollments", "r1:registrar",
                           R"({"student": ")" + student + R"(", "section": ")" + section + "\"}");
    ASSERT_EQ(made.status, 201) << made.body;
    EXPECT_EQ(made.text("state"), "pending");
    auto path = "/enrollments/" + made.id() + "/enroll";
    auto refused = calls.send("POST", path, "s1:student");
    EXPECT_THAT((std::vector{403, 404}), ::testing::Contains(refused.status)) << refused.body;
    auto done = calls.send("POST", path, "r1:registrar");
    ASSERT_EQ(done.status, 200) << done.body;
    EXPECT_EQ(done.text("state"), "enrolled");
    auto again = calls.send("POST", path, "r1:registrar");
    EXPECT_EQ(again.status, 409) << again.body;
    EXPECT_EQ(again.type, "wrong-state");
}

TEST_F(RecordsTest, PutsReferencedRecordsInPlaceOfTheirIds) {
    auto student = make_student("s1");
    auto section = make_section();
    auto made = calls.send("POST", "/enrollments", "r1:registrar",
                           R"({"student": ")" + student + R"(", "section": ")" + section + "\"}");
    auto list = calls.send("GET", "/enrollments?expand=student,section&limit=5", "r1:registrar");
    ASSERT_EQ(list.status, 200) << list.body;
    EXPECT_THAT(list.body, HasSubstr(R"("student":{"id":")" + student));
    EXPECT_THAT(list.body, HasSubstr(R"("section":{"id":")" + section));
    auto one =
        calls.send("GET", "/enrollments/" + made.id() + "?expand=section&fields=id,section", "s1:student");
    ASSERT_EQ(one.status, 200) << one.body;
    EXPECT_FALSE(one.headers.contains("ETag"));
    auto missing =
        calls.send("POST", "/enrollments", "r1:registrar",
                   R"({"student": "00000000-0000-7000-8000-000000000000", "section": ")" + section + "\"}");
    EXPECT_EQ(missing.status, 400);
    EXPECT_THAT(missing.body, HasSubstr(R"("#/student","detail":"there is no such record")"));
}

TEST_F(RecordsTest, ShowsNothingOfReferencedRecordsThatTheRoleMayNotRead) {
    auto student = make_student("s1");
    auto section = make_section("p1");
    calls.send("POST", "/enrollments", "r1:registrar",
               R"({"student": ")" + student + R"(", "section": ")" + section + "\"}");
    auto seen = calls.send("GET", "/enrollments?expand=student", "p1:professor");
    ASSERT_EQ(seen.status, 200) << seen.body;
    EXPECT_THAT(seen.body, HasSubstr(R"("name":"Ana Reyes")"));
    EXPECT_THAT(seen.body, ::testing::Not(HasSubstr("s1@example.ph")));
    auto unknown = calls.send("GET", "/enrollments?expand=student", "p2:professor");
    EXPECT_EQ(unknown.items(), 0u);
}

TEST_F(RecordsTest, SumsUpUnderTheSameRules) {
    make_section("p1"), make_section("p1"), make_section("p2");
    auto sums =
        calls.send("GET", "/sections/aggregate?select=count,sum(fee),avg(capacity),max(fee)&group=professor",
                   "r1:registrar");
    ASSERT_EQ(sums.status, 200) << sums.body;
    EXPECT_THAT(sums.body,
                HasSubstr(R"({"professor":"p1","count":2,"sum_fee":{"amount":300000,"currency":"PHP"},)"
                          R"("avg_capacity":"30.)"));
    EXPECT_EQ(calls.send("GET", "/sections/aggregate?select=sum(title)", "r1:registrar").status, 400);
    EXPECT_EQ(calls.send("GET", "/students/aggregate", "s1:student").body, R"({"items":[{"count":0}]})");
}

TEST_F(RecordsTest, SaysWhenTheDatabaseIsAway) {
    calls.lose_database();
    auto away = calls.send("GET", "/students", "r1:registrar");
    EXPECT_EQ(away.status, 503);
    EXPECT_EQ(away.headers.value("Retry-After"), "1");
    auto unwritten = calls.send("POST", "/students", "r1:registrar", R"({"name": "A", "email": "a@x.ph"})");
    EXPECT_EQ(unwritten.status, 503);
}

}  // namespace
}  // namespace integreat::collections
