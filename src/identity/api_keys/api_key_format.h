// SPDX-License-Identifier: Apache-2.0
// The text format of API keys: itg_PREFIX_SECRETCHECK, letters and digits only.
//
//     itg_4fGh81Kq_Zr0...43 characters, 256 random bits...x9kQ2bT1
//
// The prefix (8) identifies the key and is not secret. The checksum (6, SHA-256 of everything before it)
// distinguishes a mistyped or truncated key from an unknown one without a query, and lets secret scanners
// find leaked keys without false positives: itg_[0-9A-Za-z]{8}_[0-9A-Za-z]{49}.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/secret.h"

namespace integreat::identity {

struct ApiKeyText {
    std::string prefix;
    Secret whole;
};

ApiKeyText generate_api_key_text(Random& random);

// Returns true for a text that starts like an API key, valid or not.
bool is_api_key_text(std::string_view text);

// Returns the prefix, or nothing if the format or the checksum is wrong.
std::optional<std::string_view> parse_api_key_prefix(std::string_view text);

// Returns the hash that is stored instead of the key. With 256 random bits a plain hash is as safe as a slow
// one.
std::string hash_api_key(std::string_view text);

}  // namespace integreat::identity
