// SPDX-License-Identifier: Apache-2.0
#include "cloud/sqlite/group_commit.h"

#include <algorithm>

namespace integreat::sqlite {

Result<> GroupCommit::commit_together(std::vector<Waiting*>& batch) {
    auto transaction = TRY(store_.write());
    for (auto* one : batch) {
        TRY(transaction.execute("SAVEPOINT one"));
        one->result = (*one->write)(transaction);
        if (!one->result) TRY(transaction.execute("ROLLBACK TO one"));
        TRY(transaction.execute("RELEASE one"));
    }
    return transaction.commit();
}

Result<> GroupCommit::run(const std::function<Result<>(Transaction&)>& write) {
    Waiting mine{.write = &write, .result = {}};
    auto queue = queue_.lock();
    queue->waiting.push_back(&mine);
    changed_.wait(queue.lock(), [&] { return mine.done || !queue->led; });
    if (mine.done) return std::move(mine.result);

    queue->led = true;
    auto count = std::min(queue->waiting.size(), batch_count_max);
    auto end = queue->waiting.begin() + static_cast<std::ptrdiff_t>(count);
    std::vector<Waiting*> batch(queue->waiting.begin(), end);
    // With more waiting than fit, the leader's own may be left for the next leader: it goes first then.
    if (std::find(batch.begin(), batch.end(), &mine) == batch.end()) batch.front() = &mine;
    std::erase_if(queue->waiting,
                  [&](Waiting* one) { return std::find(batch.begin(), batch.end(), one) != batch.end(); });
    queue.lock().unlock();
    auto committed = commit_together(batch);
    queue.lock().lock();
    for (auto* one : batch) {
        if (!committed) one->result = committed.error();
        one->done = true;
    }
    queue->led = false;
    ++queue->commits;
    changed_.notify_all();
    return std::move(mine.result);
}

std::uint64_t GroupCommit::commits() {
    return queue_.lock()->commits;
}

}  // namespace integreat::sqlite
