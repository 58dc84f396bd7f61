// SPDX-License-Identifier: Apache-2.0
#include "cloud/document_store/document_store.h"

#include <filesystem>

#include <gtest/gtest.h>
#include <unistd.h>

namespace integreat::cloud {
namespace {

class RecordsTest : public ::testing::Test {
protected:
    RecordsTest() { reopen(); }
    ~RecordsTest() override { std::filesystem::remove_all(folder); }
    void reopen() {
        records.reset();
        auto opened = Records::open(folder);
        ASSERT_TRUE(opened) << opened.error().message;
        records = *std::move(opened);
    }

    std::string folder = ::testing::TempDir() + "records_test." + std::to_string(::getpid());
    std::unique_ptr<Records> records;
};

TEST_F(RecordsTest, KeepWhatWasAppliedInTheOrderOfNames) {
    const Change changes[] = {{"iam:role", "b", boost::json::object{{"n", 2}}},
                              {"iam:role", "a", boost::json::object{{"n", 1}}},
                              {"iam:user", "a", boost::json::object{}}};
    ASSERT_TRUE(records->apply(changes));
    reopen();
    auto roles = records->list("iam:role");
    ASSERT_TRUE(roles);
    ASSERT_EQ(roles->size(), 2u);
    EXPECT_EQ(roles->at(0).name, "a");
    EXPECT_EQ(roles->at(1).content.at("n"), 2);

    const Change more[] = {{"iam:role", "a", boost::json::object{{"n", 3}}}, {"iam:role", "b", std::nullopt}};
    ASSERT_TRUE(records->apply(more));
    EXPECT_EQ(records->list("iam:role")->size(), 1u);
    EXPECT_EQ(records->list("iam:role")->at(0).content.at("n"), 3);
    EXPECT_EQ(records->list("iam:user")->size(), 1u);
    EXPECT_TRUE(records->list("none")->empty());
}

}  // namespace
}  // namespace integreat::cloud
