// SPDX-License-Identifier: Apache-2.0
// Who asks AWS for something: one of the kinds of principals of the IAM user guide. The services that
// authenticate make it; whoever evaluates a policy believes it.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace integreat::policy {

enum class CallerKind {
    anonymous,
    root,  // The account itself.
    user,
    role_session,    // By AssumeRole, AssumeRoleWithWebIdentity, GetCredentialsForIdentity.
    federated_user,  // By GetFederationToken.
    web_identity,    // Holds a token of an identity provider and asks for a role with it.
    service,         // Of AWS: "lambda.amazonaws.com".
};

struct Caller {
    CallerKind kind = CallerKind::anonymous;
    std::string account;         // Twelve digits; empty for anonymous, web_identity and service.
    std::string arn;             // As GetCallerIdentity tells it: of the session, not of the role.
    std::string source_arn;      // Of the role of a session; of the user who made a federated_user.
    std::string id;              // aws:userid: "AIDA…", "AROA…:session", the account's number.
    std::string name;            // aws:username; of a user only.
    std::string provider;        // Of web_identity: "cognito-identity.amazonaws.com" or the provider's ARN;
                                 // of service: its name.
    std::string canonical_user;  // Of the account, as S3 knows it; may be empty.
    std::map<std::string, std::string> tags;  // aws:PrincipalTag: of the user or role, and of the session.
};

Caller root(std::string_view account);
// "arn:aws:iam::123456789012:user/path/name"
Caller user(std::string_view arn, std::string_view id);
// "arn:aws:iam::123456789012:role/path/name", "AROA…", the name of the session.
Caller role_session(std::string_view role_arn, std::string_view role_id, std::string_view session);
// By the user (or root) of `source_arn`.
Caller federated_user(std::string_view source_arn, std::string_view name);
Caller web_identity(std::string_view provider);
Caller service(std::string_view name);

// "an IAM user": for sentences.
std::string_view name_of(CallerKind kind);

// Has it no account whose identity policies could allow something?
bool is_without_account(const Caller& caller);

}  // namespace integreat::policy
