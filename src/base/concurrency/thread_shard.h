// SPDX-License-Identifier: Apache-2.0
// What every request touches exists once per slot, and each thread keeps to its own slot: no line of cache
// and no lock then travels between cores. Threads beyond the slots share, which costs time and nothing else.
#pragma once

#include <atomic>
#include <cstddef>

namespace integreat {

inline constexpr std::size_t thread_slots = 32;

inline std::size_t thread_slot() {
    static std::atomic<std::size_t> threads_seen{0};
    thread_local const std::size_t slot = threads_seen.fetch_add(1, std::memory_order_relaxed) % thread_slots;
    return slot;
}

}  // namespace integreat
