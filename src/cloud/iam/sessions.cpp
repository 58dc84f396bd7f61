// SPDX-License-Identifier: Apache-2.0
#include "cloud/iam/sessions.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "cloud/iam/directory_store.h"
#include "cloud/iam/iam.h"
#include "crypto/aead.h"
#include "crypto/encoding.h"
#include "json/value/parse.h"
#include "policy/document/arn.h"

namespace integreat::iam {

namespace json = boost::json;
using cloud::Caller;
using cloud::CredentialError;
using cloud::Credentials;

namespace {

constexpr std::size_t max_token_bytes = 16 * 1024;

void attach_policies(const Directory& directory, const Identity& identity, Caller& caller) {
    for (const auto& [name, policy] : identity.inline_policies)
        caller.identity_policies.push_back({name, policy.document});
    for (const auto& arn : identity.attached) {
        if (auto policy = find(directory.policies, arn))
            caller.identity_policies.push_back({policy->name, policy->policy.document});
    }
    if (identity.boundary.empty()) return;
    // A deleted boundary allows nothing, like an empty document.
    auto boundary = find(directory.policies, identity.boundary);
    caller.boundary.push_back({identity.boundary, boundary ? boundary->policy.document
                                                           : std::make_shared<const policy::Document>()});
}

json::object to_json(const policy::WebIdentity& identity) {
    return {{"host", identity.host},
            {"audience", identity.audience},
            {"subject", identity.subject},
            {"methods", json::array(identity.methods.begin(), identity.methods.end())}};
}

policy::WebIdentity web_identity_from(const json::object& object) {
    policy::WebIdentity identity{.host = std::string(object.at("host").as_string()),
                                 .audience = std::string(object.at("audience").as_string()),
                                 .subject = std::string(object.at("subject").as_string()),
                                 .methods = {}};
    for (const auto& method : object.at("methods").as_array())
        identity.methods.emplace_back(method.as_string());
    return identity;
}

// Encrypts the session into its token and issues the credentials.
TemporaryCredentials issue_credentials(Iam& iam, json::object session, std::int64_t seconds) {
    auto now = iam.clock().now();
    TemporaryCredentials credentials;
    credentials.access_key_id = make_id(iam.random(), "ASIA", 16);
    std::string secret_bytes(30, '\0');
    iam.random().fill(std::as_writable_bytes(std::span(secret_bytes)));
    credentials.secret_access_key = crypto::base64_encode(secret_bytes);
    credentials.expires = from_unix_seconds(unix_seconds(now) + seconds);
    session["secret"] = credentials.secret_access_key;
    session["issued"] = unix_seconds(now);
    session["expires"] = unix_seconds(credentials.expires);
    credentials.session_token = crypto::base64_encode(
        crypto::seal(iam.sealing_key(), json::serialize(session), credentials.access_key_id, iam.random()));
    return credentials;
}

// Returns the caller of a role session, with the role's current policies, or nothing if the role was deleted
// or recreated under the same name.
std::optional<Caller> make_role_caller(const Directory& directory, const json::object& session) {
    auto role = find(directory.roles, get_text(session, "role"));
    if (!role || role->identity.id != get_text(session, "role_id")) return std::nullopt;
    Caller caller{.principal =
                      policy::role_session(role->identity.arn, role->identity.id, get_text(session, "name"))};
    attach_policies(directory, role->identity, caller);
    caller.principal.tags = role->identity.tags;
    for (const auto& tag : session.at("tags").as_object())
        caller.principal.tags[tag.key()] = std::string(tag.value().as_string());
    for (const auto& text : session.at("policies").as_array()) {
        auto document =
            policy::parse_document(std::string_view(text.as_string()), policy::DocumentKind::identity);
        if (!document) return std::nullopt;
        caller.session_policies.push_back({"session", std::move(*document)});
    }
    for (const auto& arn : session.at("policy_arns").as_array()) {
        auto policy = find(directory.policies, std::string_view(arn.as_string()));
        if (!policy) return std::nullopt;
        caller.session_policies.push_back({policy->name, policy->policy.document});
    }
    caller.federated_provider = get_text(session, "provider");
    if (const auto* identity = session.if_contains("web_identity"))
        caller.web_identity = web_identity_from(identity->as_object());
    return caller;
}

std::optional<Caller> make_user_caller(const Iam& iam, const Directory& directory, const std::string& name) {
    if (name.empty()) return make_root_caller(iam);
    auto user = find(directory.users, name);
    if (!user) return std::nullopt;
    return make_caller(iam, directory, *user);
}

std::variant<Credentials, CredentialError> open_session(Iam& iam, std::string_view id,
                                                        std::string_view token) {
    if (token.size() > max_token_bytes) return CredentialError::invalid_token;
    auto sealed = crypto::base64_decode(token);
    auto text = sealed ? crypto::open_sealed(iam.sealing_key(), *sealed, id) : std::nullopt;
    auto session = text ? integreat::json::parse_object(*text) : Result<json::object>(Error{});
    if (!session) return CredentialError::invalid_token;
    auto expires = from_unix_seconds(session->at("expires").as_int64());
    if (expires <= iam.clock().now()) return CredentialError::expired_token;
    auto directory = iam.directory();
    bool is_role_session = session->contains("role");
    auto caller = is_role_session ? make_role_caller(*directory, *session)
                                  : make_user_caller(iam, *directory, get_text(*session, "user"));
    if (!caller) return CredentialError::invalid_token;
    caller->issued = from_unix_seconds(session->at("issued").as_int64());
    caller->expires = expires;
    return Credentials{Secret(get_text(*session, "secret")), std::move(*caller)};
}

}  // namespace

Caller make_caller(const Iam&, const Directory& directory, const User& user) {
    Caller caller{.principal = policy::user(user.identity.arn, user.identity.id)};
    caller.principal.tags = user.identity.tags;
    attach_policies(directory, user.identity, caller);
    return caller;
}

Caller make_caller(const Iam&, const Directory& directory, const Role& role) {
    Caller caller{.principal = policy::role_session(role.identity.arn, role.identity.id, "simulated")};
    caller.principal.arn = role.identity.arn;
    caller.principal.tags = role.identity.tags;
    attach_policies(directory, role.identity, caller);
    return caller;
}

Caller make_root_caller(const Iam& iam) {
    return {.principal = policy::root(iam.account())};
}

std::variant<Credentials, CredentialError> find_credentials(Iam& iam, std::string_view access_key_id,
                                                            std::string_view session_token) {
    if (access_key_id.starts_with("ASIA")) {
        if (session_token.empty()) return CredentialError::unknown_key;
        return open_session(iam, access_key_id, session_token);
    }
    auto directory = iam.directory();
    auto key = find(directory->keys, access_key_id);
    if (!key || !key->active) return CredentialError::unknown_key;
    if (!session_token.empty()) return CredentialError::invalid_token;
    auto caller = make_user_caller(iam, *directory, key->user);
    if (!caller) return CredentialError::unknown_key;
    return Credentials{key->secret, std::move(*caller)};
}

TemporaryCredentials issue_role_session(Iam& iam, const Role& role, const SessionGrant& grant) {
    json::object tags;
    for (const auto& [name, value] : grant.tags)
        tags[name] = value;
    json::object session{
        {"role", role.identity.name},
        {"role_id", role.identity.id},
        {"name", grant.session_name},
        {"tags", std::move(tags)},
        {"policies", json::array(grant.session_policies.begin(), grant.session_policies.end())},
        {"policy_arns", json::array(grant.session_policy_arns.begin(), grant.session_policy_arns.end())},
        {"provider", grant.provider}};
    if (grant.web_identity) session["web_identity"] = to_json(*grant.web_identity);
    auto credentials = issue_credentials(iam, std::move(session), grant.seconds);
    auto principal = policy::role_session(role.identity.arn, role.identity.id, grant.session_name);
    credentials.arn = principal.arn;
    credentials.id = principal.id;
    return credentials;
}

TemporaryCredentials issue_user_session(Iam& iam, const std::string& user, std::int64_t seconds) {
    return issue_credentials(iam, {{"user", user}}, seconds);
}

}  // namespace integreat::iam
