// SPDX-License-Identifier: Apache-2.0
#include "cloud/cognito/cognito.h"

#include <boost/json/array.hpp>

#include "crypto/ids.h"
#include "identity/tokens/signing_keys.h"

namespace integreat::cognito {

namespace json = boost::json;
using cloud::AwsError;
using cloud::Outcome;

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

PoolIdentity identity_from(const cloud::Record& record) {
    PoolIdentity identity{.id = record.name,
                          .pool = std::string(record.content.at("pool").as_string()),
                          .logins = {},
                          .created = from_unix_seconds(record.content.at("created").as_int64())};
    for (const auto& login : record.content.at("logins").as_array()) {
        identity.logins.push_back(
            {std::string(login.at("provider").as_string()), std::string(login.at("subject").as_string())});
    }
    return identity;
}

std::string login_key(const std::string& pool, const Login& login) {
    return pool + '\n' + login.provider + '\n' + login.subject;
}

}  // namespace

Result<std::unique_ptr<Cognito>> Cognito::open(cloud::Records& records, iam::Iam& iam,
                                               oidc::LoginTokens& tokens, std::string region) {
    std::unique_ptr<Cognito> cognito(new Cognito(records, iam, tokens, std::move(region)));
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
    for (const auto& record : TRY(records_.list(pool_kind))) {
        (*pools)[record.name] = std::make_shared<const Pool>(
            Pool{.id = record.name,
                 .description = record.content.at("description").as_object(),
                 .roles = record.content.at("roles").as_object(),
                 .principal_tags = record.content.at("principal_tags").as_object()});
    }
    pools_.store(std::move(pools));
    auto identities = identities_.lock();
    for (const auto& record : TRY(records_.list(identity_kind))) {
        auto identity = identity_from(record);
        for (const auto& login : identity.logins)
            identities->by_login[login_key(identity.pool, login)] = identity.id;
        identities->by_id[record.name] = std::move(identity);
    }
    for (const auto& record : TRY(records_.list(signer_kind))) {
        auto key =
            TRY(crypto::RsaPrivateKey::from_pem(Secret(std::string(record.content.at("key").as_string()))));
        *signer_.lock() = std::make_shared<const Signer>(Signer{record.name, std::move(key)});
    }
    return {};
}

std::optional<AwsError> Cognito::change(const std::function<std::optional<AwsError>(Pools&)>& change) {
    auto held = changing_.lock();
    auto before = pools();
    auto after = std::make_shared<Pools>(*before);
    if (auto error = change(*after)) return error;
    std::vector<cloud::Change> changes;
    for (const auto& [id, pool] : *after) {
        auto known = before->find(id);
        if (known == before->end() || known->second != pool)
            changes.push_back({pool_kind, id, to_json(*pool)});
    }
    for (const auto& [id, pool] : *before) {
        if (!after->contains(id)) changes.push_back({pool_kind, id, std::nullopt});
    }
    if (auto saved = records_.apply(changes); !saved) return cloud::from_error(saved.error());
    pools_.store(std::move(after));
    return std::nullopt;
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

Outcome<PoolIdentity> Cognito::identity_for(const std::string& pool, const std::vector<Login>& logins) {
    // Held while a new one is saved: two requests of one new user must get the same id.
    auto identities = identities_.lock();
    for (const auto& login : logins) {
        auto known = identities->by_login.find(login_key(pool, login));
        if (known != identities->by_login.end()) return identities->by_id.at(known->second);
    }
    if (identities->by_id.size() >= identities_max) {
        return AwsError{.status = 400, .code = "LimitExceededException", .message = "Too many identities."};
    }
    PoolIdentity made{.id = region + ":" + crypto::make_uuid(iam.random()),
                      .pool = pool,
                      .logins = logins,
                      .created = iam.clock().now()};
    const cloud::Change saved[] = {{identity_kind, made.id, to_json(made)}};
    if (auto applied = records_.apply(saved); !applied) return cloud::from_error(applied.error());
    for (const auto& login : logins)
        identities->by_login[login_key(pool, login)] = made.id;
    identities->by_id[made.id] = made;
    return made;
}

Outcome<> Cognito::delete_identities(const std::vector<std::string>& ids) {
    auto identities = identities_.lock();
    std::vector<cloud::Change> changes;
    for (const auto& id : ids)
        changes.push_back({identity_kind, id, std::nullopt});
    if (auto applied = records_.apply(changes); !applied) return cloud::from_error(applied.error());
    for (const auto& id : ids) {
        auto found = identities->by_id.find(id);
        if (found == identities->by_id.end()) continue;
        for (const auto& login : found->second.logins)
            identities->by_login.erase(login_key(found->second.pool, login));
        identities->by_id.erase(found);
    }
    return {};
}

Outcome<std::shared_ptr<const Cognito::Signer>> Cognito::signer() {
    auto held = signer_.lock();
    if (*held) return *held;
    auto key = crypto::RsaPrivateKey::generate();
    if (!key) return cloud::from_error(key.error());
    auto id = crypto::make_uuid(iam.random());
    const cloud::Change saved[] = {{signer_kind, id, json::object{{"key", key->to_pem().reveal()}}}};
    if (auto applied = records_.apply(saved); !applied) return cloud::from_error(applied.error());
    *held = std::make_shared<const Signer>(Signer{id, std::move(*key)});
    return *held;
}

}  // namespace integreat::cognito
