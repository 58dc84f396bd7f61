// SPDX-License-Identifier: Apache-2.0
#include "crypto/hasher.h"

#include "crypto/openssl.h"

namespace integreat::crypto {

namespace {

// Fetched once: EVP_md5() and its like would look the provider up for each use.
EVP_MD* fetched(Hash hash) {
    static EVP_MD* const md5 = EVP_MD_fetch(nullptr, "MD5", nullptr);
    static EVP_MD* const sha1 = EVP_MD_fetch(nullptr, "SHA1", nullptr);
    EVP_MD* algorithm = hash == Hash::md5 ? md5 : hash == Hash::sha1 ? sha1 : fetched_sha256();
    ASSERT(algorithm);
    return algorithm;
}

}  // namespace

void Hasher::FreeContext::operator()(EVP_MD_CTX* context) const {
    EVP_MD_CTX_free(context);
}

Hasher::Hasher(Hash hash) : context_(EVP_MD_CTX_new()), hash_(hash) {
    ASSERT(context_ && EVP_DigestInit_ex2(context_.get(), fetched(hash), nullptr) == 1);
}

void Hasher::update(std::string_view bytes) {
    ASSERT(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

std::string Hasher::finish() {
    std::string digest(EVP_MAX_MD_SIZE, '\0');
    unsigned int length = 0;
    ASSERT(EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest.data()), &length) == 1);
    ASSERT(EVP_DigestInit_ex2(context_.get(), fetched(hash_), nullptr) == 1);
    digest.resize(length);
    return digest;
}

std::string hash_of(Hash hash, std::string_view bytes) {
    Hasher hasher(hash);
    hasher.update(bytes);
    return hasher.finish();
}

}  // namespace integreat::crypto
