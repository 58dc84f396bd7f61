// SPDX-License-Identifier: Apache-2.0
// Converts typed attributes of a request to the context keys of policies ("AWS global condition context
// keys", "Keys available for web identity federation"). An unknown attribute produces no key: conditions
// treat it as absent, as on AWS.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "policy/document/caller.h"
#include "policy/document/context.h"

namespace integreat::policy {

// The claims of an identity provider's token, as the keys "<host>:aud", "<host>:sub", "<host>:amr".
struct WebIdentity {
    std::string host;      // "cognito-identity.amazonaws.com", "securetoken.google.com/campus-demo".
    std::string audience;  // For Cognito: the identity pool.
    std::string subject;   // For Cognito: the identity.
    std::vector<std::string> methods;  // For Cognito: "authenticated", the provider, "<provider>:<ids>".
};

struct RequestAttributes {
    Time now;
    bool secure_transport = false;
    std::string source_ip;
    std::string user_agent;
    std::string referer;
    std::string requested_region;
    std::optional<Time> token_issued;  // Temporary credentials only.
    std::optional<bool> mfa_present;   // Temporary credentials only; absent for access keys of a user.
    std::string federated_provider;    // Sessions from a token: host or ARN of the provider.
    std::optional<WebIdentity> web_identity;
    std::map<std::string, std::string> request_tags;  // Also aws:TagKeys, if any.
    std::map<std::string, std::string> resource_tags;
    std::string resource_account;
};

// Returns the context. Keys of a single service ("s3:prefix") are added to it with set().
Context make_context(const Caller& caller, const RequestAttributes& attributes);

}  // namespace integreat::policy
