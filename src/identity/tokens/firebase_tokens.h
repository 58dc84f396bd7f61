// SPDX-License-Identifier: Apache-2.0
// Firebase ID tokens: JWTs signed with RS256 by Google for one Firebase project
// (https://firebase.google.com/docs/auth/admin/verify-id-tokens). Everything the page demands is checked, and
// what it leaves open is closed: `exp` is required, `iat` and `auth_time` may not lie in the future, times
// are whole numbers. The claims are looked at before the signature, because that is cheaper: a token that is
// expired or not for us costs no RSA and fetches no keys. Only what passed all checks is believed.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "base/principal.h"
#include "identity/tokens/denial.h"
#include "identity/tokens/projects.h"
#include "identity/tokens/signing_keys.h"

namespace integreat::identity {

struct TokenRules {
    std::chrono::seconds clock_skew{30};
    std::size_t bytes_max = 8 * 1024;
};

// Everything is right so far, but the key set has no key of this id: it may be a new one.
struct UnknownKey {
    std::string key_id;
};

using TokenVerdict = std::variant<std::shared_ptr<const Principal>, Denial, UnknownKey>;

TokenVerdict verify_firebase_token(std::string_view token, const SigningKeys& keys, const Projects& projects,
                                   const TokenRules& rules, Time now);

}  // namespace integreat::identity
