// SPDX-License-Identifier: Apache-2.0
#include "crypto/rsa.h"

#include <optional>

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "crypto/hash.h"
#include "crypto/openssl.h"

namespace integreat::crypto {

namespace {

using NumberPointer = std::unique_ptr<BIGNUM, Free<BN_free>>;
using ParamsBuilder = std::unique_ptr<OSSL_PARAM_BLD, Free<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Free<OSSL_PARAM_free>>;

constexpr int bits_min = 2048;
constexpr int bits_max = 8192;         // Beyond it, one verification takes milliseconds.
constexpr int exponent_bits_max = 64;  // For the same reason; FIPS 186-5 allows 256.

std::shared_ptr<EVP_PKEY> shared(KeyPointer key) {
    return {key.release(), EVP_PKEY_free};
}

NumberPointer get_number(const EVP_PKEY* key, const char* name) {
    BIGNUM* number = nullptr;
    ASSERT(EVP_PKEY_get_bn_param(key, name, &number) == 1);
    return NumberPointer(number);
}

std::string big_endian(const BIGNUM* number) {
    std::string bytes(static_cast<std::size_t>(BN_num_bytes(number)), '\0');
    BN_bn2bin(number, reinterpret_cast<unsigned char*>(bytes.data()));
    return bytes;
}

// Returns the reason why a key is not acceptable, or nullopt.
std::optional<std::string> find_defect(const EVP_PKEY* key) {
    if (EVP_PKEY_is_a(key, "RSA") != 1) return "the key is not an RSA key";
    auto bits = EVP_PKEY_get_bits(key);
    if (bits < bits_min || bits > bits_max) {
        return "the RSA key has " + std::to_string(bits) + " bits, not 2048 to 8192";
    }
    auto exponent = get_number(key, OSSL_PKEY_PARAM_RSA_E);
    auto modulus = get_number(key, OSSL_PKEY_PARAM_RSA_N);
    if (!BN_is_odd(exponent.get()) || BN_num_bits(exponent.get()) < 2 ||
        BN_num_bits(exponent.get()) > exponent_bits_max) {
        return "the RSA key's exponent must be odd, at least 3 and at most 64 bits long";
    }
    if (!BN_is_odd(modulus.get())) return "the RSA key's modulus is even";
    return std::nullopt;
}

// An RS256 context per key would be faster, but contexts are not thread-safe: one is created per use, from
// algorithms fetched once.
KeyContext rs256_context(EVP_PKEY* key, int (*begin)(EVP_PKEY_CTX*)) {
    KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
    ASSERT(context && begin(context.get()) == 1 &&
           EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1 &&
           EVP_PKEY_CTX_set_signature_md(context.get(), fetched_sha256()) == 1);
    return context;
}

}  // namespace

Result<RsaPublicKey> RsaPublicKey::from_openssl(std::shared_ptr<evp_pkey_st> key) {
    if (auto defect = find_defect(key.get())) return Error{Fault::invalid, *defect, ""};
    auto modulus_bytes = static_cast<std::size_t>(EVP_PKEY_get_size(key.get()));
    return RsaPublicKey(std::move(key), modulus_bytes);
}

Result<RsaPublicKey> RsaPublicKey::from_pem(std::string_view pem) {
    auto bio = read_only_bio(pem);
    KeyPointer key(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
    if (!key) return openssl_error(Fault::invalid, "not a public key in PEM (BEGIN PUBLIC KEY)");
    return from_openssl(shared(std::move(key)));
}

Result<RsaPublicKey> RsaPublicKey::from_numbers(std::string_view modulus, std::string_view exponent) {
    if (modulus.size() > bits_max / 8 || exponent.size() > exponent_bits_max / 8) {
        return Error{Fault::invalid, "the RSA key's modulus or exponent is too long", ""};
    }
    auto number = [](std::string_view bytes) {
        return NumberPointer(BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()),
                                       static_cast<int>(bytes.size()), nullptr));
    };
    auto n = number(modulus), e = number(exponent);
    ParamsBuilder builder(OSSL_PARAM_BLD_new());
    ASSERT(n && e && builder && OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1 &&
           OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 1);
    Params params(OSSL_PARAM_BLD_to_param(builder.get()));
    KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
    EVP_PKEY* key = nullptr;
    if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
        return openssl_error(Fault::invalid, "the modulus and exponent do not make an RSA key");
    }
    return from_openssl(shared(KeyPointer(key)));
}

