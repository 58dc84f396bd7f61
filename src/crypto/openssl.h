// SPDX-License-Identifier: Apache-2.0
// OpenSSL objects as unique_ptr, and its error queue as a cause for the log. Only for this folder's sources.
#pragma once

#include <memory>
#include <string>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/x509.h>

#include "base/assert.h"
#include "base/result.h"

namespace integreat::crypto {

template <auto free>
struct Free {
    template <class T>
    void operator()(T* object) const {
        free(object);
    }
};

using BioPointer = std::unique_ptr<BIO, Free<BIO_free_all>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using KeyPointer = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;
using CertificatePointer = std::unique_ptr<X509, Free<X509_free>>;

// Returns OpenSSL's errors of the calling thread and empties its queue.
inline std::string take_openssl_errors() {
    std::string text;
    while (unsigned long code = ERR_get_error()) {
        char line[256];
        ERR_error_string_n(code, line, sizeof line);
        if (!text.empty()) text += "; ";
        text += line;
    }
    return text;
}

inline Error openssl_error(Fault fault, std::string message) {
    return {fault, std::move(message), take_openssl_errors()};
}

// Returns a BIO that reads `text`, which must outlive it.
inline BioPointer read_only_bio(std::string_view text) {
    BioPointer bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
    ASSERT(bio);
    return bio;
}

inline std::string bio_text(BIO* bio) {
    char* start = nullptr;
    auto length = BIO_get_mem_data(bio, &start);
    return {start, static_cast<std::size_t>(length)};
}

// Returns SHA-256, fetched once: EVP_sha256() looks the provider up on each use. Defined in hash.cpp.
EVP_MD* fetched_sha256();

}  // namespace integreat::crypto
