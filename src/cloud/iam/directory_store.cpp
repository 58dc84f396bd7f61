// SPDX-License-Identifier: Apache-2.0
#include "cloud/iam/directory_store.h"

#include <boost/json/array.hpp>

namespace integreat::iam {

namespace json = boost::json;

namespace {

std::string text_of(const json::object& object, const char* name) {
    const auto* value = object.if_contains(name);
    return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

Time time_of(const json::object& object) {
    const auto* value = object.if_contains("created");
    return value && value->is_int64() ? from_unix_seconds(value->get_int64()) : Time();
}

std::vector<std::string> texts_of(const json::object& object, const char* name) {
    std::vector<std::string> texts;
    const auto* value = object.if_contains(name);
    if (!value || !value->is_array()) return texts;
    for (const auto& item : value->get_array())
        texts.emplace_back(item.as_string());
    return texts;
}

json::array array_of(const std::vector<std::string>& texts) {
    return json::array(texts.begin(), texts.end());
}

// What was saved once was a good document then, and is now.
Result<PolicyText> parse(std::string text, policy::DocumentKind kind) {
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
            {"attached", array_of(identity.attached)},
            {"boundary", identity.boundary},
            {"tags", std::move(tags)}};
}

Result<Identity> identity_from(const cloud::Record& record) {
    const auto& content = record.content;
    Identity identity{.name = record.name,
                      .path = text_of(content, "path"),
                      .id = text_of(content, "id"),
                      .arn = text_of(content, "arn"),
                      .created = time_of(content),
                      .inline_policies = {},
                      .attached = texts_of(content, "attached"),
                      .boundary = text_of(content, "boundary"),
                      .tags = {}};
    for (const auto& policy : content.at("inline").as_object()) {
        identity.inline_policies[policy.key()] =
            TRY(parse(std::string(policy.value().as_string()), policy::DocumentKind::identity));
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
            {"client_ids", array_of(provider.client_ids)},
            {"thumbprints", array_of(provider.thumbprints)},
            {"created", unix_seconds(provider.created)}};
}

Result<> read(const cloud::Record& record, std::shared_ptr<const User>& user) {
    auto identity = TRY(identity_from(record));
    user = std::make_shared<const User>(User{std::move(identity)});
    return {};
}

Result<> read(const cloud::Record& record, std::shared_ptr<const Role>& role) {
    const auto& content = record.content;
    auto identity = TRY(identity_from(record));
    auto trust = TRY(parse(text_of(content, "trust"), policy::DocumentKind::trust));
    role = std::make_shared<const Role>(
        Role{.identity = std::move(identity),
             .trust = std::move(trust),
             .description = text_of(content, "description"),
             .session_seconds_max = content.at("session_seconds_max").as_int64()});
    return {};
}

Result<> read(const cloud::Record& record, std::shared_ptr<const AccessKey>& key) {
    const auto& content = record.content;
    key = std::make_shared<const AccessKey>(AccessKey{.id = record.name,
                                                      .secret = Secret(text_of(content, "secret")),
                                                      .user = text_of(content, "user"),
                                                      .active = content.at("active").as_bool(),
                                                      .created = time_of(content)});
    return {};
}

Result<> read(const cloud::Record& record, std::shared_ptr<const ManagedPolicy>& policy) {
    const auto& content = record.content;
    auto document = TRY(parse(text_of(content, "policy"), policy::DocumentKind::identity));
    policy =
        std::make_shared<const ManagedPolicy>(ManagedPolicy{.name = text_of(content, "name"),
                                                            .path = text_of(content, "path"),
                                                            .id = text_of(content, "id"),
                                                            .arn = record.name,
                                                            .description = text_of(content, "description"),
                                                            .policy = std::move(document),
                                                            .created = time_of(content)});
    return {};
}

Result<> read(const cloud::Record& record, std::shared_ptr<const OidcProvider>& provider) {
    const auto& content = record.content;
    provider =
        std::make_shared<const OidcProvider>(OidcProvider{.arn = record.name,
                                                          .url = text_of(content, "url"),
                                                          .client_ids = texts_of(content, "client_ids"),
                                                          .thumbprints = texts_of(content, "thumbprints"),
                                                          .created = time_of(content)});
    return {};
}

template <class T>
Result<> load(cloud::Records& records, const char* kind, Directory::Named<T>& all) {
    for (const auto& record : TRY(records.list(kind)))
        TRY(read(record, all[record.name]));
    return {};
}

template <class T>
void compare(std::vector<cloud::Change>& changes, const char* kind, const Directory::Named<T>& from,
             const Directory::Named<T>& to) {
    for (const auto& [name, thing] : to) {
        if (find(from, name) != thing) changes.push_back({kind, name, to_json(*thing)});
    }
    for (const auto& [name, thing] : from) {
        if (!to.contains(name)) changes.push_back({kind, name, std::nullopt});
    }
}

}  // namespace

Result<Directory> load_directory(cloud::Records& records) {
    Directory directory;
    TRY(load(records, "iam:user", directory.users));
    TRY(load(records, "iam:role", directory.roles));
    TRY(load(records, "iam:key", directory.keys));
    TRY(load(records, "iam:policy", directory.policies));
    TRY(load(records, "iam:provider", directory.providers));
    return directory;
}

std::vector<cloud::Change> difference(const Directory& from, const Directory& to) {
    std::vector<cloud::Change> changes;
    compare(changes, "iam:user", from.users, to.users);
    compare(changes, "iam:role", from.roles, to.roles);
    compare(changes, "iam:key", from.keys, to.keys);
    compare(changes, "iam:policy", from.policies, to.policies);
    compare(changes, "iam:provider", from.providers, to.providers);
    return changes;
}

}  // namespace integreat::iam
