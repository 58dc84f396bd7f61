// SPDX-License-Identifier: Apache-2.0
// The entities of IAM (https://docs.aws.amazon.com/IAM/latest/APIReference/). Entities in the directory are
// immutable; an update replaces them.
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

// A policy document: the original text, which IAM returns, and the parsed form, which is evaluated.
struct PolicyText {
    std::string text;
    std::shared_ptr<const policy::Document> document;
};
using InlinePolicies = std::map<std::string, PolicyText>;

// The common part of users and roles: an identity with policies.
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
    std::string user;  // User name; empty for the account root.
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

// A snapshot of all entities. Copying it copies pointers.
struct Directory {
    template <class T>
    using Named = std::map<std::string, std::shared_ptr<const T>, std::less<>>;

    Named<User> users;
    Named<Role> roles;
    Named<AccessKey> keys;              // Keyed by access key id.
    Named<ManagedPolicy> policies;      // Keyed by ARN.
    Named<OidcProvider> providers;      // Keyed by ARN.
    std::size_t providers_quota = 100;  // AWS's default. Not saved; raised at start.
};

template <class T>
std::shared_ptr<const T> find(const Directory::Named<T>& all, std::string_view name) {
    auto entry = all.find(name);
    return entry == all.end() ? nullptr : entry->second;
}

}  // namespace integreat::iam
