// SPDX-License-Identifier: Apache-2.0
#include "platform/world.h"

#include <gtest/gtest.h>

namespace integreat::platform {
namespace {

TEST(SystemClock, MovesForward) {
    SystemClock clock;
    auto first = clock.monotonic();
    EXPECT_GE(clock.monotonic(), first);
    EXPECT_GT(clock.now(), from_unix_seconds(1'790'000'000));
}

}  // namespace
}  // namespace integreat::platform
