// SPDX-License-Identifier: Apache-2.0
// Who is asking. Turns the Authorization header into a Principal, or into a Denial that says exactly why not.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "identity/tokens/auth_result.h"
#include "identity/tokens/firebase_tokens.h"
#include "identity/tokens/projects.h"

namespace integreat::identity {

class ApiKeys;
class KeySet;
class TokenCache;

struct IdentityLimits {
    TokenRules token;
    std::size_t token_cache_max = 10'000;
};

// Safe to use from any thread. Keeps references: `keys`, `api_keys` and `clock` must outlive it.
class Identity {
public:
    Identity(KeySet& keys, ApiKeys& api_keys, const Clock& clock, const IdentityLimits& limits = {});
    ~Identity();

    // `authorization` is the value of the Authorization header, empty if there is none. Waits (until
    // `deadline`) only if `may_wait`; a dependency that does not answer is a Denial with status 503.
    Verdict identify(std::string_view authorization, const Projects& projects, bool may_wait,
                     Monotonic deadline);

private:
    Verdict identify_user(std::string_view token, const Projects& projects, bool may_wait,
                          Monotonic deadline);
    std::shared_ptr<const Principal> find_verified(std::string_view token, const Projects& projects);
    std::variant<Verdict, UnknownKey> verify(std::string_view token, const Projects& projects);
    Denial unavailable() const;

    KeySet& keys_;
    ApiKeys& api_keys_;
    const Clock& clock_;
    IdentityLimits limits_;
    std::unique_ptr<TokenCache> cache_;
};

}  // namespace integreat::identity
