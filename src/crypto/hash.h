// SPDX-License-Identifier: Apache-2.0
// Hashes (FIPS 180-4) and HMAC (RFC 2104), as raw bytes. MD5 (RFC 1321) and SHA-1 are here because S3's ETags
// and checksums consist of them; they protect against accidents, not against attackers.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace integreat::crypto {

using Sha256 = std::array<unsigned char, 32>;

Sha256 sha256(std::string_view bytes);
Sha256 hmac_sha256(std::string_view key, std::string_view bytes);

inline std::string_view as_view(const Sha256& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

enum class HashAlgorithm : std::uint8_t { md5, sha1, sha256 };

std::string hash(HashAlgorithm algorithm, std::string_view bytes);

// Computes a hash incrementally.
class Hasher {
public:
    explicit Hasher(HashAlgorithm algorithm);

    void update(std::string_view bytes);
    std::string finish();  // Returns the raw bytes and restarts.

private:
    struct FreeContext {
        void operator()(evp_md_ctx_st* context) const;
    };
    std::unique_ptr<evp_md_ctx_st, FreeContext> context_;
    HashAlgorithm algorithm_;
};

}  // namespace integreat::crypto
