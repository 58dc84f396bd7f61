// SPDX-License-Identifier: Apache-2.0
#include "cloud/iam/directory_store.h"

#include <boost/json/array.hpp>

namespace integreat::iam {

namespace json = boost::json;

namespace {

Time get_created(const json::object& object) {
    const auto* value = object.if_contains("created");
    return value && value->is_int64() ? from_unix_seconds(value->get_int64()) : Time();
}

std::vector<std::string> get_texts(const json::object& object, const char* name) {
    std::vector<std::string> texts;
    const auto* value = object.if_contains(name);
    if (!value || !value->is_array()) return texts;
    for (const auto& item : value->get_array())
        texts.emplace_back(item.as_string());
    return texts;
}

json::array to_json_array(const std::vector<std::string>& texts) {
    return json::array(texts.begin(), texts.end());
}

// Parses a stored document, which was valid when it was saved.
Result<PolicyText> parse_stored_policy(std::string text, policy::DocumentKind kind) {
    auto document = TRY(policy::parse_document(text, kind));
    return PolicyText{std::move(text), std::move(document)};
}

json::object to_json(const Identity& identity) {
    json::object inline_policies, tags;
    for (const auto& [name, policy] : identity.inline_policies)
        inline_policies[name] = policy.text;
    for (const auto& [name, value] : identity.tags)
        tags[name] = value;
    return {{"path", identity.path},
            {"id", identity.id},
            {"arn", identity.arn},
            {"created", unix_seconds(identity.created)},
            {"inline", std::move(inline_policies)},
            {"attached", to_json_array(identity.attached)},
            {"boundary", identity.boundary},
            {"tags", std::move(tags)}};
}

Result<Identity> identity_from(const cloud::StoredDocument& stored) {
    const auto& content = stored.content;
    Identity identity{.name = stored.name,
                      .path = get_text(content, "path"),
                      .id = get_text(content, "id"),
                      .arn = get_text(content, "arn"),
                      .created = get_created(content),
                      .inline_policies = {},
                      .attached = get_texts(content, "attached"),
                      .boundary = get_text(content, "boundary"),
                      .tags = {}};
    for (const auto& policy : content.at("inline").as_object()) {
        identity.inline_policies[policy.key()] =
            TRY(parse_stored_policy(std::string(policy.value().as_string()), policy::DocumentKind::identity));
    }
    for (const auto& tag : content.at("tags").as_object())
        identity.tags[tag.key()] = std::string(tag.value().as_string());
    return identity;
}

json::object to_json(const User& user) {
    return to_json(user.identity);
}

json::object to_json(const Role& role) {
    auto content = to_json(role.identity);
    content["trust"] = role.trust.text;
    content["description"] = role.description;
    content["session_seconds_max"] = role.session_seconds_max;
    return content;
}

json::object to_json(const AccessKey& key) {
    return {{"secret", key.secret.reveal()},
            {"user", key.user},
            {"active", key.active},
            {"created", unix_seconds(key.created)}};
}

json::object to_json(const ManagedPolicy& policy) {
    return {{"name", policy.name},
            {"path", policy.path},
            {"id", policy.id},
            {"description", policy.description},
            {"policy", policy.policy.text},
            {"created", unix_seconds(policy.created)}};
}

json::object to_json(const OidcProvider& provider) {
    return {{"url", provider.url},
            {"client_ids", to_json_array(provider.client_ids)},
            {"thumbprints", to_json_array(provider.thumbprints)},
            {"created", unix_seconds(provider.created)}};
}

Result<> parse_entity(const cloud::StoredDocument& stored, std::shared_ptr<const User>& user) {
    auto identity = TRY(identity_from(stored));
    user = std::make_shared<const User>(User{std::move(identity)});
    return {};
}

Result<> parse_entity(const cloud::StoredDocument& stored, std::shared_ptr<const Role>& role) {
    const auto& content = stored.content;
    auto identity = TRY(identity_from(stored));
    auto trust = TRY(parse_stored_policy(get_text(content, "trust"), policy::DocumentKind::trust));
    role = std::make_shared<const Role>(
        Role{.identity = std::move(identity),
             .trust = std::move(trust),
             .description = get_text(content, "description"),
             .session_seconds_max = content.at("session_seconds_max").as_int64()});
    return {};
}

Result<> parse_entity(const cloud::StoredDocument& stored, std::shared_ptr<const AccessKey>& key) {
    const auto& content = stored.content;
    key = std::make_shared<const AccessKey>(AccessKey{.id = stored.name,
                                                      .secret = Secret(get_text(content, "secret")),
                                                      .user = get_text(content, "user"),
                                                      .active = content.at("active").as_bool(),
                                                      .created = get_created(content)});
    return {};
}

Result<> parse_entity(const cloud::StoredDocument& stored, std::shared_ptr<const ManagedPolicy>& policy) {
    const auto& content = stored.content;
    auto document = TRY(parse_stored_policy(get_text(content, "policy"), policy::DocumentKind::identity));
    policy =
        std::make_shared<const ManagedPolicy>(ManagedPolicy{.name = get_text(content, "name"),
                                                            .path = get_text(content, "path"),
                                                            .id = get_text(content, "id"),
                                                            .arn = stored.name,
                                                            .description = get_text(content, "description"),
                                                            .policy = std::move(document),
                                                            .created = get_created(content)});
    return {};
}

Result<> parse_entity(const cloud::StoredDocument& stored, std::shared_ptr<const OidcProvider>& provider) {
    const auto& content = stored.content;
    provider =
        std::make_shared<const OidcProvider>(OidcProvider{.arn = stored.name,
                                                          .url = get_text(content, "url"),
                                                          .client_ids = get_texts(content, "client_ids"),
                                                          .thumbprints = get_texts(content, "thumbprints"),
                                                          .created = get_created(content)});
    return {};
}

template <class T>
Result<> load(cloud::DocumentStore& documents, const char* kind, Directory::Named<T>& all) {
    for (const auto& stored : TRY(documents.list(kind)))
        TRY(parse_entity(stored, all[stored.name]));
    return {};
}

template <class T>
void append_changes(std::vector<cloud::DocumentChange>& changes, const char* kind,
                    const Directory::Named<T>& from, const Directory::Named<T>& to) {
    for (const auto& [name, entity] : to) {
        if (find(from, name) != entity) changes.push_back({kind, name, to_json(*entity)});
    }
    for (const auto& [name, entity] : from) {
        if (!to.contains(name)) changes.push_back({kind, name, std::nullopt});
    }
}

}  // namespace

std::string get_text(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

Result<Directory> load_directory(cloud::DocumentStore& documents) {
    Directory directory;
    TRY(load(documents, "iam:user", directory.users));
    TRY(load(documents, "iam:role", directory.roles));
    TRY(load(documents, "iam:key", directory.keys));
    TRY(load(documents, "iam:policy", directory.policies));
    TRY(load(documents, "iam:provider", directory.providers));
    return directory;
}

std::vector<cloud::DocumentChange> diff_directories(const Directory& from, const Directory& to) {
    std::vector<cloud::DocumentChange> changes;
    append_changes(changes, "iam:user", from.users, to.users);
    append_changes(changes, "iam:role", from.roles, to.roles);
    append_changes(changes, "iam:key", from.keys, to.keys);
    append_changes(changes, "iam:policy", from.policies, to.policies);
    append_changes(changes, "iam:provider", from.providers, to.providers);
    return changes;
}

}  // namespace integreat::iam
