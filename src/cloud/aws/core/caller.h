// SPDX-License-Identifier: Apache-2.0
// Who signed a request, with everything that decides what they may do. Made from an access key by iam/,
// believed only after the signature was verified.
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
    policy::Caller who;  // Anonymous, if nobody signed.
    std::string access_key_id;
    std::vector<policy::Attached> identity_policies;
    std::vector<policy::Attached> session_policies;  // None: not limited by the session.
    std::vector<policy::Attached> boundary;

    // Of temporary credentials.
    std::optional<Time> issued;
    std::optional<Time> expires;
    std::string federated_provider;
    std::optional<policy::WebIdentity> web_identity;
};

// What an access key stands for. The secret key never leaves the check of the signature.
struct Credentials {
    Secret secret_key;
    Caller caller;
};

}  // namespace integreat::cloud
