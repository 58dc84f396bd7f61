// SPDX-License-Identifier: Apache-2.0
// Group commit: writes of several threads share one transaction and one fsync. A thread that arrives while no
// commit is running becomes the leader: it runs all queued writes, each in its own savepoint, commits once
// and wakes their threads. A failed write is rolled back alone; if the commit fails, all writes of the group
// fail.
#pragma once

#include <condition_variable>
#include <functional>
#include <vector>

#include "cloud/sqlite/sqlite.h"

namespace integreat::sqlite {

class GroupCommit {
public:
    explicit GroupCommit(Store& store) : store_(store) {}

    // Runs `write` on the thread of some caller and returns when its changes are on disk. `write` must not
    // commit the transaction.
    Result<> run(const std::function<Result<>(Transaction&)>& write);

    std::uint64_t commits();  // Number of commits since construction.

private:
    struct QueuedWrite {
        const std::function<Result<>(Transaction&)>* write;
        Result<> result;
        bool done = false;
    };
    struct Queue {
        std::vector<QueuedWrite*> pending;
        bool has_leader = false;
        std::uint64_t commits = 0;
    };
    Result<> commit_batch(std::vector<QueuedWrite*>& batch);

    static constexpr std::size_t batch_count_max = 64;

    Store& store_;
    Synchronized<Queue> queue_;
    std::condition_variable changed_;
};

}  // namespace integreat::sqlite
