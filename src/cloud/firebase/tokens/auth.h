// SPDX-License-Identifier: Apache-2.0
// The local Firebase Auth: what the Firebase JS SDK needs behind connectAuthEmulator and firebase-admin needs
// for its calls, for development and tests. Unlike Google's emulator it signs its tokens (RS256) and
// publishes the keys the way Google does, so that the gateway verifies them with the code it uses in
// production; it keeps several projects apart by their API keys; and users survive a kill at any time.
// It trusts whoever can reach its port on this machine ("Bearer owner", unsigned custom tokens): never
// a thing to put on a network. docs/firebase.md is its manual.
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

// Failed sign-ins of late, by "project e-mail" and by client address. Forgotten when the process ends.
struct SignInAttempts {
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
    Guarded<std::map<std::string, crypto::RsaPrivateKey>> signers{};  // Parsed keys, by key id.
    Guarded<SignInAttempts> attempts{};
};

// Opens or creates users and signing key in `folder`. A first start takes up to a second (RSA keys).
Result<std::unique_ptr<Auth>> open(const std::string& folder, const Clock& clock, Random& random);

// Makes the project known; a new one gets its API key and its service account. The same again changes
// nothing. The service account is also written to `folder`/service-accounts/<project>.json, readable by its
// owner only, in the form that firebase-admin's cert() takes.
Result<Project> add_project(Auth& auth, const TenantId& tenant, const ProjectId& id);

// For a listener of its own on a loopback address. `auth` must outlive it.
http::Application application(Auth& auth);

// What the command line does. Errors carry a sentence for a person.
struct NewUser {
    std::string email;
    std::string password;
    std::string claims = "{}";  // A JSON object: {"role":"registrar"}
    bool email_verified = true;
};
Result<User> add_user(Auth& auth, const ProjectId& project, const NewUser& user);
Result<User> set_claims(Auth& auth, const ProjectId& project, const std::string& email,
                        const std::string& claims);
// At most `count_max` in the order of their uid, those after `after`.
Result<std::vector<User>> list_users(Auth& auth, const ProjectId& project, const std::string& after = {},
                                     int count_max = 1000);

// One user per role, {role}@{tenant}.example, with a password that is made once per data folder and always
// the same after that. If somebody changed the password or role, or deleted the user, it is put back: what
// a start prints must work.
Result<std::vector<ReadyMadeUser>> ready_made_users(Auth& auth, const Project& project,
                                                    const std::vector<std::string>& roles);

// A new key signs from now on. The old one stays published until all it signed has expired.
Result<> rotate_signing_key(Auth& auth);

}  // namespace integreat::firebase
