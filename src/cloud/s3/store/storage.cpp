// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/store/storage.h"

#include "cloud/s3/store/schema.h"

namespace integreat::s3 {

namespace {

constexpr int counter_bits = 40;  // Up to 2⁴⁰ numbers per start; up to 2²³ starts.

Result<std::int64_t> increment_start_count(sqlite::Store& index) {
    auto transaction = TRY(index.write());
    TRY(transaction.execute("UPDATE starts SET count = count + 1"));
    std::int64_t count = 0;
    {
        auto statement = TRY(transaction.query("SELECT count FROM starts"));
        TRY(statement.step());
        count = statement.integer(0);
    }
    TRY(transaction.commit());
    return count;
}

Result<> recover_files(sqlite::Store& index, BlobFiles& files) {
    auto transaction = TRY(index.write());
    auto is_referenced = [&](BlobId number) -> Result<bool> {
        auto statement = TRY(transaction.query("SELECT 1 FROM blobs WHERE blob = ?", number));
        return TRY(statement.step());
    };
    TRY(files.recover(is_referenced));
    {
        auto statement = TRY(transaction.query("SELECT blob FROM garbage"));
        while (TRY(statement.step()))
            files.remove(statement.integer(0));
    }
    TRY(transaction.execute("DELETE FROM garbage"));
    return transaction.commit();
}

// Deletes files without readers now and the others when their last reader has finished.
void remove_files(Storage& storage, const std::vector<WriteBatch::Removed>& removed) {
    for (const auto& [content, file] : removed) {
        {
            auto readers = storage.readers.lock();
            auto& state = readers->contents[content];
            if (state.count > 0) {
                state.pending_delete.push_back(file);
                continue;
            }
            state.deleting = true;
        }
        storage.files->remove(file);
        storage.collected.lock()->push_back(file);
    }
    auto readers = storage.readers.lock();
    for (const auto& one : removed) {
        auto state = readers->contents.find(one.content);
        if (state != readers->contents.end() && state->second.count == 0) readers->contents.erase(state);
    }
}

}  // namespace

Result<std::unique_ptr<Storage>> open_storage(const std::string& folder, const Clock& clock, Random& random,
                                              SettingsCompiler compile_settings) {
    auto files = TRY(BlobFiles::open(folder));
    auto index = TRY(sqlite::Store::open(folder, objects_schema));
    TRY(recover_files(*index, *files));
    auto start = TRY(increment_start_count(*index));
    auto& store = *index;
    return std::unique_ptr<Storage>(new Storage{.files = std::move(files),
                                                .index = std::move(index),
                                                .writes = sqlite::GroupCommit(store),
                                                .clock = clock,
                                                .random = random,
                                                .next_number = start << counter_bits,
                                                .compile_settings = compile_settings});
}

std::int64_t next_number(Storage& storage) {
    return storage.next_number.fetch_add(1);
}

Result<> commit(Storage& storage, const std::function<Result<>(WriteBatch&)>& write) {
    std::vector<BlobId> collected;
    collected.swap(*storage.collected.lock());
    std::vector<BlobId> added;
    std::vector<WriteBatch::Removed> removed;
    bool refused = false;
    auto committed = storage.writes.run([&](sqlite::Transaction& transaction) -> Result<> {
        WriteBatch batch{.transaction = transaction};
        for (auto file : collected)
            TRY(transaction.execute("DELETE FROM garbage WHERE blob = ?", file));
        auto written = write(batch);
        for (const auto& [content, file] : batch.removed_blobs) {
            if (!written) break;
            TRY(transaction.execute("INSERT OR IGNORE INTO garbage VALUES (?, ?)", file, content));
        }
        added = std::move(batch.added_blobs);
        removed = std::move(batch.removed_blobs);
        refused = !written;
        return written;
    });
    if (!committed) {
        auto pending = storage.collected.lock();
        pending->insert(pending->end(), collected.begin(), collected.end());
        // A commit that failed part-way may still be found in the log at the next start: then the files are
        // needed, otherwise they are deleted there.
        if (refused) {
            for (auto file : added)
                storage.files->remove(file);
        }
        return committed;
    }
    for (auto file : added)
        storage.files->promote(file);
    remove_files(storage, removed);
    return {};
}

std::optional<ReadLease> ReadLease::try_acquire(Storage& storage, std::int64_t content) {
    auto readers = storage.readers.lock();
    auto& state = readers->contents[content];
    if (state.deleting || !state.pending_delete.empty()) return std::nullopt;
    ++state.count;
    return ReadLease(storage, content);
}

ReadLease::~ReadLease() {
    if (!storage_) return;
    std::vector<BlobId> files;
    {
        auto readers = storage_->readers.lock();
        auto state = readers->contents.find(content_);
        if (--state->second.count > 0) return;
        files = std::move(state->second.pending_delete);
        readers->contents.erase(state);
    }
    for (auto file : files)
        storage_->files->remove(file);
    auto collected = storage_->collected.lock();
    collected->insert(collected->end(), files.begin(), files.end());
}

}  // namespace integreat::s3
