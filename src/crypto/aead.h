// SPDX-License-Identifier: Apache-2.0
// Text that only we can read and nobody can change: AES-256-GCM (NIST SP 800-38D) with a random nonce.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/secret.h"

namespace integreat::crypto {

inline constexpr std::size_t aead_key_bytes = 32;

// nonce ‖ ciphertext ‖ tag, as bytes. `bound_to` is authenticated with it and must be given again to open it.
std::string seal(const Secret& key, std::string_view text, std::string_view bound_to, Random& random);
// Nothing if it was changed, was sealed with another key, or is bound to something else.
std::optional<std::string> open_sealed(const Secret& key, std::string_view sealed, std::string_view bound_to);

}  // namespace integreat::crypto
