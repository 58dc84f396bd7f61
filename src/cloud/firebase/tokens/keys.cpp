// SPDX-License-Identifier: Apache-2.0
#include "cloud/firebase/tokens/keys.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "cloud/firebase/store/limits.h"
#include "crypto/certificate.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"

namespace integreat::firebase {

namespace json = boost::json;

namespace {

constexpr std::chrono::hours certificate_lifetime{24 * 365 * 10};

// Session cookies have the longest lifetime of everything that a key signs.
constexpr std::int64_t published_after_retirement_seconds = session_cookie_seconds_max + 60;

// Makes a key id like Google's: forty hexadecimal digits of the hash of the public key.
std::string make_key_id(const crypto::RsaPublicKey& key) {
    return crypto::hex_encode(crypto::as_view(crypto::sha256(key.to_pem()))).substr(0, 40);
}

Result<Signer> insert_signer(Transaction& transaction, Auth& auth) {
    auto key = TRY(crypto::RsaPrivateKey::generate());
    auto key_id = make_key_id(key.public_key());
    auto now = auth.clock.now();
    auto certificate = crypto::make_certificate(key,
                                                {.common_name = "securetoken.system.gserviceaccount.com",
                                                 .not_before = now - std::chrono::hours(1),
                                                 .not_after = now + certificate_lifetime},
                                                auth.random);
    TRY(
        transaction.execute("INSERT INTO signing_keys (key_id, private_key, certificate, created_s)"
                            " VALUES (?,?,?,?)",
                            key_id, key.to_pem().reveal(), certificate, unix_seconds(now)));
    return Signer{key_id, key};
}

Result<Statement> query_published_keys(Transaction& transaction, std::int64_t now_s) {
    return transaction.query(
        "SELECT key_id, certificate FROM signing_keys"
        " WHERE retired_s IS NULL OR retired_s>? ORDER BY created_s, rowid",
        now_s - published_after_retirement_seconds);
}

}  // namespace

Result<Signer> active_signer(Transaction& transaction, Auth& auth) {
    auto row = TRY(transaction.query("SELECT key_id, private_key FROM signing_keys WHERE retired_s IS NULL"));
    if (!TRY(row.step())) return insert_signer(transaction, auth);
    auto key_id = row.text(0);
    auto signers = auth.signers.lock();
    auto cached = signers->find(key_id);
    if (cached == signers->end()) {
        auto key = TRY(crypto::RsaPrivateKey::from_pem(Secret(row.text(1))));
        signers->clear();  // Retired keys are no longer needed.
        cached = signers->emplace(key_id, key).first;
    }
    return Signer{key_id, cached->second};
}

Result<> rotate_signing_key(Auth& auth) {
    auto transaction = TRY(auth.store->write());
    auto now_s = unix_seconds(auth.clock.now());
    TRY(transaction.execute("UPDATE signing_keys SET retired_s=?, private_key=NULL WHERE retired_s IS NULL",
                            now_s));
    TRY(transaction.execute("DELETE FROM signing_keys WHERE retired_s<=?",
                            now_s - published_after_retirement_seconds));
    TRY(insert_signer(transaction, auth));
    return transaction.commit();
}

Result<std::optional<crypto::RsaPublicKey>> published_key(Transaction& transaction, std::int64_t now_s,
                                                          std::string_view key_id) {
    auto rows = TRY(query_published_keys(transaction, now_s));
    while (TRY(rows.step())) {
        if (rows.text(0) == key_id) {
            auto certificate = TRY(crypto::parse_certificate(rows.text(1)));
            return std::optional(certificate.key);
        }
    }
    return std::optional<crypto::RsaPublicKey>();
}

Result<json::object> published_certificates(Transaction& transaction, std::int64_t now_s) {
    auto rows = TRY(query_published_keys(transaction, now_s));
    json::object certificates;
    while (TRY(rows.step()))
        certificates[rows.text(0)] = rows.text(1);
    return certificates;
}

Result<json::object> published_key_set(Transaction& transaction, std::int64_t now_s) {
    auto rows = TRY(query_published_keys(transaction, now_s));
    json::array keys;
    while (TRY(rows.step())) {
        auto certificate = TRY(crypto::parse_certificate(rows.text(1)));
        keys.push_back({{"kty", "RSA"},
                        {"alg", "RS256"},
                        {"use", "sig"},
                        {"kid", rows.text(0)},
                        {"n", crypto::base64url_encode(certificate.key.modulus())},
                        {"e", crypto::base64url_encode(certificate.key.exponent())}});
    }
    return json::object{{"keys", std::move(keys)}};
}

Result<> insert_service_account(Transaction& transaction, const ProjectId& project) {
    auto key = TRY(crypto::RsaPrivateKey::generate());
    TRY(transaction.execute(
        "INSERT INTO service_accounts (project_id, email, key_id, private_key) VALUES (?,?,?,?)",
        project.text, "firebase-adminsdk-local@" + project.text + ".iam.gserviceaccount.com",
        make_key_id(key.public_key()), key.to_pem().reveal()));
    return {};
}

Result<std::string> service_account_email(Transaction& transaction, const ProjectId& project) {
    auto row = TRY(transaction.query("SELECT email FROM service_accounts WHERE project_id=?", project.text));
    TRY(row.step());
    return row.text(0);
}

Result<crypto::RsaPublicKey> service_account_key(Transaction& transaction, const ProjectId& project) {
    auto row =
        TRY(transaction.query("SELECT private_key FROM service_accounts WHERE project_id=?", project.text));
    TRY(row.step());
    return TRY(crypto::RsaPrivateKey::from_pem(Secret(row.text(0)))).public_key();
}

Result<std::string> service_account_json(Transaction& transaction, const ProjectId& project) {
    auto row = TRY(transaction.query(
        "SELECT email, key_id, private_key FROM service_accounts WHERE project_id=?", project.text));
    TRY(row.step());
    return json::serialize(json::object{{"type", "service_account"},
                                        {"project_id", project.text},
                                        {"private_key_id", row.text(1)},
                                        {"private_key", row.text(2)},
                                        {"client_email", row.text(0)}});
}

}  // namespace integreat::firebase
