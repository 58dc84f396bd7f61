// SPDX-License-Identifier: Apache-2.0
// The nouns of IAM (https://docs.aws.amazon.com/IAM/latest/APIReference/): immutable once they are in the
// directory; a change makes a new one.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/secret.h"
#include "base/time.h"
#include "policy/document/document.h"

namespace integreat::iam {

using Tags = std::map<std::string, std::string>;

// A document as it was sent, which is what IAM gives back, and parsed, which is what decides.
struct PolicyText {
    std::string text;
    std::shared_ptr<const policy::Document> document;
};
using InlinePolicies = std::map<std::string, PolicyText>;

// What users and roles have in common: an identity with policies.
struct Identity {
    std::string name;
    std::string path = "/";
    std::string id;  // "AIDA…", "AROA…"
    std::string arn;
    Time created;
    InlinePolicies inline_policies;
    std::vector<std::string> attached;  // ARNs of managed policies.
    std::string boundary;               // ARN; empty for none.
    Tags tags;
};

struct User {
    Identity identity;
};

struct Role {
    Identity identity;
    PolicyText trust;
    std::string description;
    std::int64_t session_seconds_max = 3'600;
};

struct AccessKey {
    std::string id;  // "AKIA…"
    Secret secret;
    std::string user;  // Empty: of the account's root.
    bool active = true;
    Time created;
};

struct ManagedPolicy {
    std::string name;
    std::string path = "/";
    std::string id;  // "ANPA…"
    std::string arn;
    std::string description;
    PolicyText policy;
    Time created;
};

struct OidcProvider {
    std::string arn;
    std::string url;  // Without the scheme: "securetoken.google.com/campus-demo".
    std::vector<std::string> client_ids;
    std::vector<std::string> thumbprints;
    Time created;
};

// Everything at one moment. Copying it copies pointers.
struct Directory {
    template <class T>
    using Named = std::map<std::string, std::shared_ptr<const T>, std::less<>>;

    Named<User> users;
    Named<Role> roles;
    Named<AccessKey> keys;              // By their id.
    Named<ManagedPolicy> policies;      // By their ARN.
    Named<OidcProvider> providers;      // By their ARN.
    std::size_t providers_quota = 100;  // AWS's default. Not saved: whoever starts the cloud raises it.
};

template <class T>
std::shared_ptr<const T> find(const Directory::Named<T>& all, std::string_view name) {
    auto found = all.find(name);
    return found == all.end() ? nullptr : found->second;
}

}  // namespace integreat::iam
