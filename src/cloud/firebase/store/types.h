// SPDX-License-Identifier: Apache-2.0
// The entities of the local Firebase Auth: projects, their users, and the codes sent to users by e-mail.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/secret.h"
#include "crypto/scrypt.h"

namespace integreat::firebase {

using ProjectId = Id<struct FirebaseProjectTag>;  // "campus-student-lifecycle"

// The enabled sign-in methods; set with PATCH /emulator/v1/projects/{p}/config.
struct SignInSettings {
    bool password = true;
    bool email_link = true;
    bool anonymous = true;
    bool email_privacy = true;  // Responses do not reveal whether an address has an account.
};

struct Project {
    ProjectId id;
    TenantId tenant;
    std::string api_key;  // "AIza…"; public, in every client; identifies the project of a request.
    std::string number;   // Twelve digits, like Google's project numbers.
    SignInSettings sign_in;
};

struct PasswordHash {
    std::string hash;
    std::string salt;
    crypto::ScryptCost cost;
    std::int64_t updated_ms = 0;

    friend bool operator==(const PasswordHash& left, const PasswordHash& right) {
        return left.hash == right.hash && left.salt == right.salt;
    }
};

// The account of a user at another provider, such as "g-123" at "google.com".
struct ProviderLink {
    std::string provider_id;
    std::string raw_id;
    std::optional<std::string> email;
    std::optional<std::string> display_name;
    std::optional<std::string> photo_url;
};

struct User {
    std::string uid;
    std::optional<std::string> email;          // In lower case.
    std::optional<std::string> initial_email;  // Address before the first change, which can undo the change.
    bool email_verified = false;
    bool email_link = false;  // True if the user has signed in with an e-mail link.
    std::optional<std::string> display_name;
    std::optional<std::string> photo_url;
    std::optional<std::string> phone_number;
    std::optional<PasswordHash> password;
    bool custom_auth = false;
    bool disabled = false;
    std::string claims = "{}";  // A JSON object; its members become claims of the ID token.
    std::int64_t created_ms = 0;
    std::optional<std::int64_t> last_login_ms;
    std::optional<std::int64_t> last_refresh_ms;
    std::int64_t valid_since_s = 0;  // Tokens issued before this time are revoked.
    std::vector<ProviderLink> links;
};

struct RefreshToken {
    std::string uid;
    std::string sign_in_provider;
    std::string claims = "{}";  // Claims of the custom token used to sign in.
    std::int64_t auth_time_s = 0;
    std::int64_t issued_s = 0;
    bool revoked = false;
};

// An out-of-band code that proves access to an e-mail address; single use.
struct OobCode {
    std::string code;
    std::string kind;  // "PASSWORD_RESET"
    std::string email;
    std::optional<std::string> new_email;
    std::string link;
    std::int64_t created_ms = 0;
    std::int64_t expires_s = 0;
};

// A user that `integreat dev` creates for each role, with a password that is printed at each start.
struct SeedUser {
    std::string email;
    std::string password;
    std::string role;
};

}  // namespace integreat::firebase
