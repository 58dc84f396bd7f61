// SPDX-License-Identifier: Apache-2.0
#include "gateway/logging/denial_log.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>

namespace integreat::gateway {
namespace {

using testing::HasSubstr;

DecisionRecord record_of(std::string id) {
    return {.request_id = std::move(id),
            .time = from_unix_seconds(1'795'000'000),
            .tenant = {"campus"},
            .route = "campus.portal",
            .method = "GET",
            .path = "/v1/apps/campus/portal/x",
            .status = 403,
            .caller = "user u1",
            .decision = {.stage = "authorize",
                         .type = "role-missing",
                         .rule = "route campus.portal requires role registrar",
                         .facts = {{"role", "student"}}}};
}

TEST(Decisions, AreFoundByRequestId) {
    Decisions decisions(100);
    decisions.add(record_of("req_1"));
    ASSERT_TRUE(decisions.find("req_1"));
    EXPECT_EQ(decisions.find("req_1")->decision.type, "role-missing");
    EXPECT_FALSE(decisions.find("req_2"));
}

TEST(Decisions, ForgetTheOldestBeyondTheLimit) {
    Decisions decisions(160);
    for (int i = 0; i < 5000; ++i)
        decisions.add(record_of("req_" + std::to_string(i)));
    EXPECT_LE(decisions.size(), 160u);
    EXPECT_FALSE(decisions.find("req_0"));
    EXPECT_TRUE(decisions.find("req_4999"));
}

TEST(Decisions, KeepTheLastWordOnAnId) {
    Decisions decisions(16);
    for (int i = 0; i < 10; ++i) {
        auto record = record_of("req_same");
        record.status = 400 + i;
        decisions.add(std::move(record));
    }
    EXPECT_EQ(decisions.find("req_same")->status, 409);
    for (int i = 0; i < 100; ++i)
        decisions.add(record_of("req_" + std::to_string(i)));
    EXPECT_FALSE(decisions.find("req_same"));
}

TEST(Decisions, KeepNoMoreThanABitOfEach) {
    Decisions decisions(16);
    auto record = record_of("req_1");
    record.path = std::string(100'000, 'x');
    record.decision.facts.assign(1000, {"name", std::string(10'000, 'y')});
    decisions.add(std::move(record));
    auto kept = decisions.find("req_1");
    EXPECT_EQ(kept->path.size(), 1000u);
    EXPECT_EQ(kept->decision.facts.size(), 20u);
    EXPECT_EQ(kept->decision.facts[0].second.size(), 1000u);
}

TEST(Explain, SaysStageRuleFactsAndWhatToDo) {
    EXPECT_EQ(
        explain(record_of("req_1")),
        "req_1  2026-11-18T11:06:40Z\n"
        "GET /v1/apps/campus/portal/x by user u1 was answered 403 role-missing.\n"
        "Refused by:  authorize, route campus.portal\n"
        "Rule:        route campus.portal requires role registrar\n"
        "  role = student\n"
        "Meaning:     The route is for certain roles only.\n"
        "What to do:  Ask for the role; after it was given, refresh the ID token: the role is inside it.\n");
}

TEST(Explain, IsJsonForTheAdminRoute) {
    auto json = boost::json::parse(decision_json(record_of("req_1"))).as_object();
    EXPECT_EQ(json["request_id"].as_string(), "req_1");
    EXPECT_EQ(json["status"].as_int64(), 403);
    EXPECT_EQ(json["facts"].as_object()["role"].as_string(), "student");
    EXPECT_EQ(json["time"].as_string(), "2026-11-18T11:06:40Z");
}

}  // namespace
}  // namespace integreat::gateway
