// SPDX-License-Identifier: Apache-2.0
// Hashes of bytes that come piece by piece (FIPS 180-4). MD5 (RFC 1321) and SHA-1 are here because S3's ETags
// and checksums are made of them; they protect against accidents, not against people.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace integreat::crypto {

enum class Hash : std::uint8_t { md5, sha1, sha256 };

class Hasher {
public:
    explicit Hasher(Hash hash);

    void update(std::string_view bytes);
    std::string finish();  // Raw bytes. Starts anew after it.

private:
    struct FreeContext {
        void operator()(evp_md_ctx_st* context) const;
    };
    std::unique_ptr<evp_md_ctx_st, FreeContext> context_;
    Hash hash_;
};

std::string hash_of(Hash hash, std::string_view bytes);

}  // namespace integreat::crypto
