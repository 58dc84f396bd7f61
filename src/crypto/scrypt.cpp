// SPDX-License-Identifier: Apache-2.0
#include "crypto/scrypt.h"

#include "crypto/openssl.h"

namespace integreat::crypto {

Result<Sha256> scrypt(const Secret& password, std::string_view salt, const ScryptCost& cost) {
    constexpr std::uint64_t memory_max = 256u * 1024 * 1024;
    bool in_range =
        cost.log2_n >= 1 && cost.log2_n <= 20 && cost.r >= 1 && cost.r <= 32 && cost.p >= 1 && cost.p <= 16;
    auto n = std::uint64_t(1) << (in_range ? cost.log2_n : 0);
    if (!in_range || 128 * n * static_cast<std::uint64_t>(cost.r) > memory_max) {
        return Error{Fault::invalid, "the cost of scrypt is out of range", ""};
    }
    Sha256 key;
    const auto& secret = password.reveal();
    int made =
        EVP_PBE_scrypt(secret.data(), secret.size(), reinterpret_cast<const unsigned char*>(salt.data()),
                       salt.size(), n, static_cast<std::uint64_t>(cost.r), static_cast<std::uint64_t>(cost.p),
                       2 * memory_max, key.data(), key.size());
    if (made != 1) return openssl_error(Fault::internal, "scrypt failed");
    return key;
}

}  // namespace integreat::crypto
