// SPDX-License-Identifier: Apache-2.0
#include "crypto/aead.h"

#include <memory>

#include "crypto/openssl.h"

namespace integreat::crypto {

namespace {

constexpr int nonce_bytes = 12;
constexpr int tag_bytes = 16;

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Free<EVP_CIPHER_CTX_free>>;

const EVP_CIPHER* aes_256_gcm() {
    static EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
    ASSERT(cipher);
    return cipher;
}

const unsigned char* octets(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* octets(std::string& text, std::size_t offset) {
    return reinterpret_cast<unsigned char*>(text.data()) + offset;
}

}  // namespace

std::string seal(const Secret& key, std::string_view text, std::string_view associated_data, Random& random) {
    ASSERT(key.reveal().size() == aead_key_bytes);
    std::string sealed(nonce_bytes + text.size() + tag_bytes, '\0');
    random.fill({reinterpret_cast<std::byte*>(sealed.data()), nonce_bytes});
    CipherContext context(EVP_CIPHER_CTX_new());
    int length = 0;
    bool done = EVP_EncryptInit_ex2(context.get(), aes_256_gcm(), octets(key.reveal()), octets(sealed),
                                    nullptr) == 1 &&
                EVP_EncryptUpdate(context.get(), nullptr, &length, octets(associated_data),
                                  static_cast<int>(associated_data.size())) == 1 &&
                EVP_EncryptUpdate(context.get(), octets(sealed, nonce_bytes), &length, octets(text),
                                  static_cast<int>(text.size())) == 1 &&
                EVP_EncryptFinal_ex(context.get(), octets(sealed, nonce_bytes + text.size()), &length) == 1 &&
                EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, tag_bytes,
                                    octets(sealed, nonce_bytes + text.size())) == 1;
    ASSERT(done);
    return sealed;
}

std::optional<std::string> open_sealed(const Secret& key, std::string_view sealed,
                                       std::string_view associated_data) {
    if (key.reveal().size() != aead_key_bytes || sealed.size() < nonce_bytes + tag_bytes) return std::nullopt;
    std::string text(sealed.size() - nonce_bytes - tag_bytes, '\0');
    std::string tag(sealed.substr(sealed.size() - tag_bytes));
    CipherContext context(EVP_CIPHER_CTX_new());
    int length = 0;
    bool whole = EVP_DecryptInit_ex2(context.get(), aes_256_gcm(), octets(key.reveal()), octets(sealed),
                                     nullptr) == 1 &&
                 EVP_DecryptUpdate(context.get(), nullptr, &length, octets(associated_data),
                                   static_cast<int>(associated_data.size())) == 1 &&
                 EVP_DecryptUpdate(context.get(), octets(text, 0), &length,
                                   octets(sealed.substr(nonce_bytes)), static_cast<int>(text.size())) == 1 &&
                 EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, tag_bytes, tag.data()) == 1 &&
                 EVP_DecryptFinal_ex(context.get(), octets(text, text.size()), &length) == 1;
    if (!whole) {
        take_openssl_errors();
        return std::nullopt;
    }
    return text;
}

}  // namespace integreat::crypto
