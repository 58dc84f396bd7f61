// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/store/storage.h"

namespace integreat::s3 {

namespace {

constexpr int counter_bits = 40;  // A start gives out up to 2⁴⁰ numbers; there are 2²³ starts.

Result<std::int64_t> count_start(sqlite::Store& index) {
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

Result<> collect_leftovers(sqlite::Store& index, Files& files) {
    auto transaction = TRY(index.write());
    auto known = [&](FileNumber number) -> Result<bool> {
        auto statement = TRY(transaction.query("SELECT 1 FROM blobs WHERE blob = ?", number));
        return TRY(statement.step());
    };
    TRY(files.collect_leftovers(known));
    {
        auto statement = TRY(transaction.query("SELECT blob FROM garbage"));
        while (TRY(statement.step()))
            files.remove(statement.integer(0));
    }
    TRY(transaction.execute("DELETE FROM garbage"));
    return transaction.commit();
}

// Files nobody reads go now, the others when their last reader leaves.
void remove_files(Storage& storage, const std::vector<Change::Removed>& removed) {
    for (const auto& [content, file] : removed) {
        {
            auto readers = storage.readers.lock();
            auto& state = readers->contents[content];
            if (state.count > 0) {
                state.doomed.push_back(file);
                continue;
            }
            state.going = true;
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

Result<std::unique_ptr<Storage>> open_storage(const std::string& folder, const Clock& clock, Random& random) {
    auto files = TRY(Files::open(folder));
    auto index = TRY(sqlite::Store::open(folder, objects_layout));
    TRY(collect_leftovers(*index, *files));
    auto start = TRY(count_start(*index));
    auto& store = *index;
    return std::unique_ptr<Storage>(new Storage{.files = std::move(files),
                                                .index = std::move(index),
                                                .writes = sqlite::GroupCommit(store),
                                                .clock = clock,
                                                .random = random,
                                                .next_number = start << counter_bits});
}

std::int64_t next_number(Storage& storage) {
    return storage.next_number.fetch_add(1);
}

Result<> commit(Storage& storage, const std::function<Result<>(Change&)>& write) {
    std::vector<FileNumber> collected;
    collected.swap(*storage.collected.lock());
    std::vector<FileNumber> adopted;
    std::vector<Change::Removed> removed;
    bool refused = false;
    auto committed = storage.writes.run([&](sqlite::Transaction& transaction) -> Result<> {
        Change change{.transaction = transaction};
        for (auto file : collected)
            TRY(transaction.execute("DELETE FROM garbage WHERE blob = ?", file));
        auto written = write(change);
        for (const auto& [content, file] : change.removed) {
            if (!written) break;
            TRY(transaction.execute("INSERT OR IGNORE INTO garbage VALUES (?, ?)", file, content));
        }
        adopted = std::move(change.adopted);
        removed = std::move(change.removed);
        refused = !written;
        return written;
    });
    if (!committed) {
        auto again = storage.collected.lock();
        again->insert(again->end(), collected.begin(), collected.end());
        // A commit that failed half-way may still be found in the log at the next start: then the files are
        // wanted, and if not, they are collected there.
        if (refused) {
            for (auto file : adopted)
                storage.files->remove(file);
        }
        return committed;
    }
    for (auto file : adopted)
        storage.files->move_on(file);
    remove_files(storage, removed);
    return {};
}

std::optional<Lease> Lease::take(Storage& storage, std::int64_t content) {
    auto readers = storage.readers.lock();
    auto& state = readers->contents[content];
    if (state.going || !state.doomed.empty()) return std::nullopt;
    ++state.count;
    return Lease(storage, content);
}

Lease::~Lease() {
    if (!storage_) return;
    std::vector<FileNumber> doomed;
    {
        auto readers = storage_->readers.lock();
        auto state = readers->contents.find(content_);
        if (--state->second.count > 0) return;
        doomed = std::move(state->second.doomed);
        readers->contents.erase(state);
    }
    for (auto file : doomed)
        storage_->files->remove(file);
    auto collected = storage_->collected.lock();
    collected->insert(collected->end(), doomed.begin(), doomed.end());
}

}  // namespace integreat::s3
