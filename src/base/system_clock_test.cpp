// SPDX-License-Identifier: Apache-2.0
#include "base/system_clock.h"

#include <gtest/gtest.h>

namespace integreat {
namespace {

TEST(SystemClock, MovesForward) {
    SystemClock clock;
    auto first = clock.monotonic();
    EXPECT_GE(clock.monotonic(), first);
    EXPECT_GT(clock.now(), from_unix_seconds(1'790'000'000));
}

}  // namespace
}  // namespace integreat
