// SPDX-License-Identifier: Apache-2.0
// Typed facts about a request become the context keys that policies know ("AWS global condition context
// keys", "Keys available for web identity federation"). A fact that is not known makes no key, so that
// conditions see it as absent, as they would on AWS.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "policy/document/caller.h"
#include "policy/document/context.h"

namespace integreat::policy {

// What the token of an identity provider says; the keys are "<host>:aud", "<host>:sub", "<host>:amr".
struct WebIdentity {
    std::string host;      // "cognito-identity.amazonaws.com", "securetoken.google.com/campus-demo".
    std::string audience;  // Of Cognito: the identity pool.
    std::string subject;   // Of Cognito: the identity.
    std::vector<std::string> methods;  // Of Cognito: "authenticated", the provider, "<provider>:<ids>".
};

struct Facts {
    Time now;
    bool secure_transport = false;
    std::string source_ip;
    std::string user_agent;
    std::string referer;
    std::string requested_region;
    std::optional<Time> token_issued;  // Of temporary credentials.
    std::optional<bool> mfa_present;   // Of temporary credentials; absent with access keys of a user.
    std::string federated_provider;    // Of a session made with a token: the host or ARN of the provider.
    std::optional<WebIdentity> web_identity;
    std::map<std::string, std::string> request_tags;  // Also aws:TagKeys, if any.
    std::map<std::string, std::string> resource_tags;
    std::string resource_account;
};

// Keys of a single service ("s3:prefix") are added to the result with set().
Context context_of(const Caller& caller, const Facts& facts);

}  // namespace integreat::policy
