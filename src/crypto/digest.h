// SPDX-License-Identifier: Apache-2.0
// Hashes and message authentication codes (FIPS 180-4, RFC 2104), as raw bytes.
#pragma once

#include <array>
#include <string_view>

namespace integreat::crypto {

using Sha256 = std::array<unsigned char, 32>;

Sha256 sha256(std::string_view bytes);
Sha256 hmac_sha256(std::string_view key, std::string_view bytes);

inline std::string_view as_view(const Sha256& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace integreat::crypto
