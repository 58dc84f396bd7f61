// SPDX-License-Identifier: Apache-2.0
// RSA keys for RS256 (RSASSA-PKCS1-v1_5 with SHA-256, RFC 8017 section 8.2, RFC 7518 section 3.3). Keys are
// immutable values that share their OpenSSL object; any number of threads may use one.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

struct evp_pkey_st;

namespace integreat::crypto {

class RsaPublicKey {
public:
    // Fault::invalid unless the key is an RSA key of 2048 to 8192 bits with an odd exponent from 3 up to 64
    // bits.
    static Result<RsaPublicKey> from_pem(std::string_view pem);  // "BEGIN PUBLIC KEY"
    static Result<RsaPublicKey> from_numbers(std::string_view modulus,
                                             std::string_view exponent);  // Big-endian.
    static Result<RsaPublicKey> from_openssl(std::shared_ptr<evp_pkey_st> key);

    bool verify_rs256(std::string_view signing_input, std::string_view signature) const;

    std::size_t modulus_bytes() const { return modulus_bytes_; }
    std::string modulus() const;  // Big-endian, without leading zeros.
    std::string exponent() const;
    std::string to_pem() const;
    evp_pkey_st* openssl() const { return key_.get(); }

    friend bool operator==(const RsaPublicKey& left, const RsaPublicKey& right);

private:
    RsaPublicKey(std::shared_ptr<evp_pkey_st> key, std::size_t modulus_bytes)
        : key_(std::move(key)), modulus_bytes_(modulus_bytes) {}

    std::shared_ptr<evp_pkey_st> key_;
    std::size_t modulus_bytes_;
};

class RsaPrivateKey {
public:
    // Generates a key with OpenSSL's generator, seeded by the kernel. Takes about 50 to 500 ms.
    static Result<RsaPrivateKey> generate(int bits = 2048);
    static Result<RsaPrivateKey> from_pem(const Secret& pem);  // PKCS #8 or PKCS #1, unencrypted.

    std::string sign_rs256(std::string_view text) const;
    RsaPublicKey public_key() const;
    Secret to_pem() const;  // PKCS #8: "BEGIN PRIVATE KEY"
    evp_pkey_st* openssl() const { return key_.get(); }

private:
    explicit RsaPrivateKey(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}

    std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace integreat::crypto
