// SPDX-License-Identifier: Apache-2.0
// Handlers of the test app "school", called as the gateway does, with a real database.
#include <gmock/gmock.h>

#include "services/collections/testing/api_test_client.h"

namespace integreat::collections {
namespace {

using testing::ApiResponse;
using testing::ApiTestClient;
using ::testing::HasSubstr;

class HandlersTest : public ::testing::Test {
protected:
    // Create a section of professor p1 and a student s1 as the registrar.
    std::string make_section(std::string professor = "p1") {
        auto created = client.send("POST", "/sections", "r1:registrar",
                                   R"({"title": "CS-)" + std::to_string(++sections) + R"(", "professor": ")" +
                                       professor + R"(", "fee": {"amount": 150000}, "capacity": 30})");
        EXPECT_EQ(created.status, 201) << created.body;
        return created.id();
    }
    std::string make_student(std::string user = "s1") {
        auto created = client.send("POST", "/students", "r1:registrar",
                                   R"({"name": "Ana Reyes", "user": ")" + user + R"(", "email": ")" + user +
                                       R"(@Example.PH", "phone": "0917 123 4567"})");
        EXPECT_EQ(created.status, 201) << created.body;
        return created.id();
    }

    ApiTestClient client;
    int sections = 0;
};

TEST_F(HandlersTest, ReturnsCreatedRecordsAsStored) {
    auto created = client.send("POST", "/students", "r1:registrar",
                               R"({"name": "Ana Reyes", "email": "Ana@Example.PH", "phone": "0917 123 4567",
                               "address": {"city": "Cebu", "latitude": 10.3157}, "born": "2005-02-28"})");
    ASSERT_EQ(created.status, 201) << created.body;
    EXPECT_EQ(created.text("email"), "Ana@example.ph");
    EXPECT_EQ(created.text("phone"), "+639171234567");
    EXPECT_EQ(created.text("created_by"), "r1");
    EXPECT_EQ(created.headers.value("ETag"), "\"1\"");
    EXPECT_EQ(created.headers.value("Location"), "/v1/apps/school/students/" + created.id());
    auto got = client.send("GET", "/students/" + created.id(), "r1:registrar");
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.body, created.body);
    EXPECT_EQ(
        client.send("GET", "/students/" + created.id(), "r1:registrar", "", {{"If-None-Match", "\"1\""}})
            .status,
        304);
    EXPECT_EQ(
        client.send("GET", "/students/" + created.id(), "r1:registrar", "", {{"If-None-Match", "\"2\""}})
            .status,
        200);
}

