// SPDX-License-Identifier: Apache-2.0
// Operations on roles and OpenID Connect providers.
#include <algorithm>

#include "cloud/aws/protocol/protocol.h"
#include "cloud/iam/operations.h"
#include "http/routing/target.h"

namespace integreat::iam {

using cloud::element;
using cloud::query_result;
using cloud::Signing;

namespace {

constexpr ParameterRule role_name_rule{.min_length = 1, .max_length = 64};

std::string role_xml(const Role& role) {
    const auto& identity = role.identity;
    auto text = element("Path", identity.path) + element("RoleName", identity.name) +
                element("RoleId", identity.id) + element("Arn", identity.arn) +
                element("CreateDate", format_date(identity.created)) +
                element("AssumeRolePolicyDocument", http::percent_encode(role.trust.text)) +
                element("MaxSessionDuration", std::to_string(role.session_seconds_max));
    if (!role.description.empty()) text += element("Description", role.description);
    if (!identity.boundary.empty()) {
        text += "<PermissionsBoundary>" + element("PermissionsBoundaryType", "Policy") +
                element("PermissionsBoundaryArn", identity.boundary) + "</PermissionsBoundary>";
    }
    return text;
}

OperationResult create_role(Iam& iam, OperationContext& context) {
    auto name = TRY(required_parameter(context, "RoleName", role_name_rule));
    auto path = TRY(parse_path(context));
    auto text = TRY(required_parameter(context, "AssumeRolePolicyDocument", policy_document_rule));
    auto trust = TRY(parse_policy(text, policy::DocumentKind::trust, policy::trust_policy_bytes_max));
    auto seconds = TRY(optional_integer(context, "MaxSessionDuration", 3'600, 3'600, 43'200));
    auto description = TRY(
        optional_parameter(context, "Description", {.min_length = 0, .max_length = 1'000, .is_name = false}));
    auto boundary = TRY(optional_parameter(context, "PermissionsBoundary",
                                           {.min_length = 0, .max_length = 2'048, .is_name = false}));
    auto arn = make_arn(iam, "role", path, name);
    TRY(require_permission(context, arn));
    auto role = std::make_shared<const Role>(Role{.identity = {.name = name,
                                                               .path = path,
                                                               .id = make_id(iam.random(), "AROA", 17),
                                                               .arn = arn,
                                                               .created = iam.clock().now(),
                                                               .boundary = boundary},
                                                  .trust = std::move(trust),
                                                  .description = std::move(description),
                                                  .session_seconds_max = seconds});
    auto result = iam.update([&](Directory& directory) -> AwsResult<> {
        if (directory.roles.contains(name))
            return entity_exists("Role with name " + name + " already exists.");
        if (directory.roles.size() >= roles_max)
            return limit_exceeded("Cannot exceed quota for RolesPerAccount: " + std::to_string(roles_max));
        if (!boundary.empty() && !directory.policies.contains(boundary))
            return no_such_entity("Policy " + boundary + " does not exist or is not attachable.");
        directory.roles[name] = role;
        return {};
    });
    if (!result) return std::move(result).error();
    return query_result(context, "<Role>" + role_xml(*role) + "</Role>");
}

OperationResult get_role(Iam& iam, OperationContext& context) {
    auto name = TRY(required_parameter(context, "RoleName", role_name_rule));
    auto directory = iam.directory();
    auto entry = find(directory->roles, name);
    TRY(require_permission(context, entry ? entry->identity.arn : make_arn(iam, "role", "/", name)));
    auto role = TRY(find_role(*directory, name));
    return query_result(context, "<Role>" + role_xml(*role) + "</Role>");
}

OperationResult list_roles(Iam& iam, OperationContext& context) {
    TRY(require_permission(context, make_arn(iam, "role", "/", "*")));
    std::vector<std::string> all;
    auto directory = iam.directory();
    for (const auto& [name, role] : directory->roles)
        all.push_back(role_xml(*role));
    return query_result(context, member_list_xml("Roles", all) + element("IsTruncated", "false"));
}

OperationResult delete_role(Iam& iam, OperationContext& context) {
    auto name = TRY(required_parameter(context, "RoleName", role_name_rule));
    TRY(require_permission(context, make_arn(iam, "role", "/", name)));
    auto result = iam.update([&](Directory& directory) -> AwsResult<> {
        auto role = TRY(find_role(directory, name));
        if (!role->identity.inline_policies.empty())
            return delete_conflict("Cannot delete entity, must delete policies first.");
        if (!role->identity.attached.empty())
            return delete_conflict("Cannot delete entity, must detach all policies first.");
        directory.roles.erase(name);
        return {};
    });
    if (!result) return std::move(result).error();
    return query_result(context, "");
}

OperationResult update_trust_policy(Iam& iam, OperationContext& context) {
    auto name = TRY(required_parameter(context, "RoleName", role_name_rule));
    auto text = TRY(required_parameter(context, "PolicyDocument", policy_document_rule));
    auto trust = TRY(parse_policy(text, policy::DocumentKind::trust, policy::trust_policy_bytes_max));
    TRY(require_permission(context, make_arn(iam, "role", "/", name)));
    auto result = iam.update([&](Directory& directory) -> AwsResult<> {
        auto role = *TRY(find_role(directory, name));
        role.trust = trust;
        directory.roles[name] = std::make_shared<const Role>(std::move(role));
        return {};
    });
    if (!result) return std::move(result).error();
    return query_result(context, "");
}

// Removes the scheme: "https://securetoken.google.com/campus-demo" → "securetoken.google.com/campus-demo".
AwsResult<std::string> parse_provider_url(const OperationContext& context) {
    auto url =
        TRY(required_parameter(context, "Url", {.min_length = 1, .max_length = 255, .is_name = false}));
    auto scheme = url.find("://");
    if (scheme == std::string::npos) return invalid("Invalid Open ID Connect Provider URL");
    bool supported = url.starts_with("https://") || url.starts_with("http://127.0.0.1") ||
                     url.starts_with("http://localhost");
    if (!supported)
        return AwsError{
            .status = 400, .code = "InvalidInput", .message = "Invalid Open ID Connect Provider URL"};
    return url.substr(scheme + 3);
}

OperationResult create_provider(Iam& iam, OperationContext& context) {
    auto url = TRY(parse_provider_url(context));
    auto arn = make_arn(iam, "oidc-provider", "/", url);
    TRY(require_permission(context, arn));
    auto provider = std::make_shared<const OidcProvider>(
        OidcProvider{.arn = arn,
                     .url = url,
                     .client_ids = list_parameter(context, "ClientIDList"),
                     .thumbprints = list_parameter(context, "ThumbprintList"),
                     .created = iam.clock().now()});
    if (provider->client_ids.size() > client_ids_max) {
        return limit_exceeded("Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: " +
                              std::to_string(client_ids_max));
    }
    auto result = iam.update([&](Directory& directory) -> AwsResult<> {
        if (directory.providers.contains(arn))
            return entity_exists("Provider with url https://" + url + " already exists.");
        if (directory.providers.size() >= directory.providers_quota) {
            return limit_exceeded("Cannot exceed quota for OpenIdConnectProvidersPerAccount: " +
                                  std::to_string(directory.providers_quota));
        }
        directory.providers[arn] = provider;
        return {};
    });
    if (!result) return std::move(result).error();
    return query_result(context, element("OpenIDConnectProviderArn", arn));
}

AwsError no_such_provider(const std::string& arn) {
    return no_such_entity("OpenIDConnect Provider not found for arn " + arn);
}

std::vector<std::string> escaped(const std::vector<std::string>& texts) {
    std::vector<std::string> all;
    for (const auto& text : texts)
        all.push_back(cloud::escape_xml(text));
    return all;
}

OperationResult get_provider(Iam& iam, OperationContext& context) {
    auto arn = TRY(required_parameter(context, "OpenIDConnectProviderArn", arn_rule));
    TRY(require_permission(context, arn));
    auto directory = iam.directory();
    auto provider = find(directory->providers, arn);
    if (!provider) return no_such_provider(arn);
    return query_result(context, element("Url", provider->url) +
                                     member_list_xml("ClientIDList", escaped(provider->client_ids)) +
                                     member_list_xml("ThumbprintList", escaped(provider->thumbprints)) +
                                     element("CreateDate", format_date(provider->created)));
}

OperationResult list_providers(Iam& iam, OperationContext& context) {
    TRY(require_permission(context, make_arn(iam, "oidc-provider", "/", "*")));
    std::vector<std::string> all;
    auto directory = iam.directory();
    for (const auto& [arn, provider] : directory->providers)
        all.push_back(element("Arn", arn));
    return query_result(context, member_list_xml("OpenIDConnectProviderList", all));
}

OperationResult delete_provider(Iam& iam, OperationContext& context) {
    auto arn = TRY(required_parameter(context, "OpenIDConnectProviderArn", arn_rule));
    TRY(require_permission(context, arn));
    auto result = iam.update([&](Directory& directory) -> AwsResult<> {
        if (directory.providers.erase(arn) == 0) return no_such_provider(arn);
        return {};
    });
    if (!result) return std::move(result).error();
    return query_result(context, "");
}

constexpr const char* role_checks = "signature; iam: permission on the role's ARN; trust policy grammar";
constexpr const char* provider_checks = "signature; iam: permission on the provider's ARN";

constexpr cloud::OperationEntry<Iam> roles[] = {
    {{"CreateRole", "Name, path, trust policy, boundary, maximum session duration.", role_checks},
     Signing::required,
     create_role},
    {{"GetRole", "With its trust policy.", role_checks}, Signing::required, get_role},
    {{"ListRoles", "All, without paging.", role_checks}, Signing::required, list_roles},
    {{"DeleteRole", "Refused while the role has policies; ends its sessions.", role_checks},
     Signing::required,
     delete_role},
    {{"UpdateAssumeRolePolicy", "Takes effect immediately.", role_checks},
     Signing::required,
     update_trust_policy},
};

constexpr cloud::OperationEntry<Iam> providers[] = {
    {{"CreateOpenIDConnectProvider", "URL and client ids; http URLs are allowed for this machine.",
      provider_checks},
     Signing::required,
     create_provider},
    {{"GetOpenIDConnectProvider", "By ARN.", provider_checks}, Signing::required, get_provider},
    {{"ListOpenIDConnectProviders", "All, without paging.", provider_checks},
     Signing::required,
     list_providers},
    {{"DeleteOpenIDConnectProvider", "By ARN.", provider_checks}, Signing::required, delete_provider},
};

}  // namespace

Table role_operations() {
    return roles;
}
Table provider_operations() {
    return providers;
}

}  // namespace integreat::iam
