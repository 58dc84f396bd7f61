// SPDX-License-Identifier: Apache-2.0
// Where objects are kept: an index in SQLite, large contents in files (files.h). What commit() has answered
// is on the disk, bytes and index, after kill -9 and after a power cut. Writes of several requests share a
// commit. One process at a time has a folder open.
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

extern const sqlite::Layout objects_layout;

// Contents being read, whose files must stay until the last reader is through, and contents that are going.
struct Readers {
    struct Content {
        int count = 0;
        bool going = false;
        std::vector<FileNumber> doomed;
    };
    std::unordered_map<std::int64_t, Content> contents;
};

struct Storage {
    std::unique_ptr<Files> files;
    std::unique_ptr<sqlite::Store> index;
    sqlite::GroupCommit writes;
    const Clock& clock;
    Random& random;
    std::atomic<std::int64_t> next_number;
    Guarded<Readers> readers = {};
    Guarded<std::vector<FileNumber>> collected = {};  // Rows of `garbage` whose files are gone.
    // By name; dropped when a bucket changes. Only this process writes.
    Guarded<std::unordered_map<std::string, BucketPointer>> buckets = {};
};

// Collects what a killed process left behind.
Result<std::unique_ptr<Storage>> open_storage(const std::string& folder, const Clock& clock, Random& random);

// A number nobody had before, also not before a kill: for files, contents, versions, uploads.
std::int64_t next_number(Storage& storage);

// What one request changes, while it does.
struct Change {
    sqlite::Transaction& transaction;
    struct Removed {
        std::int64_t content;
        FileNumber file;
    };
    std::vector<FileNumber> adopted = {};  // Files that rows name from now on.
    std::vector<Removed> removed = {};     // Files that no row names any more.
};

// Runs `write` in a transaction it may share with others, alone if it fails. Files are moved on and removed
// when the transaction is on the disk.
Result<> commit(Storage& storage, const std::function<Result<>(Change&)>& write);

// While it lives the files of a content stay. Empty if the content is going already.
class Lease {
public:
    static std::optional<Lease> take(Storage& storage, std::int64_t content);
    Lease(Lease&& other) noexcept
        : storage_(std::exchange(other.storage_, nullptr)), content_(other.content_) {}
    Lease& operator=(Lease&&) = delete;
    ~Lease();

private:
    Lease(Storage& storage, std::int64_t content) : storage_(&storage), content_(content) {}

    Storage* storage_;
    std::int64_t content_;
};

}  // namespace integreat::s3
