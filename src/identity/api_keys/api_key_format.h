// SPDX-License-Identifier: Apache-2.0
// How an API key is written: itg_PREFIX_SECRETCHECK, letters and digits only.
//
//     itg_4fGh81Kq_Zr0...43 characters, 256 random bits...x9kQ2bT1
//
// The prefix (8) finds the key and may be shown; the check (6, SHA-256 of everything before it) tells a
// mistyped or cut key from an unknown one without asking anybody, and lets scanners of published code know a
// leaked key without false alarms: itg_[0-9A-Za-z]{8}_[0-9A-Za-z]{49}.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/secret.h"

namespace integreat::identity {

struct NewKeyText {
    std::string prefix;
    Secret whole;
};

NewKeyText make_key_text(Random& random);

// True for anything that means to be an API key of ours, whole or not.
bool is_key_text(std::string_view text);

// The prefix, or nothing if the form or the check is wrong.
std::optional<std::string_view> prefix_of_key_text(std::string_view text);

// What is stored instead of the key: with 256 random bits a plain hash is as good as a slow one.
std::string hash_of_key_text(std::string_view text);

}  // namespace integreat::identity
