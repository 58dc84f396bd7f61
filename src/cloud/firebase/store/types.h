// SPDX-License-Identifier: Apache-2.0
// The nouns of the local Firebase Auth: projects, their users, and the codes sent to users by e-mail.
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

// What a client is allowed to try; set with PATCH /emulator/v1/projects/{p}/config.
struct SignInSettings {
    bool password = true;
    bool email_link = true;
    bool anonymous = true;
    bool email_privacy = true;  // Answers do not tell whether an address has an account.
};

struct Project {
    ProjectId id;
    TenantId tenant;
    std::string api_key;  // "AIza…": public, in every client; says which project a request means.
    std::string number;   // Twelve digits, as Google numbers projects.
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

// The same person at another provider: "google.com" knows them as "g-123".
struct ProviderLink {
    std::string provider_id;
    std::string raw_id;
    std::optional<std::string> email;
    std::optional<std::string> display_name;
    std::optional<std::string> photo_url;
};

struct User {
    std::string uid;
    std::optional<std::string> email;          // In lower case, as everywhere here.
    std::optional<std::string> initial_email;  // Before the first change: where a change can be undone from.
    bool email_verified = false;
    bool email_link = false;  // Has signed in with a link sent by e-mail.
    std::optional<std::string> display_name;
    std::optional<std::string> photo_url;
    std::optional<std::string> phone_number;
    std::optional<PasswordHash> password;
    bool custom_auth = false;
    bool disabled = false;
    std::string claims = "{}";  // A JSON object; its names become claims of the ID token.
    std::int64_t created_ms = 0;
    std::optional<std::int64_t> last_login_ms;
    std::optional<std::int64_t> last_refresh_ms;
    std::int64_t valid_since_s = 0;  // Tokens issued before are revoked.
    std::vector<ProviderLink> links;
};

struct RefreshToken {
    std::string uid;
    std::string sign_in_provider;
    std::string claims = "{}";  // Of the custom token it came from.
    std::int64_t auth_time_s = 0;
    std::int64_t issued_s = 0;
    bool revoked = false;
};

// An out-of-band code: proves that its holder reads the e-mail of an address. Used once.
struct OobCode {
    std::string code;
    std::string kind;  // "PASSWORD_RESET"
    std::string email;
    std::optional<std::string> new_email;
    std::string link;
    std::int64_t created_ms = 0;
    std::int64_t expires_s = 0;
};

// A user that `integreat dev` makes for each role, with a password that is shown at each start.
struct ReadyMadeUser {
    std::string email;
    std::string password;
    std::string role;
};

}  // namespace integreat::firebase
