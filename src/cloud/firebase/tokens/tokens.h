// SPDX-License-Identifier: Apache-2.0
// What a signed-in user carries: an ID token (RS256, one hour) and a refresh token (random, good until
// revoked). https://firebase.google.com/docs/auth/admin/verify-id-tokens lists the claims.
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

// How somebody signed in; survives in the refresh token.
struct SignIn {
    std::string provider;  // "password", "anonymous", "custom", "google.com"
    std::int64_t auth_time_s = 0;
    std::string claims = "{}";  // Of the custom token.
};

Result<std::string> make_id_token(Transaction& transaction, Auth& auth, const Project& project,
                                  const User& user, const SignIn& sign_in);

// Saves the user with its sign-in and returns `idToken`, `refreshToken` and `expiresIn`.
Result<boost::json::object> issue_tokens(Transaction& transaction, Auth& auth, const Project& project,
                                         User& user, const SignIn& sign_in);

struct Bearer {
    User user;
    std::string provider;
    boost::json::object payload;
};
// Whose ID token this is: one of ours, for this project, in time, of a user who is there and not disabled.
Result<Bearer> verify_id_token(Transaction& transaction, Auth& auth, const Project& project,
                               std::string_view token);

Result<std::string> make_session_cookie(Transaction& transaction, Auth& auth, const Project& project,
                                        const Bearer& bearer, std::int64_t valid_seconds);

// The claims of a custom token: signed by the project's own service account, or unsigned as firebase-admin
// writes it in its emulator mode.
struct CustomToken {
    std::string uid;
    boost::json::object claims;
};
Result<CustomToken> verify_custom_token(Transaction& transaction, Auth& auth, const Project& project,
                                        std::string_view token);

// 28 letters and digits, as Firebase names users.
std::string random_uid(Random& random);

}  // namespace integreat::firebase
