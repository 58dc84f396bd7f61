// SPDX-License-Identifier: Apache-2.0
// The keys that sign ID tokens, and the service accounts that sign custom tokens. ID tokens of all projects
// are signed by one key, as Google's are; what keeps projects apart is `iss` and `aud`.
#pragma once

#include <boost/json/object.hpp>

#include "cloud/firebase/tokens/auth.h"

namespace integreat::firebase {

struct Signer {
    std::string key_id;
    crypto::RsaPrivateKey key;
};

// The key in force; made when there is none.
Result<Signer> active_signer(Transaction& transaction, Auth& auth);
// Of a published key; nothing if it never was or is no longer.
Result<std::optional<crypto::RsaPublicKey>> published_key(Transaction& transaction, std::int64_t now_s,
                                                          std::string_view key_id);

// Key id → PEM certificate, as securetoken@system.gserviceaccount.com publishes.
Result<boost::json::object> published_certificates(Transaction& transaction, std::int64_t now_s);
// The same keys as a JWK set (RFC 7517).
Result<boost::json::object> published_key_set(Transaction& transaction, std::int64_t now_s);

Result<> insert_service_account(Transaction& transaction, const ProjectId& project);
Result<std::string> service_account_email(Transaction& transaction, const ProjectId& project);
Result<crypto::RsaPublicKey> service_account_key(Transaction& transaction, const ProjectId& project);
// The JSON that firebase-admin's cert() and Google's libraries take.
Result<std::string> service_account_json(Transaction& transaction, const ProjectId& project);

}  // namespace integreat::firebase
