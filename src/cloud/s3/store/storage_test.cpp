// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <fstream>

#include <sys/wait.h>
#include <unistd.h>

#include "cloud/s3/store/limits.h"
#include "cloud/s3/testing/storage_fixture.h"

namespace integreat::s3 {
namespace {

TEST_F(StorageTest, StoresSmallObjectsInTheIndexAndLargeOnesInFiles) {
    auto small = random_bytes(inline_bytes_max), large = random_bytes(inline_bytes_max + 1);
    auto first = put("small", small);
    EXPECT_EQ(count_files(), 0u);
    auto second = put("large", large);
    EXPECT_EQ(count_files(), 1u);
    EXPECT_EQ(read(first), small);
    EXPECT_EQ(read(second), large);
    EXPECT_EQ(read(second, {100, 7}), large.substr(100, 7));
    EXPECT_EQ(read(first, {100, 7}), small.substr(100, 7));
}

TEST_F(StorageTest, KeepsObjectsAcrossAReopen) {
    auto large = random_bytes(200'000);
    put("large", large);
    put("small", "text");
    reopen();
    EXPECT_EQ(read(*find("large")), large);
    EXPECT_EQ(read(*find("small")), "text");
}

TEST_F(StorageTest, AllowsOneProcessPerFolder) {
    auto second = open_storage(folder, clock, random);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().message,
              "another process uses the objects in " + folder + "; stop it or use another data folder");
}

TEST_F(StorageTest, UncommittedBlobsLeaveNoFiles) {
    { auto dropped = receive(random_bytes(100'000)); }
    EXPECT_EQ(count_files(), 0u);
    auto body = receive(random_bytes(100'000));
    auto refused = commit(*storage, [&](WriteBatch& batch) -> Result<> {
        TRY(body.attach_to(batch));
        return Error{Fault::conflict, "aborted"};
    });
    EXPECT_FALSE(refused);
    EXPECT_EQ(count_files(), 0u);
}

TEST_F(StorageTest, DeletesTheFileOfAKilledUploadAtTheNextStart) {
    put("kept", random_bytes(100'000));
    storage.reset();
    std::ofstream(folder + "/incoming/12345") << "half of an upl";
    ASSERT_EQ(count_files(), 2u);
    reopen();
    EXPECT_EQ(count_files(), 1u);
    EXPECT_EQ(read(*find("kept")), random_bytes(100'000));
}

TEST_F(StorageTest, PromotesACommittedFileAtTheNextStart) {
    auto object = put("kept", random_bytes(100'000));
    storage.reset();
    auto name = std::to_string(object.content);
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder + "/objects")) {
        if (!entry.is_regular_file()) continue;
        std::filesystem::rename(entry.path(), folder + "/incoming/" + name);
        break;
    }
    reopen();
    EXPECT_FALSE(std::filesystem::exists(folder + "/incoming/" + name));
    EXPECT_EQ(read(*find("kept")), random_bytes(100'000));
}

TEST_F(StorageTest, DeletesAnUnreferencedFileAtTheNextStart) {
    auto object = put("gone", random_bytes(100'000));
    {
        auto transaction = storage->index->write();
        ASSERT_TRUE(transaction->execute("DELETE FROM objects"));
        ASSERT_TRUE(transaction->execute("DELETE FROM blobs"));
        ASSERT_TRUE(
            transaction->execute("INSERT INTO garbage VALUES (?, ?)", object.content, object.content));
        ASSERT_TRUE(transaction->commit());
    }
    ASSERT_EQ(count_files(), 1u);
    reopen();
    EXPECT_EQ(count_files(), 0u);
}

TEST_F(StorageTest, DeletesFilesOnOverwriteAndDelete) {
    put("key", random_bytes(100'000, 1));
    put("key", random_bytes(100'000, 2));
    EXPECT_EQ(count_files(), 1u);
    EXPECT_EQ(read(*find("key")), random_bytes(100'000, 2));
    remove("key");
    EXPECT_EQ(count_files(), 0u);
    EXPECT_FALSE(find("key"));
}

TEST_F(StorageTest, WritesChunksOfAnySizeCompletely) {
    for (std::size_t chunk_bytes : {1'000u, 65'535u, 65'536u, 65'537u, 131'072u, 200'001u}) {
        auto bytes = random_bytes(600'000, chunk_bytes);
        BlobWriter writer(*storage, ChecksumKind::none);
        for (std::size_t at = 0; at < bytes.size(); at += chunk_bytes)
            ASSERT_TRUE(writer.append(std::string_view(bytes).substr(at, chunk_bytes)));
        EXPECT_EQ(writer.size(), bytes.size());
        auto written = write("key", *writer.finish());
        EXPECT_EQ(read(written), bytes) << chunk_bytes;
        EXPECT_EQ(written.etag, crypto::hex_encode(crypto::hash(crypto::HashAlgorithm::md5, bytes)));
    }
}

class MultipartBlobTest : public StorageTest {
protected:
    Version put_parts(const std::vector<std::string>& contents) {
        Version object{.key = "parts", .modified = clock.now(), .content = next_number(*storage)};
        std::vector<PendingBlob> blobs;
        std::vector<PartRow> rows;
        for (const auto& bytes : contents) {
            blobs.push_back(receive(bytes));
            auto number = static_cast<int>(rows.size()) + 1;
            rows.push_back(
                {.part = number, .blob = blobs.back().number(), .size = bytes.size(), .checksum = {}});
            object.size += bytes.size();
        }
        object.part_count = static_cast<int>(rows.size());
        auto written = commit(*storage, [&](WriteBatch& batch) -> Result<> {
            for (auto& blob : blobs)
                TRY(blob.attach_to(batch));
            TRY(insert_part_rows(batch, object.content, rows));
            return put_object(batch, *storage, bucket.id, object);
        });
        EXPECT_TRUE(written);
        return object;
    }
};

TEST_F(MultipartBlobTest, ReadsAnyRangeOfAMultipartContent) {
    std::vector<std::string> contents{random_bytes(50'000, 1), random_bytes(10, 2), random_bytes(40'000, 3)};
    auto whole = contents[0] + contents[1] + contents[2];
    auto object = put_parts(contents);
    EXPECT_EQ(read(object), whole);
    for (std::uint64_t offset : {0u, 49'999u, 50'000u, 50'005u, 50'010u, 90'009u}) {
        for (std::uint64_t length : {0u, 1u, 20u, 30'000u, 90'010u}) {
            auto range = Range{offset, std::min(length, object.size - offset)};
            EXPECT_EQ(read(object, range), whole.substr(offset, range.length)) << offset << "+" << length;
        }
    }
}

TEST_F(MultipartBlobTest, AReaderKeepsTheFilesOfADeletedObject) {
    std::vector<std::string> contents{random_bytes(50'000, 1), random_bytes(60'000, 2)};
    auto object = put_parts(contents);
    {
        auto content = open_content(*storage, object, {0, object.size});
        ASSERT_TRUE(content);
        remove("parts");
        EXPECT_EQ(count_files(), 2u);
        auto second = open_content(*storage, object, {0, object.size});
        ASSERT_FALSE(second);
        EXPECT_EQ(second.error().fault, Fault::not_found);
    }
    EXPECT_EQ(count_files(), 0u);
}

TEST_F(MultipartBlobTest, ACopyHasTheSameBytes) {
    auto object = put_parts({random_bytes(50'000, 1), random_bytes(2'000'000, 2)});
    BlobWriter writer(*storage, ChecksumKind::crc64nvme);
    ASSERT_TRUE(copy_range_to(*storage, object, {10, 2'000'000}, writer));
    auto body = writer.finish();
    EXPECT_EQ(body->md5(), crypto::hash(crypto::HashAlgorithm::md5, read(object, {10, 2'000'000})));
}

// Writes objects in a child process until it is killed. Each acknowledged write is one line on the pipe.
[[noreturn]] void write_until_killed(const std::string& folder, int out) {
    FixedClock clock;
    FixedRandom random(static_cast<std::uint64_t>(::getpid()));
    auto storage = open_storage(folder, clock, random);
    if (!storage) ::_exit(3);
    auto bucket = find_bucket(**storage, "a-bucket");
    for (int i = 0;; ++i) {
        auto seed = static_cast<std::uint64_t>(::getpid()) * 1000 + static_cast<std::uint64_t>(i);
        auto bytes = random_bytes(seed % 3 == 0 ? 100'000 : 4'096, seed);
        BlobWriter writer(**storage, ChecksumKind::none);
        if (!writer.append(bytes)) ::_exit(4);
        auto body = writer.finish();
        Version object{.key = "key-" + std::to_string(i % 7),
                       .size = body->size(),
                       .modified = clock.now(),
                       .etag = crypto::hex_encode(body->md5()),
                       .content = body->number()};
        auto written = commit(**storage, [&](WriteBatch& batch) -> Result<> {
            TRY(body->attach_to(batch));
            return put_object(batch, **storage, (*bucket)->id, object);
        });
        auto line = object.key + " " + object.etag + "\n";
        if (!written || ::write(out, line.data(), line.size()) < 0) ::_exit(5);
    }
}

TEST_F(StorageTest, SurvivesAKillAtAnyTime) {
    for (int round = 0; round < 12; ++round) {
        storage.reset();
        int ends[2];
        ASSERT_EQ(::pipe(ends), 0);
        auto child = ::fork();
        if (child == 0) write_until_killed(folder, ends[1]);
        ::close(ends[1]);
        std::map<std::string, std::string> acknowledged;
        std::string text;
        // Kills the child after a certain number of acknowledged bytes.
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
            acknowledged[key] = etag;

        reopen();
        auto transaction = storage->index->read();
        auto page = list_objects(*transaction, {.bucket = bucket.id}, "");
        std::size_t large = 0;
        for (const auto& object : page->entries) {
            // One write may have been committed but not acknowledged; it is complete too.
            EXPECT_EQ(crypto::hex_encode(crypto::hash(crypto::HashAlgorithm::md5, read(object))),
                      object.etag);
            large += object.size > inline_bytes_max;
        }
        EXPECT_EQ(count_files(), large);
        EXPECT_GE(page->entries.size(), acknowledged.size());
        std::size_t differing = 0;
        for (const auto& [key, etag] : acknowledged)
            differing += find(key)->etag != etag;
        EXPECT_LE(differing, 1u);  // The write that was committed but not acknowledged.
    }
}

}  // namespace
}  // namespace integreat::s3
