// SPDX-License-Identifier: Apache-2.0
#include "crypto/digest.h"

#include <openssl/hmac.h>

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

Sha256 hmac_sha256(std::string_view key, std::string_view bytes) {
    // A null key means "reuse the last one" to OpenSSL.
    static constexpr char no_key = 0;
    Sha256 code;
    unsigned int length = 0;
    const auto* result =
        HMAC(fetched_sha256(), key.empty() ? &no_key : key.data(), static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), code.data(), &length);
    ASSERT(result && length == code.size());
    return code;
}

}  // namespace integreat::crypto
