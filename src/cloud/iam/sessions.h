// SPDX-License-Identifier: Apache-2.0
// Callers and temporary credentials: resolves access keys and session tokens, and issues sessions.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cloud/iam/iam.h"

namespace integreat::iam {

// Implements AwsFrontend::find_credentials.
std::variant<cloud::Credentials, cloud::CredentialError> find_credentials(Iam& iam,
                                                                          std::string_view access_key_id,
                                                                          std::string_view session_token);

// Returns a user as a caller, with the currently attached policies.
cloud::Caller make_caller(const Iam& iam, const Directory& directory, const User& user);
// Returns a role without a session, for simulations.
cloud::Caller make_caller(const Iam& iam, const Directory& directory, const Role& role);
cloud::Caller make_root_caller(const Iam& iam);

// The parameters of a role session. The caller of issue_role_session has authorized it.
struct SessionGrant {
    std::string role;  // Role name.
    std::string session_name;
    std::int64_t seconds = 3'600;
    std::vector<std::string> session_policies = {};  // JSON documents.
    std::vector<std::string> session_policy_arns = {};
    std::map<std::string, std::string> tags = {};
    std::string provider = {};  // Identity provider; empty unless the session is federated.
    std::optional<policy::WebIdentity> web_identity = {};
};
struct TemporaryCredentials {
    std::string access_key_id;  // "ASIA…"
    std::string secret_access_key;
    std::string session_token;
    Time expires;
    std::string arn;  // "arn:aws:sts::…:assumed-role/role/session"
    std::string id;   // "AROA…:session"
};
TemporaryCredentials issue_role_session(Iam& iam, const Role& role, const SessionGrant& grant);
// Issues credentials for GetSessionToken to a user, or to the account root if `user` is empty.
TemporaryCredentials issue_user_session(Iam& iam, const std::string& user, std::int64_t seconds);

}  // namespace integreat::iam
