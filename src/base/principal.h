// SPDX-License-Identifier: Apache-2.0
// Who is asking, once it has been verified. Made by identity/, read by everything after it.
#pragma once

#include <string>
#include <vector>

#include "base/id.h"
#include "base/time.h"

namespace integreat {

enum class PrincipalKind {
    anonymous,
    user,  // A person, by a Firebase ID token.
    key,   // A server, by an API key.
};

struct Principal {
    PrincipalKind kind = PrincipalKind::anonymous;
    TenantId tenant;                  // Whose token or key it is; empty for anonymous.
    std::string subject;              // Firebase uid ("sub"), or the id of the API key.
    std::string role;                 // The Firebase custom claim "role"; empty if the token has none.
    std::vector<std::string> scopes;  // Of an API key.
    std::string email;
    bool email_verified = false;
    std::string name;
    std::string sign_in_provider;  // "password", "google.com", "anonymous", "custom".
    Time authenticated;            // "auth_time" of the token.
    Time expires;                  // Of the token or key; nothing derived from it may live longer.
};

}  // namespace integreat
