// SPDX-License-Identifier: Apache-2.0
// Random bytes from the kernel (getrandom(2)), buffered per thread: an identifier for each request must not
// cost a system call. Returned bytes are wiped from the buffer, and a forked child starts with an empty one.
#pragma once

#include "base/random.h"

namespace integreat::crypto {

class SystemRandom final : public Random {
public:
    void fill(std::span<std::byte> bytes) override;
};

}  // namespace integreat::crypto
