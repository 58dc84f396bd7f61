// SPDX-License-Identifier: Apache-2.0
// Users and their access keys.
#include "cloud/aws/protocol/protocol.h"
#include "cloud/iam/operations.h"
#include "crypto/encoding.h"

namespace integreat::iam {

using cloud::element;
using cloud::query_result;
using cloud::Signing;

namespace {

constexpr TextRule user_name{.length_min = 1, .length_max = 64};

std::string user_xml(const User& user) {
    const auto& identity = user.identity;
    return element("Path", identity.path) + element("UserName", identity.name) +
           element("UserId", identity.id) + element("Arn", identity.arn) +
           element("CreateDate", format_date(identity.created));
}

std::string key_xml(const AccessKey& key, bool with_secret) {
    auto text = element("UserName", key.user) + element("AccessKeyId", key.id) +
                element("Status", key.active ? "Active" : "Inactive");
    if (with_secret) text += element("SecretAccessKey", key.secret.reveal());
    return text + element("CreateDate", format_date(key.created));
}

// Who is meant when no name is given: the caller.
Outcome<std::string> asked_user(const Exchange& exchange) {
    auto name = TRY(optional(exchange, "UserName", user_name));
    return name.empty() ? exchange.caller.who.name : name;
}

Answer create_user(Iam& iam, Exchange& exchange) {
    auto name = TRY(required(exchange, "UserName", user_name));
    auto path = TRY(asked_path(exchange));
    auto arn = arn_of(iam, "user", path, name);
    TRY(require(exchange, arn));
    auto user = std::make_shared<const User>(User{{.name = name,
                                                   .path = path,
                                                   .id = make_id(iam.random(), "AIDA", 17),
                                                   .arn = arn,
                                                   .created = iam.clock().now()}});
    auto failed = iam.change([&](Directory& directory) -> Change {
        if (directory.users.contains(name))
            return entity_exists("User with name " + name + " already exists.");
        if (directory.users.size() >= users_max)
            return limit_exceeded("Cannot exceed quota for UsersPerAccount: " + std::to_string(users_max));
        directory.users[name] = user;
        return std::nullopt;
    });
    if (failed) return *failed;
    return query_result(exchange, "<User>" + user_xml(*user) + "</User>");
}

Answer get_user(Iam& iam, Exchange& exchange) {
    auto name = TRY(asked_user(exchange));
    auto directory = iam.directory();
    auto known = find(directory->users, name);
    TRY(require(exchange, known ? known->identity.arn : arn_of(iam, "user", "/", name)));
    auto user = TRY(user_named(*directory, name));
    return query_result(exchange, "<User>" + user_xml(*user) + "</User>");
}

Answer list_users(Iam& iam, Exchange& exchange) {
    TRY(require(exchange, arn_of(iam, "user", "/", "*")));
    std::vector<std::string> all;
    auto directory = iam.directory();
    for (const auto& [name, user] : directory->users)
        all.push_back(user_xml(*user));
    return query_result(exchange, member_list("Users", all) + element("IsTruncated", "false"));
}

Answer delete_user(Iam& iam, Exchange& exchange) {
    auto name = TRY(required(exchange, "UserName", user_name));
    TRY(require(exchange, arn_of(iam, "user", "/", name)));
    auto failed = iam.change([&](Directory& directory) -> Change {
        auto user = TRY(user_named(directory, name));
        if (!user->identity.inline_policies.empty() || !user->identity.attached.empty())
            return delete_conflict("Cannot delete entity, must delete policies first.");
        for (const auto& [id, key] : directory.keys) {
            if (key->user == name)
                return delete_conflict("Cannot delete entity, must delete access keys first.");
        }
        directory.users.erase(name);
        return std::nullopt;
    });
    if (failed) return *failed;
    return query_result(exchange, "");
}

Answer create_access_key(Iam& iam, Exchange& exchange) {
    auto name = TRY(asked_user(exchange));
    TRY(require(exchange, arn_of(iam, "user", "/", name)));
    std::string noise(30, '\0');
    iam.random().fill(std::as_writable_bytes(std::span(noise)));
    auto key = std::make_shared<const AccessKey>(AccessKey{.id = make_id(iam.random(), "AKIA", 16),
                                                           .secret = Secret(crypto::base64_encode(noise)),
                                                           .user = name,
                                                           .active = true,
                                                           .created = iam.clock().now()});
    auto failed = iam.change([&](Directory& directory) -> Change {
        TRY(user_named(directory, name));
        auto count = std::ranges::count_if(directory.keys,
                                           [&](const auto& known) { return known.second->user == name; });
        if (static_cast<std::size_t>(count) >= keys_per_user_max)
            return limit_exceeded("Cannot exceed quota for AccessKeysPerUser: 2");
        directory.keys[key->id] = key;
        return std::nullopt;
    });
    if (failed) return *failed;
    return query_result(exchange, "<AccessKey>" + key_xml(*key, true) + "</AccessKey>");
}

Answer list_access_keys(Iam& iam, Exchange& exchange) {
    auto name = TRY(asked_user(exchange));
    TRY(require(exchange, arn_of(iam, "user", "/", name)));
    auto directory = iam.directory();
    if (!name.empty()) TRY(user_named(*directory, name));
    std::vector<std::string> all;
    for (const auto& [id, key] : directory->keys) {
        if (key->user == name) all.push_back(key_xml(*key, false));
    }
    return query_result(exchange, element("UserName", name) + member_list("AccessKeyMetadata", all) +
                                      element("IsTruncated", "false"));
}

Outcome<std::shared_ptr<const AccessKey>> key_of(const Directory& directory, const std::string& user,
                                                 const std::string& id) {
    auto key = find(directory.keys, id);
    if (key && key->user == user) return key;
    return no_such_entity("The Access Key with id " + id + " cannot be found.");
}

Answer update_access_key(Iam& iam, Exchange& exchange) {
    auto name = TRY(asked_user(exchange));
    auto id = TRY(required(exchange, "AccessKeyId"));
    auto status = TRY(required(exchange, "Status"));
    if (status != "Active" && status != "Inactive") {
        return invalid("1 validation error detected: Value '" + status +
                       "' at 'status' failed to satisfy constraint: Member must satisfy enum value set: "
                       "[Active, Inactive]");
    }
    TRY(require(exchange, arn_of(iam, "user", "/", name)));
    auto failed = iam.change([&](Directory& directory) -> Change {
        auto key = *TRY(key_of(directory, name, id));
        key.active = status == "Active";
        directory.keys[id] = std::make_shared<const AccessKey>(std::move(key));
        return std::nullopt;
    });
    if (failed) return *failed;
    return query_result(exchange, "");
}

Answer delete_access_key(Iam& iam, Exchange& exchange) {
    auto name = TRY(asked_user(exchange));
    auto id = TRY(required(exchange, "AccessKeyId"));
    TRY(require(exchange, arn_of(iam, "user", "/", name)));
    auto failed = iam.change([&](Directory& directory) -> Change {
        TRY(key_of(directory, name, id));
        directory.keys.erase(id);
        return std::nullopt;
    });
    if (failed) return *failed;
    return query_result(exchange, "");
}

constexpr const char* checks = "signature; iam: permission on the user's ARN";

constexpr cloud::OperationOf<Iam> table[] = {
    {{"CreateUser", "Name and path; at most 5,000.", checks}, Signing::required, create_user},
    {{"GetUser", "By name, or the caller.", checks}, Signing::required, get_user},
    {{"ListUsers", "All at once, without paging.", checks}, Signing::required, list_users},
    {{"DeleteUser", "Refused while policies or access keys are left.", checks},
     Signing::required,
     delete_user},
    {{"CreateAccessKey", "Two per user; in force at once.", checks}, Signing::required, create_access_key},
    {{"ListAccessKeys", "Without secrets.", checks}, Signing::required, list_access_keys},
    {{"UpdateAccessKey", "Active and Inactive, in force at once.", checks},
     Signing::required,
     update_access_key},
    {{"DeleteAccessKey", "In force at once.", checks}, Signing::required, delete_access_key},
};

}  // namespace

Table user_operations() {
    return table;
}

}  // namespace integreat::iam
