// SPDX-License-Identifier: Apache-2.0
// The verified caller of a request. identity/ creates it; every later stage reads it.
#pragma once

#include <string>
#include <vector>

#include "base/id.h"
#include "base/time.h"

namespace integreat {

enum class PrincipalKind {
    anonymous,
    user,  // A person, authenticated by a Firebase ID token.
    key,   // A server, authenticated by an API key.
};

struct Principal {
    PrincipalKind kind = PrincipalKind::anonymous;
    TenantId tenant;                  // Tenant of the token or key; empty for anonymous.
    std::string subject;              // Firebase uid ("sub"), or the ID of the API key.
    std::string role;                 // Firebase custom claim "role"; empty if the token has none.
    std::vector<std::string> scopes;  // Scopes of an API key; empty for users.
    std::string email;
    bool email_verified = false;
    std::string name;
    std::string sign_in_provider;  // "password", "google.com", "anonymous", "custom".
    Time authenticated;            // "auth_time" of the token.
    Time expires;                  // Expiry of the token or key; nothing derived from it may live longer.
};

}  // namespace integreat
