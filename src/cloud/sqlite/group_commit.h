// SPDX-License-Identifier: Apache-2.0
// Writes of several threads in one transaction, so that they share one fsync. Whoever comes while nobody
// commits leads: it takes all writes that wait, runs each in a savepoint of its own, commits once and wakes
// their callers. A write that fails is undone alone; if the commit itself fails, all of them have failed.
#pragma once

#include <condition_variable>
#include <functional>
#include <vector>

#include "cloud/sqlite/sqlite.h"

namespace integreat::sqlite {

class GroupCommit {
public:
    explicit GroupCommit(Store& store) : store_(store) {}

    // Runs on the thread of any caller, but returns on this one, when what it wrote is on the disk. The
    // transaction must not be committed by `write`.
    Result<> run(const std::function<Result<>(Transaction&)>& write);

    std::uint64_t commits();  // So far.

private:
    struct Waiting {
        const std::function<Result<>(Transaction&)>* write;
        Result<> result;
        bool done = false;
    };
    struct Queue {
        std::vector<Waiting*> waiting;
        bool led = false;
        std::uint64_t commits = 0;
    };
    Result<> commit_together(std::vector<Waiting*>& batch);

    static constexpr std::size_t batch_count_max = 64;

    Store& store_;
    Guarded<Queue> queue_;
    std::condition_variable changed_;
};

}  // namespace integreat::sqlite
