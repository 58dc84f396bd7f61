// SPDX-License-Identifier: Apache-2.0
// Who signed a request, with everything that decides what they may do. Made from an access key by iam/,
// believed only after the signature was verified.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/secret.h"
#include "base/time.h"

namespace integreat::policy {
struct Document;
}

namespace integreat::cloud {

using PolicyPointer = std::shared_ptr<const policy::Document>;

// A policy with the name it goes by in decisions: "role evntgarde-TenantUserRole, inline policy Access".
struct NamedPolicy {
    std::string name;
    PolicyPointer document;
};

// The values of condition keys, by key: {"aws:PrincipalTag/team", {"blue"}}. Keys compare without case.
using ContextKeys = std::vector<std::pair<std::string, std::vector<std::string>>>;

enum class CallerKind {
    anonymous,     // The request was not signed.
    root,          // The account itself: may do everything that no resource policy denies.
    user,          // An IAM user with an access key of their own.
    assumed_role,  // Temporary credentials of a role.
};

struct Caller {
    CallerKind kind = CallerKind::anonymous;
    std::string account;        // "000000000000"; empty for anonymous.
    std::string arn;            // "arn:aws:sts::000000000000:assumed-role/app-TenantUserRole/session"
    std::string principal_arn;  // Of the role or user, as policies name it; aws:PrincipalArn.
    std::string user_id;        // "AIDA…", "AROA…:session"; aws:userid.
    std::string access_key_id;
    bool temporary = false;  // The key came with a session token.
    std::optional<Time> expires = std::nullopt;

    std::vector<NamedPolicy> identity_policies = {};
    std::optional<NamedPolicy> boundary = std::nullopt;
    std::vector<NamedPolicy> session_policies = {};  // None: not limited by the session.
    ContextKeys keys = {};  // aws:PrincipalTag/…, cognito-identity.amazonaws.com:sub, aws:username, …
};

// What an access key stands for. The secret key never leaves the check of the signature.
struct Credentials {
    Secret secret_key;
    Caller caller;
};

}  // namespace integreat::cloud
