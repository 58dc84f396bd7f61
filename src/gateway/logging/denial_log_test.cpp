// SPDX-License-Identifier: Apache-2.0
#include "gateway/logging/denial_log.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>

namespace integreat::gateway {
namespace {

using ::testing::HasSubstr;

DenialRecord make_record(std::string id) {
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

TEST(DenialLog, FindsRecordsByRequestId) {
    DenialLog denial_log(100);
    denial_log.add(make_record("req_1"));
    ASSERT_TRUE(denial_log.find("req_1"));
    EXPECT_EQ(denial_log.find("req_1")->decision.type, "role-missing");
    EXPECT_FALSE(denial_log.find("req_2"));
}

TEST(DenialLog, EvictsTheOldestBeyondTheLimit) {
    DenialLog denial_log(160);
    for (int i = 0; i < 5000; ++i)
        denial_log.add(make_record("req_" + std::to_string(i)));
    EXPECT_LE(denial_log.size(), 160u);
    EXPECT_FALSE(denial_log.find("req_0"));
    EXPECT_TRUE(denial_log.find("req_4999"));
}

TEST(DenialLog, KeepsTheLastRecordOfAnId) {
    DenialLog denial_log(16);
    for (int i = 0; i < 10; ++i) {
        auto record = make_record("req_same");
        record.status = 400 + i;
        denial_log.add(std::move(record));
    }
    EXPECT_EQ(denial_log.find("req_same")->status, 409);
    for (int i = 0; i < 100; ++i)
        denial_log.add(make_record("req_" + std::to_string(i)));
    EXPECT_FALSE(denial_log.find("req_same"));
}

TEST(DenialLog, TruncatesLongRecords) {
    DenialLog denial_log(16);
    auto record = make_record("req_1");
    record.path = std::string(100'000, 'x');
    record.decision.facts.assign(1000, {"name", std::string(10'000, 'y')});
    denial_log.add(std::move(record));
    auto kept = denial_log.find("req_1");
    EXPECT_EQ(kept->path.size(), 1000u);
    EXPECT_EQ(kept->decision.facts.size(), 20u);
    EXPECT_EQ(kept->decision.facts[0].second.size(), 1000u);
}

TEST(Explain, NamesStageRuleFactsAndRemedy) {
    EXPECT_EQ(explain(make_record("req_1")),
              "req_1  2026-11-18T11:06:40Z\n"
              "GET /v1/apps/campus/portal/x by user u1 got the response 403 role-missing.\n"
              "Denied by:   authorize, route campus.portal\n"
              "Rule:        route campus.portal requires role registrar\n"
              "  role = student\n"
              "Meaning:     The route is for certain roles only.\n"
              "What to do:  Request the role; after it is granted, refresh the ID token, which contains the "
              "role.\n");
}

TEST(Explain, IsJsonForTheAdminRoute) {
    auto json = boost::json::parse(to_json(make_record("req_1"))).as_object();
    EXPECT_EQ(json["request_id"].as_string(), "req_1");
    EXPECT_EQ(json["status"].as_int64(), 403);
    EXPECT_EQ(json["facts"].as_object()["role"].as_string(), "student");
    EXPECT_EQ(json["time"].as_string(), "2026-11-18T11:06:40Z");
}

}  // namespace
}  // namespace integreat::gateway
