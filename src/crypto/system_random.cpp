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

std::atomic<std::uint64_t> forks_count{0};

void read_kernel(std::span<std::byte> bytes) {
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
    std::uint64_t forks = 0;

    ~Block() { explicit_bzero(bytes.data(), bytes.size()); }
};

}  // namespace

void SystemRandom::fill(std::span<std::byte> bytes) {
    if (bytes.empty()) return;
    static const int registered = pthread_atfork(nullptr, nullptr, [] { forks_count.fetch_add(1); });
    ASSERT(registered == 0);
    thread_local Block block;
    if (bytes.size() > block.bytes.size() / 8) return read_kernel(bytes);
    auto forks = forks_count.load(std::memory_order_relaxed);
    if (block.bytes.size() - block.used < bytes.size() || block.forks != forks) {
        read_kernel(block.bytes);
        block.used = 0;
        block.forks = forks;
    }
    std::memcpy(bytes.data(), block.bytes.data() + block.used, bytes.size());
    explicit_bzero(block.bytes.data() + block.used, bytes.size());
    block.used += bytes.size();
}

}  // namespace integreat::crypto
