// SPDX-License-Identifier: Apache-2.0
// Operations on users and their access keys.
#include "cloud/aws/protocol/protocol.h"
#include "cloud/iam/operations.h"
#include "crypto/encoding.h"

namespace integreat::iam {

using cloud::element;
using cloud::query_result;
using cloud::Signing;

namespace {

constexpr ParameterRule user_name_rule{.min_length = 1, .max_length = 64};

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

// Returns the UserName parameter, or the name of the caller if it is missing.
AwsResult<std::string> user_name_or_caller(const OperationContext& context) {
    auto name = TRY(optional_parameter(context, "UserName", user_name_rule));
    return name.empty() ? context.caller.principal.name : name;
}

OperationResult create_user(Iam& iam, OperationContext& context) {
    auto name = TRY(required_parameter(context, "UserName", user_name_rule));
    auto path = TRY(parse_path(context));
    auto arn = make_arn(iam, "user", path, name);
    TRY(require_permission(context, arn));
    auto user = std::make_shared<const User>(User{{.name = name,
                                                   .path = path,
                                                   .id = make_id(iam.random(), "AIDA", 17),
                                                   .arn = arn,
                                                   .created = iam.clock().now()}});
    auto result = iam.update([&](Directory& directory) -> AwsResult<> {
        if (directory.users.contains(name))
            return entity_exists("User with name " + name + " already exists.");
        if (directory.users.size() >= users_max)
            return limit_exceeded("Cannot exceed quota for UsersPerAccount: " + std::to_string(users_max));
        directory.users[name] = user;
        return {};
    });
    if (!result) return std::move(result).error();
    return query_result(context, "<User>" + user_xml(*user) + "</User>");
}

OperationResult get_user(Iam& iam, OperationContext& context) {
    auto name = TRY(user_name_or_caller(context));
    auto directory = iam.directory();
    auto entry = find(directory->users, name);
    TRY(require_permission(context, entry ? entry->identity.arn : make_arn(iam, "user", "/", name)));
    auto user = TRY(find_user(*directory, name));
    return query_result(context, "<User>" + user_xml(*user) + "</User>");
}

OperationResult list_users(Iam& iam, OperationContext& context) {
    TRY(require_permission(context, make_arn(iam, "user", "/", "*")));
    std::vector<std::string> all;
    auto directory = iam.directory();
    for (const auto& [name, user] : directory->users)
        all.push_back(user_xml(*user));
    return query_result(context, member_list_xml("Users", all) + element("IsTruncated", "false"));
}

OperationResult delete_user(Iam& iam, OperationContext& context) {
    auto name = TRY(required_parameter(context, "UserName", user_name_rule));
    TRY(require_permission(context, make_arn(iam, "user", "/", name)));
    auto result = iam.update([&](Directory& directory) -> AwsResult<> {
        auto user = TRY(find_user(directory, name));
        if (!user->identity.inline_policies.empty() || !user->identity.attached.empty())
            return delete_conflict("Cannot delete entity, must delete policies first.");
        for (const auto& [id, key] : directory.keys) {
            if (key->user == name)
                return delete_conflict("Cannot delete entity, must delete access keys first.");
        }
        directory.users.erase(name);
        return {};
    });
    if (!result) return std::move(result).error();
    return query_result(context, "");
}

OperationResult create_access_key(Iam& iam, OperationContext& context) {
    auto name = TRY(user_name_or_caller(context));
    TRY(require_permission(context, make_arn(iam, "user", "/", name)));
    std::string secret_bytes(30, '\0');
    iam.random().fill(std::as_writable_bytes(std::span(secret_bytes)));
    auto key =
        std::make_shared<const AccessKey>(AccessKey{.id = make_id(iam.random(), "AKIA", 16),
                                                    .secret = Secret(crypto::base64_encode(secret_bytes)),
                                                    .user = name,
                                                    .active = true,
                                                    .created = iam.clock().now()});
    auto result = iam.update([&](Directory& directory) -> AwsResult<> {
        TRY(find_user(directory, name));
        auto count = std::ranges::count_if(directory.keys,
                                           [&](const auto& entry) { return entry.second->user == name; });
        if (static_cast<std::size_t>(count) >= keys_per_user_max)
            return limit_exceeded("Cannot exceed quota for AccessKeysPerUser: 2");
        directory.keys[key->id] = key;
        return {};
    });
    if (!result) return std::move(result).error();
    return query_result(context, "<AccessKey>" + key_xml(*key, true) + "</AccessKey>");
}

OperationResult list_access_keys(Iam& iam, OperationContext& context) {
    auto name = TRY(user_name_or_caller(context));
    TRY(require_permission(context, make_arn(iam, "user", "/", name)));
    auto directory = iam.directory();
    if (!name.empty()) TRY(find_user(*directory, name));
    std::vector<std::string> all;
    for (const auto& [id, key] : directory->keys) {
        if (key->user == name) all.push_back(key_xml(*key, false));
    }
    return query_result(context, element("UserName", name) + member_list_xml("AccessKeyMetadata", all) +
                                     element("IsTruncated", "false"));
}

AwsResult<std::shared_ptr<const AccessKey>> find_key(const Directory& directory, const std::string& user,
                                                     const std::string& id) {
    auto key = find(directory.keys, id);
    if (key && key->user == user) return key;
    return no_such_entity("The Access Key with id " + id + " cannot be found.");
}

OperationResult update_access_key(Iam& iam, OperationContext& context) {
    auto name = TRY(user_name_or_caller(context));
    auto id = TRY(required_parameter(context, "AccessKeyId"));
    auto status = TRY(required_parameter(context, "Status"));
    if (status != "Active" && status != "Inactive") {
        return invalid("1 validation error detected: Value '" + status +
                       "' at 'status' failed to satisfy constraint: Member must satisfy enum value set: "
                       "[Active, Inactive]");
    }
    TRY(require_permission(context, make_arn(iam, "user", "/", name)));
    auto result = iam.update([&](Directory& directory) -> AwsResult<> {
        auto key = *TRY(find_key(directory, name, id));
        key.active = status == "Active";
        directory.keys[id] = std::make_shared<const AccessKey>(std::move(key));
        return {};
    });
    if (!result) return std::move(result).error();
    return query_result(context, "");
}

OperationResult delete_access_key(Iam& iam, OperationContext& context) {
    auto name = TRY(user_name_or_caller(context));
    auto id = TRY(required_parameter(context, "AccessKeyId"));
    TRY(require_permission(context, make_arn(iam, "user", "/", name)));
    auto result = iam.update([&](Directory& directory) -> AwsResult<> {
        TRY(find_key(directory, name, id));
        directory.keys.erase(id);
        return {};
    });
    if (!result) return std::move(result).error();
    return query_result(context, "");
}

constexpr const char* user_checks = "signature; iam: permission on the user's ARN";

constexpr cloud::OperationEntry<Iam> user_table[] = {
    {{"CreateUser", "Name and path; at most 5,000 users.", user_checks}, Signing::required, create_user},
    {{"GetUser", "By name, or the caller.", user_checks}, Signing::required, get_user},
    {{"ListUsers", "All, without paging.", user_checks}, Signing::required, list_users},
    {{"DeleteUser", "Refused while the user has policies or access keys.", user_checks},
     Signing::required,
     delete_user},
    {{"CreateAccessKey", "At most two per user; takes effect immediately.", user_checks},
     Signing::required,
     create_access_key},
    {{"ListAccessKeys", "Without secrets.", user_checks}, Signing::required, list_access_keys},
    {{"UpdateAccessKey", "Active and Inactive; takes effect immediately.", user_checks},
     Signing::required,
     update_access_key},
    {{"DeleteAccessKey", "Takes effect immediately.", user_checks}, Signing::required, delete_access_key},
};

}  // namespace

Table user_operations() {
    return user_table;
}

}  // namespace integreat::iam
