// SPDX-License-Identifier: Apache-2.0
#include "crypto/hash.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "crypto/openssl.h"

namespace integreat::crypto {

EVP_MD* fetched_sha256() {
    static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    ASSERT(algorithm);
    return algorithm;
}

namespace {

// Returns algorithms fetched once: EVP_md5() and the like look the provider up on each use.
EVP_MD* fetched(HashAlgorithm algorithm) {
    static EVP_MD* const md5 = EVP_MD_fetch(nullptr, "MD5", nullptr);
    static EVP_MD* const sha1 = EVP_MD_fetch(nullptr, "SHA1", nullptr);
    EVP_MD* fetched = algorithm == HashAlgorithm::md5    ? md5
                      : algorithm == HashAlgorithm::sha1 ? sha1
                                                         : fetched_sha256();
    ASSERT(fetched);
    return fetched;
}

// Returns the calling thread's context: HMAC() looks its algorithm up by name on each call, which costs more
// than a short text does.
EVP_MAC_CTX* hmac_context() {
    thread_local const std::unique_ptr<EVP_MAC_CTX, Free<EVP_MAC_CTX_free>> context([] {
        static EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
        ASSERT(algorithm);
        auto* created = EVP_MAC_CTX_new(algorithm);
        std::string digest = "SHA256";
        std::array parameters{
            OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), digest.size()),
            OSSL_PARAM_construct_end()};
        ASSERT(created && EVP_MAC_CTX_set_params(created, parameters.data()) == 1);
        return created;
    }());
    return context.get();
}

}  // namespace

Sha256 sha256(std::string_view bytes) {
    thread_local const DigestContext context(EVP_MD_CTX_new());
    Sha256 digest;
    unsigned int length = 0;
    bool done = EVP_DigestInit_ex2(context.get(), fetched_sha256(), nullptr) == 1 &&
                EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1 &&
                EVP_DigestFinal_ex(context.get(), digest.data(), &length) == 1;
    ASSERT(done && length == digest.size());
    return digest;
}

Sha256 hmac_sha256(std::string_view key, std::string_view bytes) {
    // To OpenSSL, a null key means "reuse the last one".
    static constexpr unsigned char empty_key = 0;
    auto* context = hmac_context();
    auto data = [](std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); };
    Sha256 code;
    std::size_t length = 0;
    bool done = EVP_MAC_init(context, key.empty() ? &empty_key : data(key), key.size(), nullptr) == 1 &&
                EVP_MAC_update(context, data(bytes), bytes.size()) == 1 &&
                EVP_MAC_final(context, code.data(), &length, code.size()) == 1;
    ASSERT(done && length == code.size());
    return code;
}

std::string hash(HashAlgorithm algorithm, std::string_view bytes) {
    Hasher hasher(algorithm);
    hasher.update(bytes);
    return hasher.finish();
}

void Hasher::FreeContext::operator()(EVP_MD_CTX* context) const {
    EVP_MD_CTX_free(context);
}

Hasher::Hasher(HashAlgorithm algorithm) : context_(EVP_MD_CTX_new()), algorithm_(algorithm) {
    ASSERT(context_ && EVP_DigestInit_ex2(context_.get(), fetched(algorithm), nullptr) == 1);
}

void Hasher::update(std::string_view bytes) {
    ASSERT(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

std::string Hasher::finish() {
    std::string digest(EVP_MAX_MD_SIZE, '\0');
    unsigned int length = 0;
    ASSERT(EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest.data()), &length) == 1);
    ASSERT(EVP_DigestInit_ex2(context_.get(), fetched(algorithm_), nullptr) == 1);
    digest.resize(length);
    return digest;
}

}  // namespace integreat::crypto
