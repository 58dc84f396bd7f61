// SPDX-License-Identifier: Apache-2.0
// Login tokens (OpenID Connect Core 1.0 section 2) of any issuer, verified with the keys that it publishes:
// Firebase's with the code and the key sets that the gateway uses, others found by OpenID Connect Discovery,
// and those that the local cloud signs itself. Nothing of a token is believed before its signature was.
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
#include "identity/tokens/denial.h"
#include "identity/tokens/remote_jwks.h"

namespace integreat::oidc {

struct LoginToken {
    std::string issuer;  // Without the scheme: "securetoken.google.com/campus-demo".
    std::string subject;
    std::string audience;
    Time expires;
    boost::json::object claims;
};

struct Expected {
    std::string issuer;                  // Without the scheme.
    std::vector<std::string> audiences;  // Of a local issuer none: any one string will do.
};

struct LoginSettings {
    // Where the keys of Firebase's tokens are; of `integreat dev` the local Firebase Auth's.
    std::string firebase_keys_url =
        "https://www.googleapis.com/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com";
    std::chrono::seconds clock_skew{30};
    std::chrono::milliseconds fetch_timeout{5'000};
    std::size_t issuers_max = 100;
};

class LoginTokens {
public:
    LoginTokens(LoginSettings settings, http::Outbound& outbound, const Clock& clock)
        : settings_(std::move(settings)), outbound_(outbound), clock_(clock) {}

    // Waits for keys that must be fetched. `Denial::type` tells what is wrong, in the words of identity/:
    // token-issuer, token-audience, token-expired, token-not-yet-valid, token-algorithm, token-unknown-key,
    // token-signature, token-malformed, token-too-large, token-subject; keys-unavailable.
    std::variant<LoginToken, identity::Denial> verify(std::string_view token, const Expected& expected);

    // An issuer whose keys need not be fetched.
    using Keys = std::function<std::shared_ptr<const identity::SigningKeys>()>;
    void add_local_issuer(std::string issuer, Keys keys);

    // Fetched ahead of the first token, if the answer is there soon.
    void fetch_firebase_keys();

private:
    Result<std::shared_ptr<identity::KeySet>> keys_of(const std::string& issuer);
    Result<std::string> discover(const std::string& issuer);

    LoginSettings settings_;
    http::Outbound& outbound_;
    const Clock& clock_;
    Guarded<std::map<std::string, std::shared_ptr<identity::KeySet>>> sets_;
    Guarded<std::map<std::string, Keys>> local_;
};

// The claim "iss" without its scheme, as it stands there, unverified: to find out whom to ask.
std::string unverified_issuer(std::string_view token);

}  // namespace integreat::oidc
