// SPDX-License-Identifier: Apache-2.0
// The front of the local cloud: one port that takes any AWS request, whatever its protocol, and does with it
// what AWS does before a service sees it: find the operation, verify the signature (crypto/sigv4.h), resolve
// the access key to a caller; and after it: render the error, add CORS, write down what was decided.
// Permissions are asked for by the operations (authorize), since they know the resources.
//
//     signed?      the service in the credential's scope
//     unsigned     X-Amz-Target · POST / with Action= · /v2/email/ · else S3, path style or bucket.localhost
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "aws/sigv4.h"
#include "base/clock.h"
#include "base/random.h"
#include "cloud/aws/core/operation.h"
#include "http/transport/application.h"

namespace integreat::cloud {

class DecisionLog;

struct FrontSettings {
    std::string account = "000000000000";
    std::string region = "us-east-1";
    // Off: signatures and policies are still evaluated and logged, but refuse nobody. Nothing but the flag
    // --without-enforcement sets it, and it prints a banner.
    bool enforce = true;
    std::size_t decisions_max = 10'000;  // Kept for `integreat why`.
};

enum class KeyTrouble : std::uint8_t {
    unknown_key,
    invalid_token,  // None where one is needed, one where none is, not ours, or of another key.
    expired_token,
};

// What is not AWS's: GET /_integreat/outbox. Answered to programs and pages of this machine only.
struct LocalRoute {
    http::Method method;
    std::string path;  // Below /_integreat/; a trailing slash means everything below it.
    std::function<http::Reply(const http::Request&, std::string_view rest)> answer;
};

struct Front {
    FrontSettings settings;
    const Clock& clock;
    Random& random;
    // What an access key stands for. The session token is empty for a permanent key. Must not block.
    std::function<std::variant<Credentials, KeyTrouble>(std::string_view access_key_id,
                                                        std::string_view session_token)>
        find_credentials;
    std::vector<Api> apis;
    std::vector<LocalRoute> local_routes;
    std::shared_ptr<DecisionLog> decisions;
    std::shared_ptr<aws::SigningKeyCache> signing_keys;
};

Front make_front(FrontSettings settings, const Clock& clock, Random& random);

// For one listener. `front` must outlive it.
http::Application application(const Front& front);

}  // namespace integreat::cloud
