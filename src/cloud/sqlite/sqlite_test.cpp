// SPDX-License-Identifier: Apache-2.0
#include "cloud/sqlite/sqlite.h"

#include <cstdlib>
#include <filesystem>
#include <thread>

#include <gtest/gtest.h>

#include "cloud/sqlite/group_commit.h"

namespace integreat::sqlite {
namespace {

constexpr const char* migrations[] = {"CREATE TABLE words (word TEXT PRIMARY KEY, count INTEGER) STRICT"};
constexpr Schema schema{
    .contents = "words", .file = "words.sqlite", .application_id = 0x54455354, .migrations = migrations};

class SqliteTest : public testing::Test {
protected:
    SqliteTest() {
        std::string pattern = std::filesystem::temp_directory_path() / "integreat-sqlite-XXXXXX";
        folder = ::mkdtemp(pattern.data());
        reopen();
    }
    ~SqliteTest() override {
        store.reset();
        std::filesystem::remove_all(folder);
    }
    void reopen() {
        store.reset();
        auto opened = Store::open(folder, schema);
        ASSERT_TRUE(opened) << opened.error().message;
        store = std::move(*opened);
    }
    void add(const std::string& word, std::int64_t count) {
        auto transaction = store->write();
        ASSERT_TRUE(transaction->execute("INSERT INTO words VALUES (?, ?)", word, count));
        ASSERT_TRUE(transaction->commit());
    }
    std::int64_t count_words() {
        auto transaction = store->read();
        auto statement = transaction->query("SELECT count(*) FROM words");
        EXPECT_TRUE(*statement->step());
        return statement->integer(0);
    }

    std::string folder;
    std::unique_ptr<Store> store;
};

TEST_F(SqliteTest, KeepsOnlyCommittedChanges) {
    add("one", 1);
    {
        auto dropped = store->write();
        ASSERT_TRUE(dropped->execute("INSERT INTO words VALUES ('two', 2)"));
    }
    reopen();
    EXPECT_EQ(count_words(), 1);
}

TEST_F(SqliteTest, AReaderSeesASnapshotAndDoesNotWaitForTheWriter) {
    add("one", 1);
    auto writing = store->write();
    ASSERT_TRUE(writing->execute("INSERT INTO words VALUES ('two', 2)"));
    EXPECT_EQ(count_words(), 1);
    auto reading = store->read();
    auto before = reading->query("SELECT count(*) FROM words");
    ASSERT_TRUE(*before->step());
    ASSERT_TRUE(writing->commit());
    before->reset();
    ASSERT_TRUE(*before->step());
    EXPECT_EQ(before->integer(0), 1);
    EXPECT_EQ(count_words(), 2);
}

TEST_F(SqliteTest, AReaderCannotWrite) {
    auto reading = store->read();
    EXPECT_FALSE(reading->execute("INSERT INTO words VALUES ('two', 2)"));
}

TEST_F(SqliteTest, TwoStatementsWithTheSameSqlAreIndependent) {
    add("one", 1);
    add("two", 2);
    auto reading = store->read();
    auto outer = reading->query("SELECT word FROM words WHERE count > ? ORDER BY count", std::int64_t{0});
    ASSERT_TRUE(*outer->step());
    {
        auto inner = reading->query("SELECT word FROM words WHERE count > ? ORDER BY count", std::int64_t{1});
        ASSERT_TRUE(*inner->step());
        EXPECT_EQ(inner->text(0), "two");
    }
    EXPECT_EQ(outer->text(0), "one");
    ASSERT_TRUE(*outer->step());
    EXPECT_EQ(outer->text(0), "two");
}

TEST_F(SqliteTest, AConstraintViolationIsAConflictWithItsCause) {
    add("one", 1);
    auto transaction = store->write();
    auto refused = transaction->execute("INSERT INTO words VALUES ('one', 1)");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::conflict);
    EXPECT_NE(refused.error().cause.find("words.word"), std::string::npos);
}

TEST_F(SqliteTest, RefusesFilesOfOtherPrograms) {
    constexpr Schema other{
        .contents = "deeds", .file = "words.sqlite", .application_id = 0x4F544852, .migrations = migrations};
    auto refused = Store::open(folder, other);
    ASSERT_FALSE(refused);
    EXPECT_EQ(
        refused.error().message,
        "this SQLite file belongs to another program; use another data folder (" + folder + "/words.sqlite)");
}

TEST_F(SqliteTest, WritesOfManyThreadsShareCommits) {
    GroupCommit writes(*store);
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 8; ++thread) {
        threads.emplace_back([&writes, thread] {
            for (int i = 0; i < 50; ++i) {
                auto word = std::to_string(thread) + "-" + std::to_string(i);
                auto written = writes.run([&](Transaction& transaction) -> Result<> {
                    TRY(transaction.execute("INSERT INTO words VALUES (?, 1)", word));
                    return {};
                });
                EXPECT_TRUE(written);
            }
        });
    }
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(count_words(), 400);
    EXPECT_LT(writes.commits(), 400u);
}

TEST_F(SqliteTest, AFailedWriteDoesNotAffectTheOthers) {
    GroupCommit writes(*store);
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 8; ++thread) {
        threads.emplace_back([&writes, thread] {
            auto word = std::to_string(thread);
            auto written = writes.run([&](Transaction& transaction) -> Result<> {
                TRY(transaction.execute("INSERT INTO words VALUES (?, 1)", word));
                if (thread % 2) return Error{Fault::invalid, "odd"};
                return {};
            });
            EXPECT_EQ(static_cast<bool>(written), thread % 2 == 0);
        });
    }
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(count_words(), 4);
}

}  // namespace
}  // namespace integreat::sqlite
