// SPDX-License-Identifier: Apache-2.0
// Verification of login tokens (OpenID Connect Core 1.0 section 2) with the keys that their issuer publishes:
// Firebase's keys with the code of the gateway, others found by OpenID Connect Discovery, and those of
// issuers in the local cloud itself. No claim is trusted before the signature has been verified.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <boost/json/object.hpp>

#include "base/clock.h"
#include "base/concurrency/synchronized.h"
#include "http/transport/client.h"
#include "identity/tokens/auth_result.h"
#include "identity/tokens/remote_jwks.h"

namespace integreat::oidc {

// A verified login token.
struct LoginToken {
    std::string issuer;  // Without the scheme: "securetoken.google.com/campus-demo".
    std::string subject;
    std::string audience;
    Time expires;
    boost::json::object claims;
};

// The issuer and audiences that a token must have.
struct ExpectedToken {
    std::string issuer;                  // Without the scheme.
    std::vector<std::string> audiences;  // Empty for a local issuer: any single audience is accepted.
};

struct LoginSettings {
    // The URL of the keys of Firebase ID tokens; `integreat dev` uses the local Firebase Auth.
    std::string firebase_keys_url =
        "https://www.googleapis.com/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com";
    std::chrono::seconds clock_skew{30};
    std::chrono::milliseconds fetch_timeout{5'000};
    std::size_t issuers_max = 100;
};

class LoginTokens {
public:
    LoginTokens(LoginSettings settings, http::HttpClient& http_client, const Clock& clock)
        : settings_(std::move(settings)), http_client_(http_client), clock_(clock) {}

    // Verifies a token; blocks while keys are fetched. The failure has one of the types token_issuer,
    // token_audience, token_expired, token_not_yet_valid, token_algorithm, token_unknown_key,
    // token_signature, token_malformed, token_too_large, token_subject, identity_unavailable.
    std::variant<LoginToken, identity::AuthFailure> verify(std::string_view token,
                                                           const ExpectedToken& expected);

    // Adds an issuer whose keys are known without a request.
    using Keys = std::function<std::shared_ptr<const identity::SigningKeys>()>;
    void add_local_issuer(std::string issuer, Keys keys);

    // Fetches the keys ahead of the first token.
    void prefetch_firebase_keys();

private:
    Result<std::shared_ptr<identity::RemoteJwks>> find_keys(const std::string& issuer);
    Result<std::string> discover(const std::string& issuer);

    LoginSettings settings_;
    http::HttpClient& http_client_;
    const Clock& clock_;
    Synchronized<std::map<std::string, std::shared_ptr<identity::RemoteJwks>>> jwks_;
    Synchronized<std::map<std::string, Keys>> local_issuers_;
};

// Returns the unverified "iss" claim without its scheme, to select the provider.
std::string parse_unverified_issuer(std::string_view token);

}  // namespace integreat::oidc
