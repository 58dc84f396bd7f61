// SPDX-License-Identifier: Apache-2.0
// The frontend of the local cloud: one port for requests of every AWS protocol. Before a service runs, it
// resolves the operation, verifies the signature (aws/sigv4.h) and resolves the access key to a caller; after
// it, it renders errors, adds CORS headers and logs the decision. Operations check permissions themselves
// (authorize), because only they know the resources.
//
//     signed       the service in the credential scope
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

struct FrontendSettings {
    std::string account = "000000000000";
    std::string region = "us-east-1";
    // False: signatures and policies are evaluated and logged, but every request is allowed. Set only by the
    // flag --without-enforcement, which prints a banner.
    bool enforce = true;
    std::size_t max_decisions = 10'000;  // Maximum number of refusals kept for `integreat why`.
};

enum class CredentialError : std::uint8_t {
    unknown_key,
    invalid_token,  // Missing, unexpected, not issued here, or issued for another access key.
    expired_token,
};

// A route outside the AWS APIs, such as GET /_integreat/outbox. Served to programs and pages on this machine
// only.
struct InternalRoute {
    http::Method method;
    std::string path;  // Relative to /_integreat/; a trailing slash matches every path below it.
    std::function<http::FullResponse(const http::Request&, std::string_view rest)> handle;
};

struct AwsFrontend {
    FrontendSettings settings;
    const Clock& clock;
    Random& random;
    // Looks up an access key. The session token is empty for a permanent key. Must not block.
    std::function<std::variant<Credentials, CredentialError>(std::string_view access_key_id,
                                                             std::string_view session_token)>
        find_credentials;
    std::vector<Api> apis;
    std::vector<InternalRoute> internal_routes;
    std::shared_ptr<DecisionLog> decisions;
    std::shared_ptr<aws::SigningKeyCache> signing_keys;
};

}  // namespace integreat::cloud
