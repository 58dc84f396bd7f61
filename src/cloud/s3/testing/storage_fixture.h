// SPDX-License-Identifier: Apache-2.0
// Test fixture: a storage in a temporary folder, with one bucket.
#pragma once

#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "cloud/s3/store/listing.h"
#include "cloud/s3/store/queries.h"
#include "cloud/s3/testing/random_bytes.h"
#include "crypto/encoding.h"

namespace integreat::s3 {

class StorageTest : public testing::Test {
protected:
    StorageTest() {
        std::string pattern = std::filesystem::temp_directory_path() / "integreat-s3-XXXXXX";
        folder = ::mkdtemp(pattern.data());
        reopen();
        bucket = make_bucket("a-bucket");
    }
    ~StorageTest() override {
        storage.reset();
        std::filesystem::remove_all(folder);
    }

    void reopen() {
        storage.reset();
        auto opened = open_storage(folder, clock, random);
        ASSERT_TRUE(opened) << opened.error().message << opened.error().cause;
        storage = std::move(*opened);
    }
    Bucket make_bucket(const std::string& name) {
        auto created = commit(*storage, [&](WriteBatch& batch) {
            return insert_bucket(batch, {.name = name, .region = "us-east-1", .created = clock.now()});
        });
        EXPECT_TRUE(created);
        return **find_bucket(*storage, name);
    }
    void version(Versioning versioning) {
        ASSERT_TRUE(commit(*storage,
                           [&](WriteBatch& batch) { return set_versioning(batch, bucket.id, versioning); }));
    }

    PendingBlob receive(std::string_view bytes, ChecksumKind kind = ChecksumKind::none) {
        BlobWriter writer(*storage, kind);
        EXPECT_TRUE(writer.append(bytes));
        return *writer.finish();
    }
    Version put(const std::string& key, std::string_view bytes) { return write(key, receive(bytes)); }
    Version write(const std::string& key, PendingBlob body) {
        Version object{.key = key,
                       .size = body.size(),
                       .modified = clock.now(),
                       .etag = crypto::hex_encode(body.md5()),
                       .content = body.number()};
        auto written = commit(*storage, [&](WriteBatch& batch) -> Result<> {
            TRY(body.attach_to(batch));
            return put_object(batch, *storage, bucket.id, object);
        });
        EXPECT_TRUE(written) << written.error().cause;
        return object;
    }
    std::optional<Version> find(const std::string& key, RequestedVersion name = std::nullopt) {
        auto transaction = storage->index->read();
        return *find_object(*transaction, bucket.id, key, name);
    }
    Deleted remove(const std::string& key, RequestedVersion name = std::nullopt) {
        Deleted deleted;
        auto done = commit(*storage, [&](WriteBatch& batch) -> Result<> {
            deleted = TRY(delete_object(batch, *storage, bucket.id, key, name));
            return {};
        });
        EXPECT_TRUE(done);
        return deleted;
    }
    std::string read(const Version& object, Range range) {
        auto content = open_content(*storage, object, range);
        if (!content) return "(" + content.error().cause + ")";
        return read_all(*content);
    }
    std::string read(const Version& object) { return read(object, {0, object.size}); }
    static std::string read_all(Content& content) {
        if (auto* bytes = std::get_if<std::string>(&content)) return *bytes;
        std::string all;
        if (auto* file = std::get_if<FilePart>(&content)) {
            all.resize(file->range.length);
            auto count =
                ::pread(file->file.get(), all.data(), all.size(), static_cast<off_t>(file->range.offset));
            EXPECT_EQ(count, static_cast<ssize_t>(all.size()));
            return all;
        }
        auto& reader = std::get<MultipartReader>(content);
        while (reader.remaining() > 0)
            EXPECT_TRUE(reader.read(all, 1000));
        return all;
    }
    std::size_t count_files() const {
        std::size_t count = 0;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
            auto name = entry.path().filename().string();
            if (entry.is_regular_file() && name.find_first_not_of("0123456789") == std::string::npos) ++count;
        }
        return count;
    }

    std::string folder;
    FixedClock clock;
    FixedRandom random{7};
    std::unique_ptr<Storage> storage;
    Bucket bucket;
};

}  // namespace integreat::s3
