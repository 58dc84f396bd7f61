// SPDX-License-Identifier: Apache-2.0
// Access keys to callers, and temporary credentials.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "cloud/iam/iam.h"
#include "crypto/aead.h"
#include "crypto/encoding.h"
#include "json/value/parse.h"
#include "policy/document/arn.h"

namespace integreat::iam {

namespace json = boost::json;
using cloud::Caller;
using cloud::Credentials;
using cloud::KeyTrouble;

namespace {

constexpr std::size_t token_bytes_max = 16 * 1024;

void attach_policies(const Directory& directory, const Identity& identity, Caller& caller) {
    for (const auto& [name, policy] : identity.inline_policies)
        caller.identity_policies.push_back({name, policy.document});
    for (const auto& arn : identity.attached) {
        if (auto policy = find(directory.policies, arn))
            caller.identity_policies.push_back({policy->name, policy->policy.document});
    }
    if (identity.boundary.empty()) return;
    // A boundary that is gone allows nothing: an empty document does.
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

// Seals what a session is into its token.
TemporaryCredentials issue(Iam& iam, json::object session, std::int64_t seconds) {
    auto now = iam.clock().now();
    TemporaryCredentials credentials;
    credentials.access_key_id = make_id(iam.random(), "ASIA", 16);
    std::string noise(30, '\0');
    iam.random().fill(std::as_writable_bytes(std::span(noise)));
    credentials.secret_access_key = crypto::base64_encode(noise);
    credentials.expires = from_unix_seconds(unix_seconds(now) + seconds);
    session["secret"] = credentials.secret_access_key;
    session["issued"] = unix_seconds(now);
    session["expires"] = unix_seconds(credentials.expires);
    credentials.session_token = crypto::base64_encode(
        crypto::seal(iam.sealing_key(), json::serialize(session), credentials.access_key_id, iam.random()));
    return credentials;
}

std::string text_of(const json::object& object, const char* name) {
    const auto* value = object.if_contains(name);
    return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

// The caller of a role's session, with the role's policies of now. Nothing if the role is gone, or is
// another of the same name.
std::optional<Caller> role_caller(const Directory& directory, const json::object& session) {
    auto role = find(directory.roles, text_of(session, "role"));
    if (!role || role->identity.id != text_of(session, "role_id")) return std::nullopt;
    Caller caller{.who =
                      policy::role_session(role->identity.arn, role->identity.id, text_of(session, "name"))};
    attach_policies(directory, role->identity, caller);
    caller.who.tags = role->identity.tags;
    for (const auto& tag : session.at("tags").as_object())
        caller.who.tags[tag.key()] = std::string(tag.value().as_string());
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
    caller.federated_provider = text_of(session, "provider");
    if (const auto* identity = session.if_contains("web_identity"))
        caller.web_identity = web_identity_from(identity->as_object());
    return caller;
}

std::optional<Caller> user_caller(const Iam& iam, const Directory& directory, const std::string& name) {
    if (name.empty()) return root_of(iam);
    auto user = find(directory.users, name);
    if (!user) return std::nullopt;
    return caller_of(iam, directory, *user);
}

std::variant<Credentials, KeyTrouble> find_session(Iam& iam, std::string_view id, std::string_view token) {
    if (token.size() > token_bytes_max) return KeyTrouble::invalid_token;
    auto sealed = crypto::base64_decode(token);
    auto text = sealed ? crypto::open_sealed(iam.sealing_key(), *sealed, id) : std::nullopt;
    auto session = text ? integreat::json::parse_object(*text) : Result<json::object>(Error{});
    if (!session) return KeyTrouble::invalid_token;
    auto expires = from_unix_seconds(session->at("expires").as_int64());
    if (expires <= iam.clock().now()) return KeyTrouble::expired_token;
    auto directory = iam.directory();
    bool of_role = session->contains("role");
    auto caller =
        of_role ? role_caller(*directory, *session) : user_caller(iam, *directory, text_of(*session, "user"));
    if (!caller) return KeyTrouble::invalid_token;
    caller->issued = from_unix_seconds(session->at("issued").as_int64());
    caller->expires = expires;
    return Credentials{Secret(text_of(*session, "secret")), std::move(*caller)};
}

}  // namespace

Caller caller_of(const Iam&, const Directory& directory, const User& user) {
    Caller caller{.who = policy::user(user.identity.arn, user.identity.id)};
    caller.who.tags = user.identity.tags;
    attach_policies(directory, user.identity, caller);
    return caller;
}

Caller caller_of(const Iam&, const Directory& directory, const Role& role) {
    Caller caller{.who = policy::role_session(role.identity.arn, role.identity.id, "simulated")};
    caller.who.arn = role.identity.arn;
    caller.who.tags = role.identity.tags;
    attach_policies(directory, role.identity, caller);
    return caller;
}

Caller root_of(const Iam& iam) {
    return {.who = policy::root(iam.account())};
}

std::variant<Credentials, KeyTrouble> find_credentials(Iam& iam, std::string_view access_key_id,
                                                       std::string_view session_token) {
    if (access_key_id.starts_with("ASIA")) {
        if (session_token.empty()) return KeyTrouble::unknown_key;
        return find_session(iam, access_key_id, session_token);
    }
    auto directory = iam.directory();
    auto key = find(directory->keys, access_key_id);
    if (!key || !key->active) return KeyTrouble::unknown_key;
    if (!session_token.empty()) return KeyTrouble::invalid_token;
    auto caller = user_caller(iam, *directory, key->user);
    if (!caller) return KeyTrouble::unknown_key;
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
    auto credentials = issue(iam, std::move(session), grant.seconds);
    auto who = policy::role_session(role.identity.arn, role.identity.id, grant.session_name);
    credentials.arn = who.arn;
    credentials.id = who.id;
    return credentials;
}

TemporaryCredentials issue_user_session(Iam& iam, const std::string& user, std::int64_t seconds) {
    return issue(iam, {{"user", user}}, seconds);
}

}  // namespace integreat::iam
