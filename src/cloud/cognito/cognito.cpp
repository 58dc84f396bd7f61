// SPDX-License-Identifier: Apache-2.0
#include "cloud/cognito/cognito.h"

#include <boost/json/array.hpp>

#include "crypto/ids.h"
#include "identity/tokens/signing_keys.h"

namespace integreat::cognito {

namespace json = boost::json;
using cloud::AwsError;
using cloud::AwsResult;

namespace {

constexpr const char* pool_kind = "cognito:pool";
constexpr const char* identity_kind = "cognito:identity";
constexpr const char* signer_kind = "cognito:signer";
constexpr const char* issuer = "cognito-identity.amazonaws.com";

json::object to_json(const Pool& pool) {
    return {
        {"description", pool.description}, {"roles", pool.roles}, {"principal_tags", pool.principal_tags}};
}

json::object to_json(const PoolIdentity& identity) {
    json::array logins;
    for (const auto& login : identity.logins)
        logins.push_back({{"provider", login.provider}, {"subject", login.subject}});
    return {
        {"pool", identity.pool}, {"logins", std::move(logins)}, {"created", unix_seconds(identity.created)}};
}

PoolIdentity identity_from(const cloud::StoredDocument& stored) {
    PoolIdentity identity{.id = stored.name,
                          .pool = std::string(stored.content.at("pool").as_string()),
                          .logins = {},
                          .created = from_unix_seconds(stored.content.at("created").as_int64())};
    for (const auto& login : stored.content.at("logins").as_array()) {
        identity.logins.push_back(
            {std::string(login.at("provider").as_string()), std::string(login.at("subject").as_string())});
    }
    return identity;
}

std::string login_key(const std::string& pool, const Login& login) {
    return pool + '\n' + login.provider + '\n' + login.subject;
}

}  // namespace

Result<std::unique_ptr<Cognito>> Cognito::open(cloud::DocumentStore& documents, iam::Iam& iam,
                                               oidc::LoginTokens& tokens, std::string region) {
    std::unique_ptr<Cognito> cognito(new Cognito(documents, iam, tokens, std::move(region)));
    TRY(cognito->load());
    tokens.add_local_issuer(issuer, [self = cognito.get()]() -> std::shared_ptr<const identity::SigningKeys> {
        auto keys = std::make_shared<identity::SigningKeys>();
        if (auto signer = self->signer())
            keys->all.push_back({(*signer)->key_id, (*signer)->key.public_key()});
        return keys;
    });
    return cognito;
}

Result<> Cognito::load() {
    auto pools = std::make_shared<Pools>();
    for (const auto& stored : TRY(documents_.list(pool_kind))) {
        (*pools)[stored.name] = std::make_shared<const Pool>(
            Pool{.id = stored.name,
                 .description = stored.content.at("description").as_object(),
                 .roles = stored.content.at("roles").as_object(),
                 .principal_tags = stored.content.at("principal_tags").as_object()});
    }
    pools_.store(std::move(pools));
    auto identities = identities_.lock();
    for (const auto& stored : TRY(documents_.list(identity_kind))) {
        auto identity = identity_from(stored);
        for (const auto& login : identity.logins)
            identities->by_login[login_key(identity.pool, login)] = identity.id;
        identities->by_id[stored.name] = std::move(identity);
    }
    for (const auto& stored : TRY(documents_.list(signer_kind))) {
        auto key =
            TRY(crypto::RsaPrivateKey::from_pem(Secret(std::string(stored.content.at("key").as_string()))));
        *signer_.lock() = std::make_shared<const Signer>(Signer{stored.name, std::move(key)});
    }
    return {};
}

AwsResult<> Cognito::update(const std::function<AwsResult<>(Pools&)>& edit) {
    auto lock = update_mutex_.lock();
    auto before = pools();
    auto after = std::make_shared<Pools>(*before);
    TRY(edit(*after));
    std::vector<cloud::DocumentChange> changes;
    for (const auto& [id, pool] : *after) {
        auto old = before->find(id);
        if (old == before->end() || old->second != pool) changes.push_back({pool_kind, id, to_json(*pool)});
    }
    for (const auto& [id, pool] : *before) {
        if (!after->contains(id)) changes.push_back({pool_kind, id, std::nullopt});
    }
    if (auto saved = documents_.apply(changes); !saved) return cloud::to_aws_error(saved.error());
    pools_.store(std::move(after));
    return {};
}

std::optional<PoolIdentity> Cognito::find_identity(const std::string& id) {
    auto identities = identities_.lock();
    auto found = identities->by_id.find(id);
    return found == identities->by_id.end() ? std::nullopt : std::optional(found->second);
}

std::vector<PoolIdentity> Cognito::list_identities(std::string_view pool, std::size_t count_max) {
    std::vector<PoolIdentity> found;
    auto identities = identities_.lock();
    for (const auto& [id, identity] : identities->by_id) {
        if (identity.pool == pool && found.size() < count_max) found.push_back(identity);
    }
    return found;
}

AwsResult<PoolIdentity> Cognito::find_or_create_identity(const std::string& pool,
                                                         const std::vector<Login>& logins) {
    // Locked while a new identity is saved, because concurrent requests of one user must get the same id.
    auto identities = identities_.lock();
    for (const auto& login : logins) {
        auto entry = identities->by_login.find(login_key(pool, login));
        if (entry != identities->by_login.end()) return identities->by_id.at(entry->second);
    }
    if (identities->by_id.size() >= identities_max) {
        return AwsError{.status = 400, .code = "LimitExceededException", .message = "Too many identities."};
    }
    PoolIdentity identity{.id = region + ":" + crypto::make_uuid(iam.random()),
                          .pool = pool,
                          .logins = logins,
                          .created = iam.clock().now()};
    const cloud::DocumentChange changes[] = {{identity_kind, identity.id, to_json(identity)}};
    if (auto saved = documents_.apply(changes); !saved) return cloud::to_aws_error(saved.error());
    for (const auto& login : logins)
        identities->by_login[login_key(pool, login)] = identity.id;
    identities->by_id[identity.id] = identity;
    return identity;
}

AwsResult<> Cognito::delete_identities(const std::vector<std::string>& ids) {
    auto identities = identities_.lock();
    std::vector<cloud::DocumentChange> changes;
    for (const auto& id : ids)
        changes.push_back({identity_kind, id, std::nullopt});
    if (auto saved = documents_.apply(changes); !saved) return cloud::to_aws_error(saved.error());
    for (const auto& id : ids) {
        auto found = identities->by_id.find(id);
        if (found == identities->by_id.end()) continue;
        for (const auto& login : found->second.logins)
            identities->by_login.erase(login_key(found->second.pool, login));
        identities->by_id.erase(found);
    }
    return {};
}

AwsResult<std::shared_ptr<const Cognito::Signer>> Cognito::signer() {
    auto signer = signer_.lock();
    if (*signer) return *signer;
    auto key = crypto::RsaPrivateKey::generate();
    if (!key) return cloud::to_aws_error(key.error());
    auto id = crypto::make_uuid(iam.random());
    const cloud::DocumentChange changes[] = {
        {signer_kind, id, json::object{{"key", key->to_pem().reveal()}}}};
    if (auto saved = documents_.apply(changes); !saved) return cloud::to_aws_error(saved.error());
    *signer = std::make_shared<const Signer>(Signer{id, std::move(*key)});
    return *signer;
}

}  // namespace integreat::cognito
