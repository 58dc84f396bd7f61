// SPDX-License-Identifier: Apache-2.0
#include "platform/world.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

namespace integreat::platform {
namespace {

using Draw = std::array<std::byte, 16>;

std::set<Draw> draws(Random& random, int count) {
    std::set<Draw> drawn;
    for (int i = 0; i < count; ++i) {
        Draw draw{};
        random.fill(draw);
        drawn.insert(draw);
    }
    return drawn;
}

TEST(SystemRandom, NeverGivesTheSameBytesTwice) {
    SystemRandom random;
    std::set<Draw> here = draws(random, 2'000), there;
    std::thread other([&] { there = draws(random, 2'000); });
    other.join();
    EXPECT_EQ(here.size(), 2'000u);
    here.merge(there);
    EXPECT_EQ(here.size(), 4'000u);
}

TEST(SystemRandom, FillsMoreThanAPage) {
    SystemRandom random;
    std::vector<std::byte> bytes(100'000);
    random.fill(bytes);
    auto zeros = std::count(bytes.begin(), bytes.end(), std::byte(0));
    EXPECT_GT(zeros, 100);
    EXPECT_LT(zeros, 1'000);
}

TEST(SystemClock, MovesForward) {
    SystemClock clock;
    auto first = clock.monotonic();
    EXPECT_GE(clock.monotonic(), first);
    EXPECT_GT(clock.now(), from_unix_seconds(1'790'000'000));
}

}  // namespace
}  // namespace integreat::platform
