// SPDX-License-Identifier: Apache-2.0
// The Principal and NotPrincipal elements ("AWS JSON policy elements: Principal"). The way a caller is named
// matters: naming an account delegates to that account's own policies; naming a role is limited by the role's
// boundary and session policies; naming the user or session itself is not.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/document/caller.h"

namespace integreat::policy {

enum class PrincipalKind { aws, federated, service, canonical_user };

struct PrincipalEntry {
    PrincipalKind kind = PrincipalKind::aws;
    std::string text;     // "*", an ARN, a unique ID, a host, a canonical user ID.
    std::string account;  // Set if the entry names a whole account, by ID or by the ARN of its root.
};

struct Principals {
    bool is_not = false;
    std::vector<PrincipalEntry> entries;
};

// The way a statement names a caller, in ascending order of permissions.
enum class PrincipalMatch {
    none,
    account,  // The account is named.
    source,   // The role of the session, or the user who created the federated user, is named.
    exact,    // The caller itself, or everyone, is named.
};

// Parses a value of the Principal element. Returns nullopt if it cannot name any principal.
std::optional<PrincipalEntry> parse_principal(PrincipalKind kind, std::string_view text);

// Returns how the principals name the caller; `none` if they do not.
PrincipalMatch match_principals(const Principals& principals, const Caller& caller);

}  // namespace integreat::policy
