// SPDX-License-Identifier: Apache-2.0
#include "cloud/document_store/document_store.h"

#include <filesystem>

#include <gtest/gtest.h>
#include <unistd.h>

namespace integreat::cloud {
namespace {

class DocumentStoreTest : public ::testing::Test {
protected:
    DocumentStoreTest() { reopen(); }
    ~DocumentStoreTest() override { std::filesystem::remove_all(folder); }
    void reopen() {
        documents.reset();
        auto opened = DocumentStore::open(folder);
        ASSERT_TRUE(opened) << opened.error().message;
        documents = *std::move(opened);
    }

    std::string folder = ::testing::TempDir() + "document_store_test." + std::to_string(::getpid());
    std::unique_ptr<DocumentStore> documents;
};

TEST_F(DocumentStoreTest, KeepsAppliedChangesOrderedByName) {
    const DocumentChange changes[] = {{"iam:role", "b", boost::json::object{{"n", 2}}},
                                      {"iam:role", "a", boost::json::object{{"n", 1}}},
                                      {"iam:user", "a", boost::json::object{}}};
    ASSERT_TRUE(documents->apply(changes));
    reopen();
    auto roles = documents->list("iam:role");
    ASSERT_TRUE(roles);
    ASSERT_EQ(roles->size(), 2u);
    EXPECT_EQ(roles->at(0).name, "a");
    EXPECT_EQ(roles->at(1).content.at("n"), 2);

    const DocumentChange more[] = {{"iam:role", "a", boost::json::object{{"n", 3}}},
                                   {"iam:role", "b", std::nullopt}};
    ASSERT_TRUE(documents->apply(more));
    EXPECT_EQ(documents->list("iam:role")->size(), 1u);
    EXPECT_EQ(documents->list("iam:role")->at(0).content.at("n"), 3);
    EXPECT_EQ(documents->list("iam:user")->size(), 1u);
    EXPECT_TRUE(documents->list("none")->empty());
}

}  // namespace
}  // namespace integreat::cloud
