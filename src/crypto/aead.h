// SPDX-License-Identifier: Apache-2.0
// Authenticated encryption: AES-256-GCM (NIST SP 800-38D) with a random nonce.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/secret.h"

namespace integreat::crypto {

inline constexpr std::size_t aead_key_bytes = 32;

// Encrypts a text. Returns nonce ‖ ciphertext ‖ tag, as bytes. `associated_data` is authenticated and
// required to decrypt.
std::string seal(const Secret& key, std::string_view text, std::string_view associated_data, Random& random);
// Decrypts. Returns nullopt if the bytes were changed, or the key or associated data differ.
std::optional<std::string> open_sealed(const Secret& key, std::string_view sealed,
                                       std::string_view associated_data);

}  // namespace integreat::crypto
