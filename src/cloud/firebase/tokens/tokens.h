// SPDX-License-Identifier: Apache-2.0
// The tokens of a signed-in user: an ID token (RS256, valid for one hour) and a refresh token (random, valid
// until revoked). https://firebase.google.com/docs/auth/admin/verify-id-tokens lists the claims.
#pragma once

#include <boost/json/object.hpp>

#include "cloud/firebase/tokens/auth.h"

namespace integreat::firebase {

inline std::int64_t now_seconds(const Auth& auth) {
    return unix_seconds(auth.clock.now());
}
inline std::int64_t now_milliseconds(const Auth& auth) {
    return auth.clock.now().time_since_epoch().count() / 1000;
}

// The properties of a sign-in; stored with the refresh token.
struct SignIn {
    std::string provider;  // "password", "anonymous", "custom", "google.com"
    std::int64_t auth_time_s = 0;
    std::string claims = "{}";  // Claims of the custom token.
};

Result<std::string> make_id_token(Transaction& transaction, Auth& auth, const Project& project,
                                  const User& user, const SignIn& sign_in);

// Saves the user and a refresh token and returns `idToken`, `refreshToken` and `expiresIn`.
Result<boost::json::object> issue_tokens(Transaction& transaction, Auth& auth, const Project& project,
                                         User& user, const SignIn& sign_in);

struct VerifiedIdToken {
    User user;
    std::string provider;
    boost::json::object payload;
};
// Verifies an ID token: signed here, for this project, not expired, of an existing user who is not disabled.
Result<VerifiedIdToken> verify_id_token(Transaction& transaction, Auth& auth, const Project& project,
                                        std::string_view token);

Result<std::string> make_session_cookie(Transaction& transaction, Auth& auth, const Project& project,
                                        const VerifiedIdToken& verified, std::int64_t valid_seconds);

// A verified custom token: signed by the project's service account, or unsigned as firebase-admin sends it in
// emulator mode.
struct CustomToken {
    std::string uid;
    boost::json::object claims;
};
Result<CustomToken> verify_custom_token(Transaction& transaction, Auth& auth, const Project& project,
                                        std::string_view token);

// Returns a random user id of 28 letters and digits, like Firebase's.
std::string random_uid(Random& random);

}  // namespace integreat::firebase
