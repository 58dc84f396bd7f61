// SPDX-License-Identifier: Apache-2.0
// Requests while other callers change the same records.
#include <atomic>
#include <thread>

#include <gmock/gmock.h>

#include "services/collections/testing/api_test_client.h"

namespace integreat::collections {
namespace {

using testing::ApiTestClient;

std::string students(int first, int count) {
    std::string bodies;
    for (int i = first; i < first + count; ++i) {
        auto number = std::to_string(i);
        bodies += (bodies.empty() ? "[" : ",") + std::string(R"({"name": "N)") + std::to_string(i * 7 % 10) +
                  R"(", "email": "e)" + number + R"(@x.ph"})";
    }
    return bodies + "]";
}

TEST(ConcurrentRequests, PagesNeitherSkipNorRepeatStableRecords) {
    ApiTestClient client;
    auto created = client.send("POST", "/students", "r1:registrar", students(0, 60));
    ASSERT_EQ(created.status, 201) << created.body;
    std::set<std::string> throughout;
    for (const auto& id : created.ids())
        throughout.insert(id);
    std::atomic<bool> over = false;
    std::thread others([&] {
        for (int i = 1'000; !over; i += 3) {
            auto more = client.send("POST", "/students", "r2:registrar", students(i, 3));
            EXPECT_EQ(more.status, 201) << more.body;
            for (const auto& id : more.ids())
                EXPECT_EQ(client.send("DELETE", "/students/" + id, "a1:admin").status, 204);
        }
    });
    for (const char* sort :
         {"", "&sort=name", "&sort=-name,created_at", "&sort=-created_at", "&sort=program"}) {
        std::vector<std::string> ids;
        std::string next;
        do {
            auto page = client.send("GET", std::string("/students?limit=7") + sort + next, "r1:registrar");
            ASSERT_EQ(page.status, 200) << page.body;
            for (const auto& id : page.ids())
                ids.push_back(id);
            next = page.text("next").empty() ? "" : "&next=" + page.text("next");
        } while (!next.empty());
        std::set<std::string> once(ids.begin(), ids.end());
        EXPECT_EQ(once.size(), ids.size()) << "repeated" << sort;
        for (const auto& id : throughout)
            EXPECT_TRUE(once.contains(id)) << "skipped" << sort;
    }
    over = true;
    others.join();
}

std::string inquiries(int count) {
    std::string bodies;
    for (int i = 0; i < count; ++i)
        bodies += (i == 0 ? "[" : ",") + std::string(R"({"question": "When?"})");
    return bodies + "]";
}

TEST(ConcurrentRequests, CreateAtMostTheQuotaOfAnOwner) {
    ApiTestClient client;
    std::atomic<int> created = 0, limited = 0;
    std::vector<std::thread> callers;
    for (int i = 0; i < 4; ++i) {
        callers.emplace_back([&] {
            for (int j = 0; j < 12; ++j) {
                auto response = client.send("POST", "/inquiries", "u1:visitor", R"({"question": "When?"})");
                if (response.status == 201) ++created;
                if (response.status == 429 && response.type == "limit-reached") ++limited;
            }
        });
    }
    for (auto& caller : callers)
        caller.join();
    EXPECT_EQ(created, 20);
    EXPECT_EQ(limited, 28);
    EXPECT_EQ(client.send("GET", "/inquiries?limit=100", "r1:registrar").items(), 20u);
}

TEST(Quota, IsOfEachOwnerAndNamesTheLimit) {
    ApiTestClient client;
    auto refused = client.send("POST", "/inquiries", "u1:visitor", inquiries(21));
    EXPECT_EQ(refused.status, 429);
    EXPECT_THAT(refused.body,
                ::testing::HasSubstr("You may create at most 20 records of inquiries (max_per_owner)."));
    EXPECT_EQ(client.send("GET", "/inquiries?limit=100", "r1:registrar").items(), 0u) << "all or nothing";
    EXPECT_EQ(client.send("POST", "/inquiries", "u1:visitor", inquiries(20)).status, 201);
    EXPECT_EQ(client.send("POST", "/inquiries", "u1:visitor", inquiries(1)).status, 429);
    EXPECT_EQ(client.send("POST", "/inquiries", "u2:visitor", inquiries(20)).status, 201) << "another user";
    EXPECT_EQ(client.send("POST", "/inquiries", "", inquiries(20)).status, 201);
    refused = client.send("POST", "/inquiries", "", inquiries(1));
    EXPECT_EQ(refused.status, 429);
    EXPECT_THAT(refused.body, ::testing::HasSubstr("Callers without a token"));
    EXPECT_EQ(client
                  .send("POST", "/inquiries/import", "u1:visitor", "question\nWhen?\n",
                        {{"Content-Type", "text/csv"}})
                  .status,
              429);
}

TEST(ConcurrentRequests, AppliesATransitionOnce) {
    ApiTestClient client;
    auto section =
        client.send("POST", "/sections", "r1:registrar", R"({"title": "CS-1", "professor": "p1"})");
    auto student = client.send("POST", "/students", "r1:registrar", R"({"name": "Ana", "email": "a@x.ph"})");
    auto created =
        client.send("POST", "/enrollments", "r1:registrar",
                    R"({"student": ")" + student.id() + R"(", "section": ")" + section.id() + "\"}");
    ASSERT_EQ(created.status, 201) << created.body;
    std::atomic<int> done = 0, conflicts = 0;
    std::vector<std::thread> callers;
    for (int i = 0; i < 32; ++i) {
        callers.emplace_back([&] {
            auto answer = client.send("POST", "/enrollments/" + created.id() + "/enroll", "r1:registrar");
            done += answer.status == 200;
            conflicts += answer.status == 409 && answer.type == "wrong-state";
        });
    }
    for (auto& caller : callers)
        caller.join();
    EXPECT_EQ(done, 1);
    EXPECT_EQ(conflicts, 31);
    auto history = client.send("GET", "/enrollments/" + created.id() + "/history", "a1:admin");
    EXPECT_EQ(history.items(), 2u) << history.body;
}

TEST(ConcurrentRequests, KeepsMergesOfAllCallers) {
    ApiTestClient client;
    auto student = client.send("POST", "/students", "r1:registrar",
                               R"({"name": "Ana", "email": "a@x.ph", "address": {"city": "Cebu"}})");
    ASSERT_EQ(student.status, 201) << student.body;
    std::vector<std::string> members{R"("line": "1")", R"("barangay": "2")", R"("province": "3")"};
    std::vector<std::thread> callers;
    for (const auto& member : members) {
        callers.emplace_back([&client, &student, &member] {
            auto answer = client.send("PATCH", "/students/" + student.id(), "r1:registrar",
                                      R"({"address": {)" + member + "}}");
            EXPECT_EQ(answer.status, 200) << answer.body;
        });
    }
    for (auto& caller : callers)
        caller.join();
    auto merged = client.send("GET", "/students/" + student.id(), "r1:registrar");
    for (const auto& member : members)
        EXPECT_THAT(merged.body, ::testing::HasSubstr(member));
}

}  // namespace
}  // namespace integreat::collections
