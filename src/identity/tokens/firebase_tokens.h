// SPDX-License-Identifier: Apache-2.0
// Firebase ID tokens: JWTs signed with RS256 by Google for one Firebase project
// (https://firebase.google.com/docs/auth/admin/verify-id-tokens). All requirements of that page are checked,
// and stricter ones where it leaves them open: `exp` is required, `iat` and `auth_time` must not be in the
// future, times are whole numbers. The claims are checked before the signature, because that is cheaper: an
// expired token or one for another audience costs no RSA verification and fetches no keys. Claims are trusted
// only after all checks.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/id.h"
#include "base/principal.h"
#include "identity/tokens/auth_result.h"
#include "identity/tokens/signing_keys.h"

namespace integreat::identity {

struct Project {
    TenantId tenant;
    std::string project_id;
};

// The Firebase projects whose tokens are accepted. Immutable; each reload makes a new one.
struct Projects {
    std::vector<Project> all;
    std::uint64_t generation = 0;  // Unique for each reload.
};

struct TokenRules {
    std::chrono::seconds clock_skew{30};
    std::size_t max_bytes = 8 * 1024;
};

// All checks before the signature have passed, but the key set has no key of this ID: it may be a new one.
struct UnknownKey {
    std::string key_id;
};

using TokenResult = std::variant<std::shared_ptr<const Principal>, AuthFailure, UnknownKey>;

// Verifies the token at the time `now`.
TokenResult verify_firebase_token(std::string_view token, const SigningKeys& keys, const Projects& projects,
                                  const TokenRules& rules, Time now);

}  // namespace integreat::identity
