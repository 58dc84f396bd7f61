// SPDX-License-Identifier: Apache-2.0
// The caller of a request and the policies that apply to them. iam/ resolves an access key to a Caller; it is
// valid only once the signature has been verified.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/secret.h"
#include "base/time.h"
#include "policy/document/caller.h"
#include "policy/evaluation/evaluate.h"
#include "policy/evaluation/request_attributes.h"

namespace integreat::cloud {

struct Caller {
    policy::Caller principal;  // Anonymous if the request is not signed.
    std::string access_key_id;
    std::vector<policy::AttachedPolicy> identity_policies;
    std::vector<policy::AttachedPolicy> session_policies;  // Empty: the session does not restrict the caller.
    std::vector<policy::AttachedPolicy> boundary;

    // Temporary credentials only.
    std::optional<Time> issued;
    std::optional<Time> expires;
    std::string federated_provider;
    std::optional<policy::WebIdentity> web_identity;
};

// The secret key and the caller of an access key. Only signature verification reads the secret key.
struct Credentials {
    Secret secret_key;
    Caller caller;
};

}  // namespace integreat::cloud
