// SPDX-License-Identifier: Apache-2.0
#include "crypto/system_random.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>

#include <pthread.h>
#include <sys/random.h>

#include "base/assert.h"

namespace integreat::crypto {

namespace {

std::atomic<std::uint64_t> forks{0};

void draw(std::span<std::byte> bytes) {
    while (!bytes.empty()) {
        auto count = getrandom(bytes.data(), bytes.size(), 0);
        if (count < 0) {
            ASSERT(errno == EINTR);
            continue;
        }
        bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
}

struct Block {
    std::array<std::byte, 4096> bytes;
    std::size_t used = sizeof bytes;
    std::uint64_t forks_seen = 0;

    ~Block() { explicit_bzero(bytes.data(), bytes.size()); }
};

}  // namespace

void SystemRandom::fill(std::span<std::byte> bytes) {
    if (bytes.empty()) return;
    static const int watching = pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1); });
    ASSERT(watching == 0);
    thread_local Block block;
    if (bytes.size() > block.bytes.size() / 8) return draw(bytes);
    auto seen = forks.load(std::memory_order_relaxed);
    if (block.bytes.size() - block.used < bytes.size() || block.forks_seen != seen) {
        draw(block.bytes);
        block.used = 0;
        block.forks_seen = seen;
    }
    std::memcpy(bytes.data(), block.bytes.data() + block.used, bytes.size());
    explicit_bzero(block.bytes.data() + block.used, bytes.size());
    block.used += bytes.size();
}

}  // namespace integreat::crypto
