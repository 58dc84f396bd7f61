// SPDX-License-Identifier: Apache-2.0
// The local Firebase Auth for development and tests: the API that the Firebase JS SDK (connectAuthEmulator)
// and firebase-admin use. Unlike Google's emulator, it signs its tokens (RS256) and publishes the keys like
// Google, so the gateway verifies them with its production code; it separates projects by their API keys; and
// users survive kill -9. It trusts every client that can reach its port on this machine ("Bearer owner",
// unsigned custom tokens) and must never be exposed to a network. Manual: docs/reference/firebase.md.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/concurrency/synchronized.h"
#include "base/random.h"
#include "cloud/firebase/store/schema.h"
#include "cloud/firebase/store/types.h"
#include "crypto/rsa.h"
#include "http/transport/application.h"

namespace integreat::firebase {

// Recent failed sign-ins by "project e-mail" and by client address; in memory only.
struct SignInThrottle {
    struct Window {
        int count = 0;
        Time began;
    };
    std::map<std::string, Window> windows;
};

struct Auth {
    std::unique_ptr<Store> store;
    const Clock& clock;
    Random& random;
    Synchronized<std::map<std::string, crypto::RsaPrivateKey>> signers{};  // Parsed keys, by key id.
    Synchronized<SignInThrottle> sign_in_throttle{};
};

// Opens or creates the users and the signing key in `folder`. The first start takes up to a second (RSA
// keys).
Result<std::unique_ptr<Auth>> open(const std::string& folder, const Clock& clock, Random& random);

// Adds a project with an API key and a service account, unless it exists. The service account is also written
// to `folder`/service-accounts/<project>.json, readable by the owner only, in the format of firebase-admin's
// cert().
Result<Project> add_project(Auth& auth, const TenantId& tenant, const ProjectId& id);

// User management for the command line. Errors have messages for users instead of Firebase's codes.
struct NewUser {
    std::string email;
    std::string password;
    std::string claims = "{}";  // A JSON object: {"role":"registrar"}
    bool email_verified = true;
};
Result<User> add_user(Auth& auth, const ProjectId& project, const NewUser& user);
Result<User> set_claims(Auth& auth, const ProjectId& project, const std::string& email,
                        const std::string& claims);
// Lists at most `count_max` users ordered by uid, starting after `after`.
Result<std::vector<User>> list_users(Auth& auth, const ProjectId& project, const std::string& after = {},
                                     int count_max = 1000);

// Ensures one user per role, {role}@{tenant}.example, with a password that is generated once per data folder.
// A user that was changed or deleted is restored, so the credentials printed at start always work.
Result<std::vector<SeedUser>> ensure_seed_users(Auth& auth, const Project& project,
                                                const std::vector<std::string>& roles);

// Replaces the signing key. The old key stays published until all tokens signed with it have expired.
Result<> rotate_signing_key(Auth& auth);

}  // namespace integreat::firebase
