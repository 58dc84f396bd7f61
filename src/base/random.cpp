// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"

namespace integreat {

void FixedRandom::fill(std::span<std::byte> bytes) {
    std::lock_guard lock(mutex_);
    for (auto& byte : bytes) {
        state_ += 0x9E3779B97F4A7C15u;
        std::uint64_t mixed = state_;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
        byte = std::byte(mixed >> 56);
    }
}

}  // namespace integreat
