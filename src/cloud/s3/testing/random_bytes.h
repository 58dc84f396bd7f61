// SPDX-License-Identifier: Apache-2.0
// Random contents for tests.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/random.h"

namespace integreat::s3 {

// Returns pseudo-random bytes for a seed.
inline std::string random_bytes(std::size_t count, std::uint64_t seed = 1) {
    std::string bytes(count, '\0');
    FixedRandom random(seed);
    random.fill(std::as_writable_bytes(std::span(bytes)));
    return bytes;
}

}  // namespace integreat::s3
