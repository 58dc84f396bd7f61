// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <fstream>

#include <sys/wait.h>
#include <unistd.h>

#include "cloud/s3/store/limits.h"
#include "cloud/s3/testing/storage_fixture.h"

namespace integreat::s3 {
namespace {

TEST_F(StorageTest, SmallObjectsAreKeptInTheIndexAndLargeOnesInFiles) {
    auto small = some_bytes(inline_bytes_max), large = some_bytes(inline_bytes_max + 1);
    auto first = put("small", small);
    EXPECT_EQ(files_on_disk(), 0u);
    auto second = put("large", large);
    EXPECT_EQ(files_on_disk(), 1u);
    EXPECT_EQ(read(first), small);
    EXPECT_EQ(read(second), large);
    EXPECT_EQ(read(second, {100, 7}), large.substr(100, 7));
    EXPECT_EQ(read(first, {100, 7}), small.substr(100, 7));
}

TEST_F(StorageTest, AnswersSurviveAReopening) {
    auto large = some_bytes(200'000);
    put("large", large);
    put("small", "text");
    reopen();
    EXPECT_EQ(read(*find("large")), large);
    EXPECT_EQ(read(*find("small")), "text");
}

TEST_F(StorageTest, OneProcessAtATimeHasAFolderOpen) {
    auto second = open_storage(folder, clock, random);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().message,
              "another process keeps objects in " + folder + ": stop it or name another data folder");
}

TEST_F(StorageTest, WhatWasNotCommittedLeavesNothing) {
    { auto dropped = receive(some_bytes(100'000)); }
    EXPECT_EQ(files_on_disk(), 0u);
    auto body = receive(some_bytes(100'000));
    auto refused = commit(*storage, [&](Change& change) -> Result<> {
        TRY(body.adopt(change));
        return Error{Fault::conflict, "changed my mind"};
    });
    EXPECT_FALSE(refused);
    EXPECT_EQ(files_on_disk(), 0u);
}

TEST_F(StorageTest, AFileOfAKilledUploadGoesAtTheNextStart) {
    put("kept", some_bytes(100'000));
    storage.reset();
    std::ofstream(folder + "/incoming/12345") << "half of an upl";
    ASSERT_EQ(files_on_disk(), 2u);
    reopen();
    EXPECT_EQ(files_on_disk(), 1u);
    EXPECT_EQ(read(*find("kept")), some_bytes(100'000));
}

TEST_F(StorageTest, AFileCommittedButNotMovedIsMovedAtTheNextStart) {
    auto object = put("kept", some_bytes(100'000));
    storage.reset();
    auto name = std::to_string(object.content);
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder + "/objects")) {
        if (!entry.is_regular_file()) continue;
        std::filesystem::rename(entry.path(), folder + "/incoming/" + name);
        break;
    }
    reopen();
    EXPECT_FALSE(std::filesystem::exists(folder + "/incoming/" + name));
    EXPECT_EQ(read(*find("kept")), some_bytes(100'000));
}

TEST_F(StorageTest, AFileWhoseRowIsGoneGoesAtTheNextStart) {
    auto object = put("gone", some_bytes(100'000));
    {
        auto transaction = storage->index->write();
        ASSERT_TRUE(transaction->execute("DELETE FROM objects"));
        ASSERT_TRUE(transaction->execute("DELETE FROM blobs"));
        ASSERT_TRUE(
            transaction->execute("INSERT INTO garbage VALUES (?, ?)", object.content, object.content));
        ASSERT_TRUE(transaction->commit());
    }
    ASSERT_EQ(files_on_disk(), 1u);
    reopen();
    EXPECT_EQ(files_on_disk(), 0u);
}

TEST_F(StorageTest, OverwritingAndDeletingFreesTheFiles) {
    put("key", some_bytes(100'000, 1));
    put("key", some_bytes(100'000, 2));
    EXPECT_EQ(files_on_disk(), 1u);
    EXPECT_EQ(read(*find("key")), some_bytes(100'000, 2));
    remove("key");
    EXPECT_EQ(files_on_disk(), 0u);
    EXPECT_FALSE(find("key"));
}

TEST_F(StorageTest, AFileIsWholeWhateverThePiecesItCameIn) {
    for (std::size_t piece : {1'000u, 65'535u, 65'536u, 65'537u, 131'072u, 200'001u}) {
        auto bytes = some_bytes(600'000, piece);
        BodyWriter writer(*storage, ChecksumKind::none);
        for (std::size_t at = 0; at < bytes.size(); at += piece)
            ASSERT_TRUE(writer.append(std::string_view(bytes).substr(at, piece)));
        EXPECT_EQ(writer.size(), bytes.size());
        auto written = write("key", *writer.finish());
        EXPECT_EQ(read(written), bytes) << piece;
        EXPECT_EQ(written.etag, crypto::hex_encode(crypto::hash_of(crypto::Hash::md5, bytes)));
    }
}

class PiecesTest : public StorageTest {
protected:
    Version put_pieces(const std::vector<std::string>& contents) {
        Version object{.key = "pieces", .modified = clock.now(), .content = next_number(*storage)};
        std::vector<Body> bodies;
        std::vector<PieceRow> rows;
        for (const auto& bytes : contents) {
            bodies.push_back(receive(bytes));
            auto number = static_cast<int>(rows.size()) + 1;
            rows.push_back(
                {.part = number, .blob = bodies.back().number(), .size = bytes.size(), .checksum = {}});
            object.size += bytes.size();
        }
        object.part_count = static_cast<int>(rows.size());
        auto written = commit(*storage, [&](Change& change) -> Result<> {
            for (auto& body : bodies)
                TRY(body.adopt(change));
            TRY(insert_pieces(change, object.content, rows));
            return put_object(change, *storage, bucket.id, object);
        });
        EXPECT_TRUE(written);
        return object;
    }
};

TEST_F(PiecesTest, AnyRangeOfAContentInPiecesCanBeRead) {
    std::vector<std::string> contents{some_bytes(50'000, 1), some_bytes(10, 2), some_bytes(40'000, 3)};
    auto whole = contents[0] + contents[1] + contents[2];
    auto object = put_pieces(contents);
    EXPECT_EQ(read(object), whole);
    for (std::uint64_t offset : {0u, 49'999u, 50'000u, 50'005u, 50'010u, 90'009u}) {
        for (std::uint64_t length : {0u, 1u, 20u, 30'000u, 90'010u}) {
            auto range = Range{offset, std::min(length, object.size - offset)};
            EXPECT_EQ(read(object, range), whole.substr(offset, range.length)) << offset << "+" << length;
        }
    }
}

TEST_F(PiecesTest, WhoIsReadingKeepsTheFilesOfADeletedObject) {
    std::vector<std::string> contents{some_bytes(50'000, 1), some_bytes(60'000, 2)};
    auto object = put_pieces(contents);
    {
        auto content = open_content(*storage, object, {0, object.size});
        ASSERT_TRUE(content);
        remove("pieces");
        EXPECT_EQ(files_on_disk(), 2u);
        auto late = open_content(*storage, object, {0, object.size});
        ASSERT_FALSE(late);
        EXPECT_EQ(late.error().fault, Fault::not_found);
    }
    EXPECT_EQ(files_on_disk(), 0u);
}

TEST_F(PiecesTest, ACopyHasTheSameBytes) {
    auto object = put_pieces({some_bytes(50'000, 1), some_bytes(2'000'000, 2)});
    BodyWriter writer(*storage, ChecksumKind::crc64nvme);
    ASSERT_TRUE(copy_content(*storage, object, {10, 2'000'000}, writer));
    auto body = writer.finish();
    EXPECT_EQ(body->md5(), crypto::hash_of(crypto::Hash::md5, read(object, {10, 2'000'000})));
}

// What a child process writes until it is killed. Each answered write is one line on the pipe.
[[noreturn]] void write_until_killed(const std::string& folder, int out) {
    FixedClock clock;
    FixedRandom random(static_cast<std::uint64_t>(::getpid()));
    auto storage = open_storage(folder, clock, random);
    if (!storage) ::_exit(3);
    auto bucket = find_bucket(**storage, "a-bucket");
    for (int i = 0;; ++i) {
        auto seed = static_cast<std::uint64_t>(::getpid()) * 1000 + static_cast<std::uint64_t>(i);
        auto bytes = some_bytes(seed % 3 == 0 ? 100'000 : 4'096, seed);
        BodyWriter writer(**storage, ChecksumKind::none);
        if (!writer.append(bytes)) ::_exit(4);
        auto body = writer.finish();
        Version object{.key = "key-" + std::to_string(i % 7),
                       .size = body->size(),
                       .modified = clock.now(),
                       .etag = crypto::hex_encode(body->md5()),
                       .content = body->number()};
        auto written = commit(**storage, [&](Change& change) -> Result<> {
            TRY(body->adopt(change));
            return put_object(change, **storage, (*bucket)->id, object);
        });
        auto line = object.key + " " + object.etag + "\n";
        if (!written || ::write(out, line.data(), line.size()) < 0) ::_exit(5);
    }
}

TEST_F(StorageTest, SurvivesBeingKilledAtAnyMoment) {
    for (int round = 0; round < 12; ++round) {
        storage.reset();
        int ends[2];
        ASSERT_EQ(::pipe(ends), 0);
        auto child = ::fork();
        if (child == 0) write_until_killed(folder, ends[1]);
        ::close(ends[1]);
        std::map<std::string, std::string> answered;
        std::string text;
        // Killed in the middle of what follows a certain number of answered bytes.
        for (char buffer[64]; text.size() < 40u + static_cast<std::size_t>(round) * 37;) {
            auto count = ::read(ends[0], buffer, sizeof buffer);
            ASSERT_GT(count, 0);
            text.append(buffer, static_cast<std::size_t>(count));
        }
        ::kill(child, SIGKILL);
        for (char buffer[64];;) {
            auto count = ::read(ends[0], buffer, sizeof buffer);
            if (count <= 0) break;
            text.append(buffer, static_cast<std::size_t>(count));
        }
        ::close(ends[0]);
        ::waitpid(child, nullptr, 0);
        std::istringstream lines(text.substr(0, text.rfind('\n') + 1));
        for (std::string key, etag; lines >> key >> etag;)
            answered[key] = etag;

        reopen();
        auto transaction = storage->index->read();
        auto page = list_objects(*transaction, {.bucket = bucket.id}, "");
        std::size_t large = 0;
        for (const auto& object : page->entries) {
            // One write may have been committed and not answered: it is whole, too.
            EXPECT_EQ(crypto::hex_encode(crypto::hash_of(crypto::Hash::md5, read(object))), object.etag);
            large += object.size > inline_bytes_max;
        }
        EXPECT_EQ(files_on_disk(), large);
        EXPECT_GE(page->entries.size(), answered.size());
        std::size_t differing = 0;
        for (const auto& [key, etag] : answered)
            differing += find(key)->etag != etag;
        EXPECT_LE(differing, 1u);  // The one that was committed and not answered.
    }
}

}  // namespace
}  // namespace integreat::s3
