// SPDX-License-Identifier: Apache-2.0
#include "cloud/sqlite/group_commit.h"

#include <algorithm>

namespace integreat::sqlite {

Result<> GroupCommit::commit_batch(std::vector<QueuedWrite*>& batch) {
    auto transaction = TRY(store_.write());
    for (auto* queued : batch) {
        TRY(transaction.execute("SAVEPOINT queued_write"));
        queued->result = (*queued->write)(transaction);
        if (!queued->result) TRY(transaction.execute("ROLLBACK TO queued_write"));
        TRY(transaction.execute("RELEASE queued_write"));
    }
    return transaction.commit();
}

Result<> GroupCommit::run(const std::function<Result<>(Transaction&)>& write) {
    QueuedWrite own{.write = &write, .result = {}};
    auto queue = queue_.lock();
    queue->pending.push_back(&own);
    changed_.wait(queue.lock(), [&] { return own.done || !queue->has_leader; });
    if (own.done) return std::move(own.result);

    queue->has_leader = true;
    auto count = std::min(queue->pending.size(), batch_count_max);
    auto end = queue->pending.begin() + static_cast<std::ptrdiff_t>(count);
    std::vector<QueuedWrite*> batch(queue->pending.begin(), end);
    // If more writes are pending than fit into a batch, the leader's own write replaces the first one.
    if (std::find(batch.begin(), batch.end(), &own) == batch.end()) batch.front() = &own;
    std::erase_if(queue->pending, [&](QueuedWrite* queued) {
        return std::find(batch.begin(), batch.end(), queued) != batch.end();
    });
    queue.lock().unlock();
    auto committed = commit_batch(batch);
    queue.lock().lock();
    for (auto* queued : batch) {
        if (!committed) queued->result = committed.error();
        queued->done = true;
    }
    queue->has_leader = false;
    ++queue->commits;
    changed_.notify_all();
    return std::move(own.result);
}

std::uint64_t GroupCommit::commits() {
    return queue_.lock()->commits;
}

}  // namespace integreat::sqlite
