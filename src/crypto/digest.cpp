// SPDX-License-Identifier: Apache-2.0
#include "crypto/digest.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "crypto/openssl.h"

namespace integreat::crypto {

EVP_MD* fetched_sha256() {
    static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    ASSERT(algorithm);
    return algorithm;
}

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

namespace {

// A context per thread: HMAC() looks its algorithm up by name each time, which costs more than a short text
// does.
EVP_MAC_CTX* hmac_context() {
    thread_local const std::unique_ptr<EVP_MAC_CTX, Free<EVP_MAC_CTX_free>> context([] {
        static EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
        ASSERT(algorithm);
        auto* made = EVP_MAC_CTX_new(algorithm);
        std::string digest = "SHA256";
        std::array parameters{
            OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), digest.size()),
            OSSL_PARAM_construct_end()};
        ASSERT(made && EVP_MAC_CTX_set_params(made, parameters.data()) == 1);
        return made;
    }());
    return context.get();
}

}  // namespace

Sha256 hmac_sha256(std::string_view key, std::string_view bytes) {
    // A null key means "reuse the last one" to OpenSSL.
    static constexpr unsigned char no_key = 0;
    auto* context = hmac_context();
    auto of = [](std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); };
    Sha256 code;
    std::size_t length = 0;
    bool done = EVP_MAC_init(context, key.empty() ? &no_key : of(key), key.size(), nullptr) == 1 &&
                EVP_MAC_update(context, of(bytes), bytes.size()) == 1 &&
                EVP_MAC_final(context, code.data(), &length, code.size()) == 1;
    ASSERT(done && length == code.size());
    return code;
}

}  // namespace integreat::crypto
