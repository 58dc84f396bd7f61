// SPDX-License-Identifier: Apache-2.0
// Storage of objects: an index in SQLite and files for large contents (blob_files.h). When commit() returns,
// bytes and index are on disk and survive kill -9 and power loss. Writes of several requests share a commit.
// Only one process may open a folder at a time.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/concurrency/synchronized.h"
#include "base/random.h"
#include "cloud/s3/store/blob_files.h"
#include "cloud/s3/store/types.h"
#include "cloud/sqlite/group_commit.h"
#include "cloud/sqlite/sqlite.h"

namespace integreat::s3 {

// Contents that are being read, whose files must be kept until the last reader has finished, and contents
// that are being deleted.
struct Readers {
    struct Content {
        int count = 0;  // Number of readers.
        bool deleting = false;
        std::vector<BlobId> pending_delete;
    };
    std::unordered_map<std::int64_t, Content> contents;
};

// Parses the settings of a bucket when it enters the cache.
using SettingsCompiler = void (*)(Bucket&);

struct Storage {
    std::unique_ptr<BlobFiles> files;
    std::unique_ptr<sqlite::Store> index;
    sqlite::GroupCommit writes;
    const Clock& clock;
    Random& random;
    std::atomic<std::int64_t> next_number;
    SettingsCompiler compile_settings = nullptr;
    Synchronized<Readers> readers = {};
    Synchronized<std::vector<BlobId>> collected = {};  // Rows of `garbage` whose files have been deleted.
    // Cached buckets by name; an entry is removed when its bucket changes. Only this process writes.
    Synchronized<std::unordered_map<std::string, BucketPointer>> buckets = {};
};

// Opens the storage and deletes the files that a killed process left behind.
Result<std::unique_ptr<Storage>> open_storage(const std::string& folder, const Clock& clock, Random& random,
                                              SettingsCompiler compile_settings = nullptr);

// Returns a number that has never been used before, even across a kill: for files, contents, versions,
// uploads.
std::int64_t next_number(Storage& storage);

// The changes of one request within a transaction.
struct WriteBatch {
    sqlite::Transaction& transaction;
    struct Removed {
        std::int64_t content;
        BlobId file;
    };
    std::vector<BlobId> added_blobs = {};     // Files that rows now reference.
    std::vector<Removed> removed_blobs = {};  // Files that are no longer referenced.
};

// Runs `write` in a transaction that it may share with others; a failure rolls back its own changes only.
// Files are promoted and removed after the transaction is on disk.
Result<> commit(Storage& storage, const std::function<Result<>(WriteBatch&)>& write);

// Keeps the files of a content while it exists. try_acquire returns nothing if the content is being deleted.
class ReadLease {
public:
    static std::optional<ReadLease> try_acquire(Storage& storage, std::int64_t content);
    ReadLease(ReadLease&& other) noexcept
        : storage_(std::exchange(other.storage_, nullptr)), content_(other.content_) {}
    ReadLease& operator=(ReadLease&&) = delete;
    ~ReadLease();

private:
    ReadLease(Storage& storage, std::int64_t content) : storage_(&storage), content_(content) {}

    Storage* storage_;
    std::int64_t content_;
};

}  // namespace integreat::s3
