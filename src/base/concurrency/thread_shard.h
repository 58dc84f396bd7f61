// SPDX-License-Identifier: Apache-2.0
// Shards of data that every request touches. Each thread uses one shard, so that neither cache lines nor
// locks move between cores. Threads beyond the number of shards share one, which costs time but is correct.
#pragma once

#include <atomic>
#include <cstddef>

namespace integreat {

inline constexpr std::size_t thread_shards = 32;

// Returns the index of the calling thread's shard, below thread_shards.
inline std::size_t thread_shard() {
    static std::atomic<std::size_t> threads_count{0};
    thread_local const std::size_t shard =
        threads_count.fetch_add(1, std::memory_order_relaxed) % thread_shards;
    return shard;
}

}  // namespace integreat