TEST_F(HandlersTest, ReportsAllErrorsOfABody) {
    auto rejected =
        client.send("POST", "/students", "r1:registrar",
                    R"({"nme": "Ana", "email": "ana", "phone": "12", "version": 3, "born": "2026-02-30"})");
    EXPECT_EQ(rejected.status, 400);
    EXPECT_EQ(rejected.type, "invalid-request");
    EXPECT_THAT(rejected.body,
                HasSubstr(R"({"pointer":"#/nme","detail":"is unknown, did you mean \"name\"?"})"));
    EXPECT_THAT(rejected.body, HasSubstr(R"("#/email")"));
    EXPECT_THAT(rejected.body, HasSubstr(R"("#/phone")"));
    EXPECT_THAT(rejected.body, HasSubstr(R"({"pointer":"#/version","detail":"is set by the platform"})"));
    EXPECT_THAT(rejected.body, HasSubstr(R"("#/born")"));
    EXPECT_THAT(rejected.body, HasSubstr(R"({"pointer":"#/name","detail":"is required"})"));
}

TEST_F(HandlersTest, NamesTheFieldsOfUniqueViolations) {
    make_student("s1");
    auto rejected =
        client.send("POST", "/students", "r1:registrar", R"({"name": "Bea", "email": "s1@example.ph"})");
    EXPECT_EQ(rejected.status, 409);
    EXPECT_EQ(rejected.type, "already-exists");
    EXPECT_THAT(rejected.body, HasSubstr(R"("#/email")"));
}

TEST_F(HandlersTest, LetsTheCallerSeeTheirOwnRecordsOnly) {
    auto own = make_student("s1");
    auto other = make_student("s2");
    EXPECT_EQ(client.send("GET", "/students/" + own, "s1:student").status, 200);
    auto hidden = client.send("GET", "/students/" + other, "s1:student");
    auto missing = client.send("GET", "/students/00000000-0000-7000-8000-000000000000", "s1:student");
    EXPECT_EQ(hidden.status, 404);
    EXPECT_EQ(hidden.without_id(), missing.without_id());
    EXPECT_EQ(client.send("GET", "/students/me", "s1:student").status, 404);
    auto list = client.send("GET", "/students", "s1:student");
    EXPECT_EQ(list.items(), 1u);
    EXPECT_EQ(client.send("PATCH", "/students/" + other, "s1:student", R"({"phone": "09171234567"})").status,
              404);
}

TEST_F(HandlersTest, LimitsEachRoleToItsFields) {
    make_student("s1");
    for (const char* query : {"?sort=email", "?email=eq.s1@example.ph", "?fields=email", "?q=ana",
                              "?select=min(email)", "?group=email"}) {
        auto aggregate = std::string_view(query).find("select") != std::string_view::npos ||
                         std::string_view(query).find("group") != std::string_view::npos;
        auto rejected = client.send("GET", std::string("/students") + (aggregate ? "/aggregate" : "") + query,
                                    "p1:professor");
        EXPECT_EQ(rejected.status, 400) << query;
        auto unknown = client.send("GET", std::string("/students?sort=nothing"), "p1:professor");
        EXPECT_EQ(unknown.status, 400);
    }
}

TEST_F(HandlersTest, UpdatesOnlyFieldsOfTheRole) {
    auto id = make_student("s1");
    auto changed =
        client.send("PATCH", "/students/" + id, "s1:student", R"({"phone": null})", {{"If-Match", "\"1\""}});
    ASSERT_EQ(changed.status, 200) << changed.body;
    EXPECT_THAT(changed.body, HasSubstr(R"("phone":null)"));
    EXPECT_EQ(changed.headers.value("ETag"), "\"2\"");
    auto stale =
        client.send("PATCH", "/students/" + id, "s1:student", R"({"phone": null})", {{"If-Match", "\"1\""}});
    EXPECT_EQ(stale.status, 412);
    EXPECT_EQ(stale.type, "version-mismatch");
    auto rejected = client.send("PATCH", "/students/" + id, "s1:student", R"({"name": "Bea"})");
    EXPECT_EQ(rejected.status, 400);
    EXPECT_THAT(rejected.body, HasSubstr(R"("#/name","detail":"cannot be written by the role student")"));
}

TEST_F(HandlersTest, MergesObjectsIntoStoredOnes) {
    auto id = make_student("s1");
    auto patch = [&](std::string body, http::Headers headers = {}) {
        return client.send("PATCH", "/students/" + id, "s1:student", std::move(body), std::move(headers));
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
    EXPECT_EQ(client.send("PATCH", "/students/" + id, "s2:student", R"({"address": {"line": "x"}})").status,
              404);
    auto cleared = patch(R"({"address": null})");
    EXPECT_THAT(cleared.body, HasSubstr(R"("address":null)"));
}

TEST_F(HandlersTest, SoftDeletesRecords) {
    auto id = make_student("s1");
    EXPECT_EQ(client.send("DELETE", "/students/" + id, "a1:admin", "", {{"If-Match", "\"9\""}}).status, 412);
    auto gone = client.send("DELETE", "/students/" + id, "a1:admin");
    EXPECT_EQ(gone.status, 204) << gone.body;
    EXPECT_EQ(client.send("GET", "/students/" + id, "r1:registrar").status, 404);
    EXPECT_EQ(client.send("DELETE", "/students/" + id, "a1:admin").status, 404);
}

TEST_F(HandlersTest, CreatesListsAtomically) {
    auto three =
        client.send("POST", "/students", "r1:registrar",
                    R"([{"name": "A", "email": "a@x.ph"}, {"name": "B", "email": "b@x.ph", "notes": "n"},
                                {"name": "C", "email": "c@x.ph"}])");
    ASSERT_EQ(three.status, 201) << three.body;
    EXPECT_EQ(three.items(), 3u);
    EXPECT_THAT(three.body, HasSubstr(R"("email":"a@x.ph")"));
    auto bad = client.send(
        "POST", "/students", "r1:registrar",
        R"([{"name": "D", "email": "d@x.ph"}, {"name": "E", "email": "e"}, {"email": "f@x.ph"}])");
    EXPECT_EQ(bad.status, 400);
    EXPECT_THAT(bad.body, HasSubstr(R"("#/1/email")"));
    EXPECT_THAT(bad.body, HasSubstr(R"("#/2/name")"));
    auto twice = client.send("POST", "/students", "r1:registrar",
                             R"([{"name": "G", "email": "g@x.ph"}, {"name": "H", "email": "a@x.ph"}])");
    EXPECT_EQ(twice.status, 409);
    EXPECT_THAT(twice.body, HasSubstr(R"("#/1/email")"));
    EXPECT_EQ(client.send("GET", "/students", "r1:registrar").items(), 3u);
}

TEST_F(HandlersTest, NamesEachRejectedRecordOfAList) {
    ASSERT_EQ(client
                  .send("POST", "/students", "r1:registrar",
                        R"([{"name": "A", "email": "a@x.ph"}, {"name": "B", "email": "b@x.ph"}])")
                  .status,
              201);
    auto rejected = client.send("POST", "/students", "r1:registrar",
                                R"([{"name": "B", "email": "b@x.ph"}, {"name": "C", "email": "c@x.ph"},
                             {"name": "C", "email": "c@x.ph"}, {"name": "D", "email": "d@x.ph", "notes": "n"},
                             {"name": "A", "email": "a@x.ph", "notes": "n"}])");
    EXPECT_EQ(rejected.status, 409);
    EXPECT_THAT(rejected.body, HasSubstr(R"("errors":[{"pointer":"#/0/email","detail":"is already in use"},)"
                                         R"({"pointer":"#/2/email","detail":"is already in use"},)"
                                         R"({"pointer":"#/4/email","detail":"is already in use"}])"));
    EXPECT_EQ(client.send("GET", "/students", "r1:registrar").items(), 2u);
}

TEST_F(HandlersTest, AllowsCreatingWithoutReading) {
    auto created = client.send("POST", "/inquiries", "", R"({"question": "When does the term begin?"})");
    EXPECT_EQ(created.status, 201) << created.body;
    EXPECT_EQ(created.body, "{}");
    EXPECT_EQ(client.send("GET", "/inquiries", "").status, 403);
    EXPECT_EQ(client.send("GET", "/inquiries", "r1:registrar").items(), 1u);
}

TEST_F(HandlersTest, PagesWithoutSkippingOrRepeating) {
    std::string bodies = "[";
    for (int i = 0; i < 25; ++i) {
        bodies += (i ? "," : "") + std::string(R"({"name": "N)") + std::to_string(i % 3) +
                  R"(", "email": "e)" + std::to_string(i) + R"(@x.ph")" +
                  (i % 2 ? R"(, "program": "bsit")" : "") + "}";
    }
    ASSERT_EQ(client.send("POST", "/students", "r1:registrar", bodies + "]").status, 201);
    for (const char* sort : {"", "sort=name", "sort=-name", "sort=program", "sort=-program,name",
                             "sort=name,-program", "sort=-created_at"}) {
        std::set<std::string> ids;
        std::string next;
        int pages = 0;
        do {
            auto page = client.send(
                "GET", std::string("/students?limit=4&") + sort + (next.empty() ? "" : "&next=" + next),
                "r1:registrar");
            ASSERT_EQ(page.status, 200) << page.body << sort;
            for (const auto& id : page.ids())
                EXPECT_TRUE(ids.insert(id).second) << sort;
            next = page.text("next");
        } while (!next.empty() && ++pages < 20);
        EXPECT_EQ(ids.size(), 25u) << sort;
    }
}

TEST_F(HandlersTest, BindsCursorsToListAndCaller) {
    make_student("s1"), make_student("s2");
    auto next = client.send("GET", "/students?limit=1", "r1:registrar").text("next");
    ASSERT_FALSE(next.empty());
    EXPECT_EQ(client.send("GET", "/students?limit=1&next=" + next, "r1:registrar").status, 200);
    for (const auto& [target, who] : std::vector<std::pair<std::string, std::string>>{
             {"/students?next=" + next, "r2:registrar"},
             {"/students?sort=email&next=" + next, "r1:registrar"},
             {"/students?program=bsit&next=" + next, "r1:registrar"},
             {"/students?next=" + next.substr(1), "r1:registrar"},
             {"/students?next=x", "r1:registrar"}}) {
        auto rejected = client.send("GET", target, who);
        EXPECT_EQ(rejected.status, 400) << target;
        EXPECT_THAT(rejected.body, HasSubstr("?next")) << target;
    }
}

TEST_F(HandlersTest, LimitsTheCostOfPatterns) {
    auto pattern = [](int stars) {
        std::string text = "name=like.";
        for (int i = 0; i < stars; ++i)
            text += "*a";
        return text;
    };
    auto send = [&](const std::string& query) {
        return client.send("GET", "/students" + query, "r1:registrar");
    };
    EXPECT_EQ(send("?" + pattern(19)).status, 200);
    EXPECT_EQ(send("?" + pattern(9) + "&" + pattern(9)).status, 200);
    for (const auto& query : {"?" + pattern(20), "?" + pattern(9) + "&" + pattern(10)}) {
        auto rejected = send(query);
        EXPECT_EQ(rejected.status, 400) << query;
        EXPECT_THAT(rejected.body, HasSubstr("at most 20: each counts 1, and each * in it 1"));
    }
    EXPECT_EQ(send("/aggregate?" + pattern(20)).status, 400);
    EXPECT_EQ(send("?name=starts." + std::string(100, '*')).status, 200) << "no pattern";
}

TEST_F(HandlersTest, FiltersByOperators) {
    ASSERT_EQ(client
                  .send("POST", "/students", "r1:registrar",
                        R"([{"name": "Ana 50%", "email": "a@x.ph", "program": "bsit", "born": "2001-01-01"},
                             {"name": "Bea, \"B\"", "email": "b@x.ph", "program": "bscs",
                              "notes": "fast swimmer"},
                             {"name": "Caloy_O'Hara", "email": "c@x.ph"}])")
                  .status,
              201);
    auto count = [&](const std::string& query) {
        auto list = client.send("GET", "/students?" + query, "r1:registrar");
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
        EXPECT_EQ(client.send("GET", std::string("/students?") + bad, "r1:registrar").status, 400) << bad;
    }
}

TEST_F(HandlersTest, FiltersListsByTheirElements) {
    for (const char* assistants : {R"(["u1", "u2"])", R"(["u2"])", "[]"}) {
        auto created = client.send(
            "POST", "/sections", "r1:registrar",
            R"({"title": "T)" + std::to_string(++sections) + R"(", "assistants": )" + assistants + "}");
        ASSERT_EQ(created.status, 201) << created.body;
    }
    auto count = [&](const std::string& query) {
        return client.send("GET", "/sections?" + query, "").items();
    };
    EXPECT_EQ(count("assistants=u1"), 1u);
    EXPECT_EQ(count("assistants=u2"), 2u);
    EXPECT_EQ(count("assistants=ne.u1"), 2u);
    EXPECT_EQ(count("assistants=in.(u1,u3)"), 1u);
    EXPECT_EQ(count("assistants=in.(u3)"), 0u);
    EXPECT_EQ(client.send("GET", "/sections?assistants=gt.u1", "").status, 400);
}

TEST_F(HandlersTest, AppliesTransitionsFromAllowedStates) {
    auto student = make_student("s1");
    auto section = make_section();
    auto created = client.send("POST", "/enrollments", "r1:registrar",
                               R"({"student": ")" + student + R"(", "section": ")" + section + "\"}");
    ASSERT_EQ(created.status, 201) << created.body;
    EXPECT_EQ(created.text("state"), "pending");
    auto path = "/enrollments/" + created.id() + "/enroll";
    auto rejected = client.send("POST", path, "s1:student");
    EXPECT_THAT((std::vector{403, 404}), ::testing::Contains(rejected.status)) << rejected.body;
    auto done = client.send("POST", path, "r1:registrar");
    ASSERT_EQ(done.status, 200) << done.body;
    EXPECT_EQ(done.text("state"), "enrolled");
    auto again = client.send("POST", path, "r1:registrar");
    EXPECT_EQ(again.status, 409) << again.body;
    EXPECT_EQ(again.type, "wrong-state");
}

TEST_F(HandlersTest, ExpandsReferences) {
    auto student = make_student("s1");
    auto section = make_section();
    auto created = client.send("POST", "/enrollments", "r1:registrar",
                               R"({"student": ")" + student + R"(", "section": ")" + section + "\"}");
    auto list = client.send("GET", "/enrollments?expand=student,section&limit=5", "r1:registrar");
    ASSERT_EQ(list.status, 200) << list.body;
    EXPECT_THAT(list.body, HasSubstr(R"("student":{"id":")" + student));
    EXPECT_THAT(list.body, HasSubstr(R"("section":{"id":")" + section));
    auto one = client.send("GET", "/enrollments/" + created.id() + "?expand=section&fields=id,section",
                           "s1:student");
    ASSERT_EQ(one.status, 200) << one.body;
    EXPECT_FALSE(one.headers.contains("ETag"));
    auto missing =
        client.send("POST", "/enrollments", "r1:registrar",
                    R"({"student": "00000000-0000-7000-8000-000000000000", "section": ")" + section + "\"}");
    EXPECT_EQ(missing.status, 400);
    EXPECT_THAT(missing.body, HasSubstr(R"("#/student","detail":"there is no such record")"));
}

TEST_F(HandlersTest, HidesUnreadableFieldsOfExpandedRecords) {
    auto student = make_student("s1");
    auto section = make_section("p1");
    client.send("POST", "/enrollments", "r1:registrar",
                R"({"student": ")" + student + R"(", "section": ")" + section + "\"}");
    auto enrollments = client.send("GET", "/enrollments?expand=student", "p1:professor");
    ASSERT_EQ(enrollments.status, 200) << enrollments.body;
    EXPECT_THAT(enrollments.body, HasSubstr(R"("name":"Ana Reyes")"));
    EXPECT_THAT(enrollments.body, ::testing::Not(HasSubstr("s1@example.ph")));
    auto unknown = client.send("GET", "/enrollments?expand=student", "p2:professor");
    EXPECT_EQ(unknown.items(), 0u);
}

TEST_F(HandlersTest, AggregatesUnderTheSameRules) {
    make_section("p1"), make_section("p1"), make_section("p2");
    auto sums =
        client.send("GET", "/sections/aggregate?select=count,sum(fee),avg(capacity),max(fee)&group=professor",
                    "r1:registrar");
    ASSERT_EQ(sums.status, 200) << sums.body;
    EXPECT_THAT(sums.body,
                HasSubstr(R"({"professor":"p1","count":2,"sum_fee":{"amount":300000,"currency":"PHP"},)"
                          R"("avg_capacity":"30.)"));
    EXPECT_EQ(client.send("GET", "/sections/aggregate?select=sum(title)", "r1:registrar").status, 400);
    EXPECT_EQ(client.send("GET", "/students/aggregate", "s1:student").body, R"({"items":[{"count":0}]})");
}

TEST_F(HandlersTest, ReportsAnUnavailableDatabase) {
    client.disconnect_database();
    auto away = client.send("GET", "/students", "r1:registrar");
    EXPECT_EQ(away.status, 503);
    EXPECT_EQ(away.headers.value("Retry-After"), "1");
    auto unwritten = client.send("POST", "/students", "r1:registrar", R"({"name": "A", "email": "a@x.ph"})");
    EXPECT_EQ(unwritten.status, 503);
}

}  // namespace
}  // namespace integreat::collections
