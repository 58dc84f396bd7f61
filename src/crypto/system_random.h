// SPDX-License-Identifier: Apache-2.0
// The kernel's randomness (getrandom(2)), drawn in blocks per thread: an identifier for each request must
// not cost a system call. Bytes handed out are wiped from the block, and a forked child starts a new one.
#pragma once

#include "base/random.h"

namespace integreat::crypto {

class SystemRandom final : public Random {
public:
    void fill(std::span<std::byte> bytes) override;
};

}  // namespace integreat::crypto
