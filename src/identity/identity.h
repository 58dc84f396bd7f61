// SPDX-License-Identifier: Apache-2.0
// Authenticates callers: converts the Authorization header to a Principal, or to an AuthFailure with the
// reason.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "identity/tokens/auth_result.h"
#include "identity/tokens/firebase_tokens.h"

namespace integreat::identity {

class ApiKeys;
class RemoteJwks;
class TokenCache;

struct IdentityLimits {
    TokenRules token;
    std::size_t max_cached_tokens = 10'000;
};

// Thread-safe. Keeps references: `keys`, `api_keys` and `clock` must outlive it.
class Identity {
public:
    Identity(RemoteJwks& keys, ApiKeys& api_keys, const Clock& clock, const IdentityLimits& limits = {});
    ~Identity();

    // Authenticates by the value of the Authorization header, which is empty if there is none. Blocks (until
    // `deadline`) only if `may_block`. A dependency that fails is an AuthFailure with status 503.
    AuthResult identify(std::string_view authorization, const Projects& projects, bool may_block,
                        Monotonic deadline);

private:
    AuthResult authenticate_user(std::string_view token, const Projects& projects, bool may_block,
                                 Monotonic deadline);
    std::shared_ptr<const Principal> find_cached(std::string_view token, const Projects& projects);
    std::variant<AuthResult, UnknownKey> verify(std::string_view token, const Projects& projects);
    AuthFailure unavailable() const;

    RemoteJwks& keys_;
    ApiKeys& api_keys_;
    const Clock& clock_;
    IdentityLimits limits_;
    std::unique_ptr<TokenCache> cache_;
};

}  // namespace integreat::identity
