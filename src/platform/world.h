// SPDX-License-Identifier: Apache-2.0
// The real clock and the real randomness. Made once, in main; everything else takes them as arguments.
#pragma once

#include "base/clock.h"
#include "base/random.h"

namespace integreat::platform {

class SystemClock final : public Clock {
public:
    Time now() const override;
    Monotonic monotonic() const override;
};

// The kernel's generator (getrandom(2)), asked for a page at a time per thread: a request id costs no system
// call. Bytes are wiped as they are handed out.
class SystemRandom final : public Random {
public:
    void fill(std::span<std::byte> bytes) override;
};

}  // namespace integreat::platform
