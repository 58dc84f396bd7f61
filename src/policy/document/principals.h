// SPDX-License-Identifier: Apache-2.0
// The Principal and NotPrincipal elements ("AWS JSON policy elements: Principal"). How a caller is named
// matters: naming an account only lets that account's own policies decide, naming a role is limited by the
// role's boundary and session policies, naming the user or session itself is not.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/document/caller.h"

namespace integreat::policy {

enum class PrincipalKind { aws, federated, service, canonical_user };

struct NamedPrincipal {
    PrincipalKind kind = PrincipalKind::aws;
    std::string text;     // "*", an ARN, a unique id, a host, a canonical user.
    std::string account;  // If it names a whole account, by number or as ARN of its root.
};

struct Principals {
    bool is_not = false;
    std::vector<NamedPrincipal> named;
};

// In rising order of what they grant.
enum class Naming {
    none,
    account,  // The account is named.
    source,   // The role of the session, or the user who made the federated user.
    exact,    // The caller itself, or everyone.
};

// A value of the Principal element, or nothing if nobody can be named so.
std::optional<NamedPrincipal> parse_principal(PrincipalKind kind, std::string_view text);

// How a statement with these principals names the caller; `none`: it is about others.
Naming naming_of(const Principals& principals, const Caller& caller);

}  // namespace integreat::policy
