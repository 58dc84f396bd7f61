// SPDX-License-Identifier: Apache-2.0
// The only source of unpredictable bytes (style R19).
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>

namespace integreat {

class Random {
public:
    // Fills `bytes` from a source fit for keys and tokens. Thread-safe.
    virtual void fill(std::span<std::byte> bytes) = 0;

protected:
    ~Random() = default;
};

// Deterministic bytes (SplitMix64), so that a test can compare a whole token.
class FixedRandom final : public Random {
public:
    explicit FixedRandom(std::uint64_t seed = 1) : state_(seed) {}
    void fill(std::span<std::byte> bytes) override;

private:
    std::mutex mutex_;
    std::uint64_t state_;
};

}  // namespace integreat