bool RsaPublicKey::verify_rs256(std::string_view signing_input, std::string_view signature) const {
    if (signature.size() != modulus_bytes_) return false;
    auto digest = sha256(signing_input);
    auto context = rs256_context(key_.get(), EVP_PKEY_verify_init);
    int verified = EVP_PKEY_verify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()),
                                   signature.size(), digest.data(), digest.size());
    if (verified != 1) ERR_clear_error();
    return verified == 1;
}

std::string RsaPublicKey::modulus() const {
    return big_endian(get_number(key_.get(), OSSL_PKEY_PARAM_RSA_N).get());
}

std::string RsaPublicKey::exponent() const {
    return big_endian(get_number(key_.get(), OSSL_PKEY_PARAM_RSA_E).get());
}

std::string RsaPublicKey::to_pem() const {
    BioPointer bio(BIO_new(BIO_s_mem()));
    ASSERT(bio && PEM_write_bio_PUBKEY(bio.get(), key_.get()) == 1);
    return bio_text(bio.get());
}

bool operator==(const RsaPublicKey& left, const RsaPublicKey& right) {
    return EVP_PKEY_eq(left.key_.get(), right.key_.get()) == 1;
}

Result<RsaPrivateKey> RsaPrivateKey::generate(int bits) {
    if (bits < bits_min || bits > bits_max) {
        return Error{Fault::invalid, "an RSA key must have 2048 to 8192 bits", ""};
    }
    KeyPointer key(EVP_RSA_gen(static_cast<unsigned int>(bits)));
    if (!key) return openssl_error(Fault::internal, "no RSA key could be made");
    return RsaPrivateKey(shared(std::move(key)));
}

Result<RsaPrivateKey> RsaPrivateKey::from_pem(const Secret& pem) {
    auto bio = read_only_bio(pem.reveal());
    // Without a callback OpenSSL prompts on the terminal for the passphrase of an encrypted key.
    auto no_passphrase = [](char*, int, int, void*) { return -1; };
    KeyPointer key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
    if (!key)
        return openssl_error(Fault::invalid, "not an unencrypted private key in PEM (BEGIN PRIVATE KEY)");
    if (auto defect = find_defect(key.get())) return Error{Fault::invalid, *defect, ""};
    return RsaPrivateKey(shared(std::move(key)));
}

std::string RsaPrivateKey::sign_rs256(std::string_view text) const {
    auto digest = sha256(text);
    auto context = rs256_context(key_.get(), EVP_PKEY_sign_init);
    std::string signature(static_cast<std::size_t>(EVP_PKEY_get_size(key_.get())), '\0');
    std::size_t length = signature.size();
    ASSERT(EVP_PKEY_sign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &length,
                         digest.data(), digest.size()) == 1);
    signature.resize(length);
    return signature;
}

RsaPublicKey RsaPrivateKey::public_key() const {
    auto modulus = big_endian(get_number(key_.get(), OSSL_PKEY_PARAM_RSA_N).get());
    auto exponent = big_endian(get_number(key_.get(), OSSL_PKEY_PARAM_RSA_E).get());
    return *RsaPublicKey::from_numbers(modulus, exponent);
}

Secret RsaPrivateKey::to_pem() const {
    BioPointer bio(BIO_new(BIO_s_secmem()));
    ASSERT(bio &&
           PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
    return Secret(bio_text(bio.get()));
}

}  // namespace integreat::crypto
