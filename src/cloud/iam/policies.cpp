// SPDX-License-Identifier: Apache-2.0
// Policies: inline ones of users and roles, managed ones, boundaries, and the simulator.
#include <algorithm>

#include "cloud/aws/protocol/protocol.h"
#include "cloud/iam/operations.h"
#include "cloud/iam/simulation.h"
#include "http/routing/router.h"

namespace integreat::iam {

using cloud::element;
using cloud::query_result;
using cloud::Signing;

namespace {

constexpr TextRule arn_text{.length_min = 20, .length_max = 2'048, .is_name = false};

// Users and roles have the same operations on their policies; the type says whose is meant.
template <class T>
constexpr const char* parameter_of = std::is_same_v<T, Role> ? "RoleName" : "UserName";

template <class T>
Outcome<std::string> asked_name(const Exchange& exchange) {
    return required(exchange, parameter_of<T>, {.length_min = 1, .length_max = 64});
}

template <class T, class Any>
auto& all_of(Any& directory) {  // Of a Directory, const or not.
    if constexpr (std::is_same_v<T, Role>) {
        return directory.roles;
    } else {
        return directory.users;
    }
}

template <class T>
Outcome<std::shared_ptr<const T>> named(const Directory& directory, const std::string& name) {
    if constexpr (std::is_same_v<T, Role>) {
        return role_named(directory, name);
    } else {
        return user_named(directory, name);
    }
}

template <class T>
Outcome<> require_on(const Iam& iam, Exchange& exchange, const std::string& name) {
    auto directory = iam.directory();
    auto known = find(all_of<T>(*directory), name);
    auto kind = std::is_same_v<T, Role> ? "role" : "user";
    return require(exchange, known ? known->identity.arn : arn_of(iam, kind, "/", name));
}

// Changes the identity of a user or role.
template <class T>
Answer update(Iam& iam, Exchange& exchange, const std::string& name,
              const std::function<Change(const Directory&, Identity&)>& edit) {
    TRY(require_on<T>(iam, exchange, name));
    auto failed = iam.change([&](Directory& directory) -> Change {
        auto changed = *TRY(named<T>(directory, name));
        if (auto error = edit(directory, changed.identity)) return error;
        all_of<T>(directory)[name] = std::make_shared<const T>(std::move(changed));
        return std::nullopt;
    });
    if (failed) return *failed;
    return query_result(exchange, "");
}

std::size_t inline_bytes(const Identity& identity) {
    std::size_t bytes = 0;
    for (const auto& [name, policy] : identity.inline_policies)
        bytes += policy::counted_bytes(policy.text);
    return bytes;
}

template <class T>
Answer put_inline(Iam& iam, Exchange& exchange) {
    auto name = TRY(asked_name<T>(exchange));
    auto policy_name = TRY(required(exchange, "PolicyName"));
    constexpr auto most =
        std::is_same_v<T, Role> ? policy::role_policies_bytes_max : policy::user_policies_bytes_max;
    auto sent = TRY(required(exchange, "PolicyDocument", document_text));
    auto policy = TRY(parse_policy(sent, policy::DocumentKind::identity, most));
    return update<T>(iam, exchange, name, [&](const Directory&, Identity& identity) -> Change {
        identity.inline_policies[policy_name] = policy;
        if (inline_bytes(identity) <= most) return std::nullopt;
        return limit_exceeded("Maximum policy size of " + std::to_string(most) + " bytes exceeded for " +
                              (std::is_same_v<T, Role> ? "role " : "user ") + name);
    });
}

AwsError no_such_inline(const std::string& name) {
    return no_such_entity("The policy with name " + name + " cannot be found.");
}

template <class T>
Answer get_inline(Iam& iam, Exchange& exchange) {
    auto name = TRY(asked_name<T>(exchange));
    auto policy_name = TRY(required(exchange, "PolicyName"));
    TRY(require_on<T>(iam, exchange, name));
    auto found = TRY(named<T>(*iam.directory(), name));
    auto policy = found->identity.inline_policies.find(policy_name);
    if (policy == found->identity.inline_policies.end()) return no_such_inline(policy_name);
    return query_result(exchange, element(parameter_of<T>, name) + element("PolicyName", policy_name) +
                                      element("PolicyDocument", http::percent_encode(policy->second.text)));
}

template <class T>
Answer list_inline(Iam& iam, Exchange& exchange) {
    auto name = TRY(asked_name<T>(exchange));
    TRY(require_on<T>(iam, exchange, name));
    auto found = TRY(named<T>(*iam.directory(), name));
    std::vector<std::string> names;
    for (const auto& [policy_name, policy] : found->identity.inline_policies)
        names.push_back(policy_name);
    return query_result(exchange, member_list("PolicyNames", names) + element("IsTruncated", "false"));
}

template <class T>
Answer delete_inline(Iam& iam, Exchange& exchange) {
    auto name = TRY(asked_name<T>(exchange));
    auto policy_name = TRY(required(exchange, "PolicyName"));
    return update<T>(iam, exchange, name, [&](const Directory&, Identity& identity) -> Change {
        if (identity.inline_policies.erase(policy_name) == 0) return no_such_inline(policy_name);
        return std::nullopt;
    });
}

AwsError not_attachable(const std::string& arn) {
    return no_such_entity("Policy " + arn + " does not exist or is not attachable.");
}

template <class T>
Answer attach(Iam& iam, Exchange& exchange) {
    auto name = TRY(asked_name<T>(exchange));
    auto arn = TRY(required(exchange, "PolicyArn", arn_text));
    return update<T>(iam, exchange, name, [&](const Directory& directory, Identity& identity) -> Change {
        if (!directory.policies.contains(arn)) return not_attachable(arn);
        if (std::ranges::find(identity.attached, arn) != identity.attached.end()) return std::nullopt;
        if (identity.attached.size() >= attached_max)
            return limit_exceeded(std::string("Cannot exceed quota for PoliciesPer") +
                                  (std::is_same_v<T, Role> ? "Role: " : "User: ") +
                                  std::to_string(attached_max));
        identity.attached.push_back(arn);
        return std::nullopt;
    });
}

template <class T>
Answer detach(Iam& iam, Exchange& exchange) {
    auto name = TRY(asked_name<T>(exchange));
    auto arn = TRY(required(exchange, "PolicyArn", arn_text));
    return update<T>(iam, exchange, name, [&](const Directory&, Identity& identity) -> Change {
        if (std::erase(identity.attached, arn) == 0)
            return no_such_entity("Policy " + arn + " was not found.");
        return std::nullopt;
    });
}

template <class T>
Answer list_attached(Iam& iam, Exchange& exchange) {
    auto name = TRY(asked_name<T>(exchange));
    TRY(require_on<T>(iam, exchange, name));
    auto directory = iam.directory();
    auto found = TRY(named<T>(*directory, name));
    std::vector<std::string> all;
    for (const auto& arn : found->identity.attached) {
        if (auto policy = find(directory->policies, arn))
            all.push_back(element("PolicyName", policy->name) + element("PolicyArn", arn));
    }
    return query_result(exchange, member_list("AttachedPolicies", all) + element("IsTruncated", "false"));
}

template <class T>
Answer put_boundary(Iam& iam, Exchange& exchange) {
    auto name = TRY(asked_name<T>(exchange));
    auto arn = TRY(required(exchange, "PermissionsBoundary", arn_text));
    return update<T>(iam, exchange, name, [&](const Directory& directory, Identity& identity) -> Change {
        if (!directory.policies.contains(arn)) return not_attachable(arn);
        identity.boundary = arn;
        return std::nullopt;
    });
}

template <class T>
Answer delete_boundary(Iam& iam, Exchange& exchange) {
    auto name = TRY(asked_name<T>(exchange));
    return update<T>(iam, exchange, name, [](const Directory&, Identity& identity) -> Change {
        identity.boundary.clear();
        return std::nullopt;
    });
}

std::size_t attachments(const Directory& directory, const std::string& arn) {
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
           element("AttachmentCount", std::to_string(attachments(directory, policy.arn))) +
           element("IsAttachable", "true") + element("CreateDate", format_date(policy.created)) +
           element("UpdateDate", format_date(policy.created));
}

Answer create_policy(Iam& iam, Exchange& exchange) {
    auto name = TRY(required(exchange, "PolicyName"));
    auto path = TRY(asked_path(exchange));
    auto sent = TRY(required(exchange, "PolicyDocument", document_text));
    auto text = TRY(parse_policy(sent, policy::DocumentKind::identity, policy::managed_policy_bytes_max));
    auto arn = arn_of(iam, "policy", path, name);
    TRY(require(exchange, arn));
    auto policy = std::make_shared<const ManagedPolicy>(ManagedPolicy{
        .name = name,
        .path = path,
        .id = make_id(iam.random(), "ANPA", 17),
        .arn = arn,
        .description =
            TRY(optional(exchange, "Description", {.length_min = 0, .length_max = 1'000, .is_name = false})),
        .policy = std::move(text),
        .created = iam.clock().now()});
    auto failed = iam.change([&](Directory& directory) -> Change {
        if (directory.policies.contains(arn))
            return entity_exists("A policy called " + name +
                                 " already exists. Duplicate names are not allowed.");
        if (directory.policies.size() >= policies_max)
            return limit_exceeded("Cannot exceed quota for PoliciesPerAccount: " +
                                  std::to_string(policies_max));
        directory.policies[arn] = policy;
        return std::nullopt;
    });
    if (failed) return *failed;
    return query_result(exchange, "<Policy>" + policy_xml(*iam.directory(), *policy) + "</Policy>");
}

Outcome<std::shared_ptr<const ManagedPolicy>> asked_policy(const Iam& iam, Exchange& exchange) {
    auto arn = TRY(required(exchange, "PolicyArn", arn_text));
    TRY(require(exchange, arn));
    if (auto policy = find(iam.directory()->policies, arn)) return policy;
    return no_such_entity("Policy " + arn + " was not found.");
}

Answer get_policy(Iam& iam, Exchange& exchange) {
    auto policy = TRY(asked_policy(iam, exchange));
    return query_result(exchange, "<Policy>" + policy_xml(*iam.directory(), *policy) + "</Policy>");
}

Answer get_policy_version(Iam& iam, Exchange& exchange) {
    auto version = TRY(required(exchange, "VersionId"));
    auto policy = TRY(asked_policy(iam, exchange));
    if (version != "v1") {
        return no_such_entity("Policy " + policy->arn + " version " + version +
                              " does not exist or is not attachable.");
    }
    return query_result(exchange,
                        "<PolicyVersion>" + element("Document", http::percent_encode(policy->policy.text)) +
                            element("VersionId", "v1") + element("IsDefaultVersion", "true") +
                            element("CreateDate", format_date(policy->created)) + "</PolicyVersion>");
}

Answer list_policies(Iam& iam, Exchange& exchange) {
    TRY(require(exchange, arn_of(iam, "policy", "/", "*")));
    std::vector<std::string> all;
    auto directory = iam.directory();
    for (const auto& [arn, policy] : directory->policies)
        all.push_back(policy_xml(*directory, *policy));
    return query_result(exchange, member_list("Policies", all) + element("IsTruncated", "false"));
}

Answer delete_policy(Iam& iam, Exchange& exchange) {
    auto policy = TRY(asked_policy(iam, exchange));
    auto failed = iam.change([&](Directory& directory) -> Change {
        if (attachments(directory, policy->arn) > 0)
            return delete_conflict("Cannot delete a policy attached to entities.");
        directory.policies.erase(policy->arn);
        return std::nullopt;
    });
    if (failed) return *failed;
    return query_result(exchange, "");
}

constexpr const char* checks = "signature; iam: permission on the ARN; policy grammar and size as AWS";

constexpr cloud::OperationOf<Iam> table[] = {
    {{"PutRolePolicy", "Inline policy, in force at once, for sessions too.", checks},
     Signing::required,
     put_inline<Role>},
    {{"GetRolePolicy", "As it was put.", checks}, Signing::required, get_inline<Role>},
    {{"ListRolePolicies", "Names.", checks}, Signing::required, list_inline<Role>},
    {{"DeleteRolePolicy", "In force at once.", checks}, Signing::required, delete_inline<Role>},
    {{"AttachRolePolicy", "At most ten.", checks}, Signing::required, attach<Role>},
    {{"DetachRolePolicy", "In force at once.", checks}, Signing::required, detach<Role>},
    {{"ListAttachedRolePolicies", "All.", checks}, Signing::required, list_attached<Role>},
    {{"PutRolePermissionsBoundary", "In force at once.", checks}, Signing::required, put_boundary<Role>},
    {{"DeleteRolePermissionsBoundary", "In force at once.", checks},
     Signing::required,
     delete_boundary<Role>},
    {{"PutUserPolicy", "Inline policy, in force at once.", checks}, Signing::required, put_inline<User>},
    {{"GetUserPolicy", "As it was put.", checks}, Signing::required, get_inline<User>},
    {{"ListUserPolicies", "Names.", checks}, Signing::required, list_inline<User>},
    {{"DeleteUserPolicy", "In force at once.", checks}, Signing::required, delete_inline<User>},
    {{"AttachUserPolicy", "At most ten.", checks}, Signing::required, attach<User>},
    {{"DetachUserPolicy", "In force at once.", checks}, Signing::required, detach<User>},
    {{"ListAttachedUserPolicies", "All.", checks}, Signing::required, list_attached<User>},
    {{"PutUserPermissionsBoundary", "In force at once.", checks}, Signing::required, put_boundary<User>},
    {{"DeleteUserPermissionsBoundary", "In force at once.", checks},
     Signing::required,
     delete_boundary<User>},
    {{"CreatePolicy", "Managed policy of one version; AWS's own policies are not there.", checks},
     Signing::required,
     create_policy},
    {{"GetPolicy", "By ARN.", checks}, Signing::required, get_policy},
    {{"GetPolicyVersion", "The only version, v1.", checks}, Signing::required, get_policy_version},
    {{"ListPolicies", "All at once, without paging.", checks}, Signing::required, list_policies},
    {{"DeletePolicy", "Refused while it is attached.", checks}, Signing::required, delete_policy},
    {{"SimulatePrincipalPolicy", "Actions on resources for a user or role, with context entries.", checks},
     Signing::required,
     simulate_principal_policy},
};

}  // namespace

Table policy_operations() {
    return table;
}

}  // namespace integreat::iam
