// SPDX-License-Identifier: Apache-2.0
// The caller of an AWS operation: one of the kinds of principals of the IAM user guide. Created by the
// services that authenticate; policy evaluation trusts it.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace integreat::policy {

enum class CallerKind {
    anonymous,
    root,  // The account itself.
    user,
    role_session,    // From AssumeRole, AssumeRoleWithWebIdentity, GetCredentialsForIdentity.
    federated_user,  // From GetFederationToken.
    web_identity,    // Has a token of an identity provider and requests a role with it.
    service,         // An AWS service: "lambda.amazonaws.com".
};

struct Caller {
    CallerKind kind = CallerKind::anonymous;
    std::string account;         // Twelve digits; empty for anonymous, web_identity and service.
    std::string arn;             // As in GetCallerIdentity: ARN of the session, not of the role.
    std::string source_arn;      // ARN of the role of a session, or of the user who created a federated_user.
    std::string id;              // aws:userid: "AIDA…", "AROA…:session", the account ID.
    std::string name;            // aws:username; users only.
    std::string provider;        // For web_identity: "cognito-identity.amazonaws.com" or the provider's ARN;
                                 // for service: its name.
    std::string canonical_user;  // Canonical user ID of the account in S3; may be empty.
    std::map<std::string, std::string>
        tags;  // aws:PrincipalTag: tags of the user or role, and of the session.
};

Caller root(std::string_view account);
// `arn` is "arn:aws:iam::123456789012:user/path/name".
Caller user(std::string_view arn, std::string_view id);
// `role_arn` is "arn:aws:iam::123456789012:role/path/name", `role_id` "AROA…".
Caller role_session(std::string_view role_arn, std::string_view role_id, std::string_view session);
// `source_arn` is the ARN of the user (or root) who created it.
Caller federated_user(std::string_view source_arn, std::string_view name);
Caller web_identity(std::string_view provider);
Caller service(std::string_view name);

// Returns the kind with its article, for messages: "an IAM user".
std::string_view caller_kind_name(CallerKind kind);

// Returns whether the caller has no account whose identity policies apply.
bool is_without_account(const Caller& caller);

}  // namespace integreat::policy
