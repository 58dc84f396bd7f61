// SPDX-License-Identifier: Apache-2.0
// scrypt (RFC 7914): derives a key from a password, deliberately expensive in time and memory.
#pragma once

#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "crypto/hash.h"

namespace integreat::crypto {

struct ScryptCost {
    int log2_n = 15;  // 32 MiB with r = 8.
    int r = 8;
    int p = 1;
};

// Returns 32 bytes; compare them in constant time. Fault::invalid for a cost outside log2_n 1..20, r 1..32,
// p 1..16, or beyond 256 MiB.
Result<Sha256> scrypt(const Secret& password, std::string_view salt, const ScryptCost& cost);

}  // namespace integreat::crypto
