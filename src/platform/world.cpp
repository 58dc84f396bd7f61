// SPDX-License-Identifier: Apache-2.0
#include "platform/world.h"

#include <string.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/assert.h"

namespace integreat::platform {

namespace {

void fill_from_kernel(std::span<std::byte> bytes) {
    while (!bytes.empty()) {
        ssize_t got = ::getrandom(bytes.data(), bytes.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        ASSERT(got > 0);  // Without randomness there are no tokens worth making.
        bytes = bytes.subspan(static_cast<std::size_t>(got));
    }
}

struct Page {
    std::array<std::byte, 4096> bytes;
    std::size_t used = sizeof(bytes);
};

}  // namespace

Time SystemClock::now() const {
    return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

Monotonic SystemClock::monotonic() const { return std::chrono::steady_clock::now(); }

void SystemRandom::fill(std::span<std::byte> bytes) {
    thread_local Page page;
    if (bytes.size() > page.bytes.size() / 4) {
        fill_from_kernel(bytes);
        return;
    }
    // A forked child would repeat its parent's page; ours exec at once and never come here.
    if (page.bytes.size() - page.used < bytes.size()) {
        fill_from_kernel(page.bytes);
        page.used = 0;
    }
    std::byte* start = page.bytes.data() + page.used;
    std::copy_n(start, bytes.size(), bytes.begin());
    explicit_bzero(start, bytes.size());
    page.used += bytes.size();
}

}  // namespace integreat::platform
