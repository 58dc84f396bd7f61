// SPDX-License-Identifier: Apache-2.0
// The keys that sign ID tokens, and the service accounts that sign custom tokens. As at Google, one key signs
// the ID tokens of all projects; `iss` and `aud` separate the projects.
#pragma once

#include <boost/json/object.hpp>

#include "cloud/firebase/tokens/auth.h"

namespace integreat::firebase {

struct Signer {
    std::string key_id;
    crypto::RsaPrivateKey key;
};

// Returns the active key, generated on first use.
Result<Signer> active_signer(Transaction& transaction, Auth& auth);
// Returns a published public key, or nothing if the id is unknown or no longer published.
Result<std::optional<crypto::RsaPublicKey>> published_key(Transaction& transaction, std::int64_t now_s,
                                                          std::string_view key_id);

// Returns PEM certificates by key id, as securetoken@system.gserviceaccount.com publishes them.
Result<boost::json::object> published_certificates(Transaction& transaction, std::int64_t now_s);
// Returns the same keys as a JWK set (RFC 7517).
Result<boost::json::object> published_key_set(Transaction& transaction, std::int64_t now_s);

Result<> insert_service_account(Transaction& transaction, const ProjectId& project);
Result<std::string> service_account_email(Transaction& transaction, const ProjectId& project);
Result<crypto::RsaPublicKey> service_account_key(Transaction& transaction, const ProjectId& project);
// Renders the JSON file for firebase-admin's cert() and Google's libraries.
Result<std::string> service_account_json(Transaction& transaction, const ProjectId& project);

}  // namespace integreat::firebase
