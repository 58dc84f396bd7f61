// SPDX-License-Identifier: Apache-2.0
// Operations on policies: inline policies of users and roles, managed policies, boundaries, simulation.
#include <algorithm>

#include "cloud/aws/protocol/protocol.h"
#include "cloud/iam/operations.h"
#include "cloud/iam/simulation.h"
#include "http/routing/target.h"

namespace integreat::iam {

using cloud::element;
using cloud::query_result;
using cloud::Signing;

namespace {

// Users and roles have the same policy operations; T is User or Role.
template <class T>
constexpr const char* name_parameter = std::is_same_v<T, Role> ? "RoleName" : "UserName";

template <class T>
AwsResult<std::string> required_name(const OperationContext& context) {
    return required_parameter(context, name_parameter<T>, {.min_length = 1, .max_length = 64});
}

template <class T, class Any>
auto& entities(Any& directory) {  // `Any` is Directory or const Directory.
    if constexpr (std::is_same_v<T, Role>) {
        return directory.roles;
    } else {
        return directory.users;
    }
}

template <class T>
AwsResult<std::shared_ptr<const T>> find_entity(const Directory& directory, const std::string& name) {
    if constexpr (std::is_same_v<T, Role>) {
        return find_role(directory, name);
    } else {
        return find_user(directory, name);
    }
}

template <class T>
AwsResult<> require_permission_on(const Iam& iam, OperationContext& context, const std::string& name) {
    auto directory = iam.directory();
    auto entity = find(entities<T>(*directory), name);
    auto kind = std::is_same_v<T, Role> ? "role" : "user";
    return require_permission(context, entity ? entity->identity.arn : make_arn(iam, kind, "/", name));
}

// Applies `edit` to a copy of the identity of a user or role and saves it.
template <class T>
OperationResult update_identity(Iam& iam, OperationContext& context, const std::string& name,
                                const std::function<AwsResult<>(const Directory&, Identity&)>& edit) {
    TRY(require_permission_on<T>(iam, context, name));
    auto result = iam.update([&](Directory& directory) -> AwsResult<> {
        auto changed = *TRY(find_entity<T>(directory, name));
        TRY(edit(directory, changed.identity));
        entities<T>(directory)[name] = std::make_shared<const T>(std::move(changed));
        return {};
    });
    if (!result) return std::move(result).error();
    return query_result(context, "");
}

std::size_t count_inline_bytes(const Identity& identity) {
    std::size_t bytes = 0;
    for (const auto& [name, policy] : identity.inline_policies)
        bytes += policy::size_without_whitespace(policy.text);
    return bytes;
}

template <class T>
OperationResult put_inline(Iam& iam, OperationContext& context) {
    auto name = TRY(required_name<T>(context));
    auto policy_name = TRY(required_parameter(context, "PolicyName"));
    constexpr auto max_bytes =
        std::is_same_v<T, Role> ? policy::role_policies_bytes_max : policy::user_policies_bytes_max;
    auto text = TRY(required_parameter(context, "PolicyDocument", policy_document_rule));
    auto policy = TRY(parse_policy(text, policy::DocumentKind::identity, max_bytes));
    return update_identity<T>(iam, context, name, [&](const Directory&, Identity& identity) -> AwsResult<> {
        identity.inline_policies[policy_name] = policy;
        if (count_inline_bytes(identity) <= max_bytes) return {};
        return limit_exceeded("Maximum policy size of " + std::to_string(max_bytes) + " bytes exceeded for " +
                              (std::is_same_v<T, Role> ? "role " : "user ") + name);
    });
}

AwsError no_such_inline_policy(const std::string& name) {
    return no_such_entity("The policy with name " + name + " cannot be found.");
}

template <class T>
OperationResult get_inline(Iam& iam, OperationContext& context) {
    auto name = TRY(required_name<T>(context));
    auto policy_name = TRY(required_parameter(context, "PolicyName"));
    TRY(require_permission_on<T>(iam, context, name));
    auto entity = TRY(find_entity<T>(*iam.directory(), name));
    auto policy = entity->identity.inline_policies.find(policy_name);
    if (policy == entity->identity.inline_policies.end()) return no_such_inline_policy(policy_name);
    return query_result(context, element(name_parameter<T>, name) + element("PolicyName", policy_name) +
                                     element("PolicyDocument", http::percent_encode(policy->second.text)));
}

template <class T>
OperationResult list_inline(Iam& iam, OperationContext& context) {
    auto name = TRY(required_name<T>(context));
    TRY(require_permission_on<T>(iam, context, name));
    auto entity = TRY(find_entity<T>(*iam.directory(), name));
    std::vector<std::string> names;
    for (const auto& [policy_name, policy] : entity->identity.inline_policies)
        names.push_back(policy_name);
    return query_result(context, member_list_xml("PolicyNames", names) + element("IsTruncated", "false"));
}

template <class T>
OperationResult delete_inline(Iam& iam, OperationContext& context) {
    auto name = TRY(required_name<T>(context));
    auto policy_name = TRY(required_parameter(context, "PolicyName"));
    return update_identity<T>(iam, context, name, [&](const Directory&, Identity& identity) -> AwsResult<> {
        if (identity.inline_policies.erase(policy_name) == 0) return no_such_inline_policy(policy_name);
        return {};
    });
}

AwsError not_attachable(const std::string& arn) {
    return no_such_entity("Policy " + arn + " does not exist or is not attachable.");
}

template <class T>
OperationResult attach(Iam& iam, OperationContext& context) {
    auto name = TRY(required_name<T>(context));
    auto arn = TRY(required_parameter(context, "PolicyArn", arn_rule));
    return update_identity<T>(
        iam, context, name, [&](const Directory& directory, Identity& identity) -> AwsResult<> {
            if (!directory.policies.contains(arn)) return not_attachable(arn);
            if (std::ranges::find(identity.attached, arn) != identity.attached.end()) return {};
            if (identity.attached.size() >= attached_max)
                return limit_exceeded(std::string("Cannot exceed quota for PoliciesPer") +
                                      (std::is_same_v<T, Role> ? "Role: " : "User: ") +
                                      std::to_string(attached_max));
            identity.attached.push_back(arn);
            return {};
        });
}

template <class T>
OperationResult detach(Iam& iam, OperationContext& context) {
    auto name = TRY(required_name<T>(context));
    auto arn = TRY(required_parameter(context, "PolicyArn", arn_rule));
    return update_identity<T>(iam, context, name, [&](const Directory&, Identity& identity) -> AwsResult<> {
        if (std::erase(identity.attached, arn) == 0)
            return no_such_entity("Policy " + arn + " was not found.");
        return {};
    });
}

template <class T>
OperationResult list_attached(Iam& iam, OperationContext& context) {
    auto name = TRY(required_name<T>(context));
    TRY(require_permission_on<T>(iam, context, name));
    auto directory = iam.directory();
    auto entity = TRY(find_entity<T>(*directory, name));
    std::vector<std::string> all;
    for (const auto& arn : entity->identity.attached) {
        if (auto policy = find(directory->policies, arn))
            all.push_back(element("PolicyName", policy->name) + element("PolicyArn", arn));
    }
    return query_result(context, member_list_xml("AttachedPolicies", all) + element("IsTruncated", "false"));
}

template <class T>
OperationResult put_boundary(Iam& iam, OperationContext& context) {
    auto name = TRY(required_name<T>(context));
    auto arn = TRY(required_parameter(context, "PermissionsBoundary", arn_rule));
    return update_identity<T>(iam, context, name,
                              [&](const Directory& directory, Identity& identity) -> AwsResult<> {
                                  if (!directory.policies.contains(arn)) return not_attachable(arn);
                                  identity.boundary = arn;
                                  return {};
                              });
}

template <class T>
OperationResult delete_boundary(Iam& iam, OperationContext& context) {
    auto name = TRY(required_name<T>(context));
    return update_identity<T>(iam, context, name, [](const Directory&, Identity& identity) -> AwsResult<> {
        identity.boundary.clear();
        return {};
    });
}

std::size_t count_attachments(const Directory& directory, const std::string& arn) {
    auto uses = [&](const Identity& identity) {
        return std::ranges::find(identity.attached, arn) != identity.attached.end() ||
               identity.boundary == arn;
    };
    auto count =
        std::ranges::count_if(directory.users,
                              [&](const auto& user) { return uses(user.second->identity); }) +
        std::ranges::count_if(directory.roles, [&](const auto& role) { return uses(role.second->identity); });
    return static_cast<std::size_t>(count);
}

std::string policy_xml(const Directory& directory, const ManagedPolicy& policy) {
    return element("PolicyName", policy.name) + element("PolicyId", policy.id) + element("Arn", policy.arn) +
           element("Path", policy.path) + element("DefaultVersionId", "v1") +
           element("AttachmentCount", std::to_string(count_attachments(directory, policy.arn))) +
           element("IsAttachable", "true") + element("CreateDate", format_date(policy.created)) +
           element("UpdateDate", format_date(policy.created));
}

OperationResult create_policy(Iam& iam, OperationContext& context) {
    auto name = TRY(required_parameter(context, "PolicyName"));
    auto path = TRY(parse_path(context));
    auto text = TRY(required_parameter(context, "PolicyDocument", policy_document_rule));
    auto document = TRY(parse_policy(text, policy::DocumentKind::identity, policy::managed_policy_bytes_max));
    auto arn = make_arn(iam, "policy", path, name);
    TRY(require_permission(context, arn));
    auto description = TRY(
        optional_parameter(context, "Description", {.min_length = 0, .max_length = 1'000, .is_name = false}));
    auto policy = std::make_shared<const ManagedPolicy>(ManagedPolicy{.name = name,
                                                                      .path = path,
                                                                      .id = make_id(iam.random(), "ANPA", 17),
                                                                      .arn = arn,
                                                                      .description = std::move(description),
                                                                      .policy = std::move(document),
                                                                      .created = iam.clock().now()});
    auto result = iam.update([&](Directory& directory) -> AwsResult<> {
        if (directory.policies.contains(arn))
            return entity_exists("A policy called " + name +
                                 " already exists. Duplicate names are not allowed.");
        if (directory.policies.size() >= policies_max)
            return limit_exceeded("Cannot exceed quota for PoliciesPerAccount: " +
                                  std::to_string(policies_max));
        directory.policies[arn] = policy;
        return {};
    });
    if (!result) return std::move(result).error();
    return query_result(context, "<Policy>" + policy_xml(*iam.directory(), *policy) + "</Policy>");
}

AwsResult<std::shared_ptr<const ManagedPolicy>> find_requested_policy(const Iam& iam,
                                                                      OperationContext& context) {
    auto arn = TRY(required_parameter(context, "PolicyArn", arn_rule));
    TRY(require_permission(context, arn));
    if (auto policy = find(iam.directory()->policies, arn)) return policy;
    return no_such_entity("Policy " + arn + " was not found.");
}

OperationResult get_policy(Iam& iam, OperationContext& context) {
    auto policy = TRY(find_requested_policy(iam, context));
    return query_result(context, "<Policy>" + policy_xml(*iam.directory(), *policy) + "</Policy>");
}

OperationResult get_policy_version(Iam& iam, OperationContext& context) {
    auto version = TRY(required_parameter(context, "VersionId"));
    auto policy = TRY(find_requested_policy(iam, context));
    if (version != "v1") {
        return no_such_entity("Policy " + policy->arn + " version " + version +
                              " does not exist or is not attachable.");
    }
    return query_result(context,
                        "<PolicyVersion>" + element("Document", http::percent_encode(policy->policy.text)) +
                            element("VersionId", "v1") + element("IsDefaultVersion", "true") +
                            element("CreateDate", format_date(policy->created)) + "</PolicyVersion>");
}

OperationResult list_policies(Iam& iam, OperationContext& context) {
    TRY(require_permission(context, make_arn(iam, "policy", "/", "*")));
    std::vector<std::string> all;
    auto directory = iam.directory();
    for (const auto& [arn, policy] : directory->policies)
        all.push_back(policy_xml(*directory, *policy));
    return query_result(context, member_list_xml("Policies", all) + element("IsTruncated", "false"));
}

OperationResult delete_policy(Iam& iam, OperationContext& context) {
    auto policy = TRY(find_requested_policy(iam, context));
    auto result = iam.update([&](Directory& directory) -> AwsResult<> {
        if (count_attachments(directory, policy->arn) > 0)
            return delete_conflict("Cannot delete a policy attached to entities.");
        directory.policies.erase(policy->arn);
        return {};
    });
    if (!result) return std::move(result).error();
    return query_result(context, "");
}

constexpr const char* policy_checks =
    "signature; iam: permission on the ARN; policy grammar and size limits of AWS";

constexpr cloud::OperationEntry<Iam> policy_table[] = {
    {{"PutRolePolicy", "Inline policy; takes effect immediately, also for existing sessions.", policy_checks},
     Signing::required,
     put_inline<Role>},
    {{"GetRolePolicy", "Returns the document as stored.", policy_checks},
     Signing::required,
     get_inline<Role>},
    {{"ListRolePolicies", "Names only.", policy_checks}, Signing::required, list_inline<Role>},
    {{"DeleteRolePolicy", "Takes effect immediately.", policy_checks},
     Signing::required,
     delete_inline<Role>},
    {{"AttachRolePolicy", "At most 10 policies.", policy_checks}, Signing::required, attach<Role>},
    {{"DetachRolePolicy", "Takes effect immediately.", policy_checks}, Signing::required, detach<Role>},
    {{"ListAttachedRolePolicies", "All, without paging.", policy_checks},
     Signing::required,
     list_attached<Role>},
    {{"PutRolePermissionsBoundary", "Takes effect immediately.", policy_checks},
     Signing::required,
     put_boundary<Role>},
    {{"DeleteRolePermissionsBoundary", "Takes effect immediately.", policy_checks},
     Signing::required,
     delete_boundary<Role>},
    {{"PutUserPolicy", "Inline policy; takes effect immediately.", policy_checks},
     Signing::required,
     put_inline<User>},
    {{"GetUserPolicy", "Returns the document as stored.", policy_checks},
     Signing::required,
     get_inline<User>},
    {{"ListUserPolicies", "Names only.", policy_checks}, Signing::required, list_inline<User>},
    {{"DeleteUserPolicy", "Takes effect immediately.", policy_checks},
     Signing::required,
     delete_inline<User>},
    {{"AttachUserPolicy", "At most 10 policies.", policy_checks}, Signing::required, attach<User>},
    {{"DetachUserPolicy", "Takes effect immediately.", policy_checks}, Signing::required, detach<User>},
    {{"ListAttachedUserPolicies", "All, without paging.", policy_checks},
     Signing::required,
     list_attached<User>},
    {{"PutUserPermissionsBoundary", "Takes effect immediately.", policy_checks},
     Signing::required,
     put_boundary<User>},
    {{"DeleteUserPermissionsBoundary", "Takes effect immediately.", policy_checks},
     Signing::required,
     delete_boundary<User>},
    {{"CreatePolicy", "Managed policy with one version; the policies that AWS manages do not exist.",
      policy_checks},
     Signing::required,
     create_policy},
    {{"GetPolicy", "By ARN.", policy_checks}, Signing::required, get_policy},
    {{"GetPolicyVersion", "The only version, v1.", policy_checks}, Signing::required, get_policy_version},
    {{"ListPolicies", "All, without paging.", policy_checks}, Signing::required, list_policies},
    {{"DeletePolicy", "Refused while it is attached.", policy_checks}, Signing::required, delete_policy},
    {{"SimulatePrincipalPolicy", "Actions on resources for a user or role, with context entries.",
      policy_checks},
     Signing::required,
     simulate_principal_policy},
};

}  // namespace

Table policy_operations() {
    return policy_table;
}

}  // namespace integreat::iam
