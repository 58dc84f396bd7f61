// SPDX-License-Identifier: Apache-2.0
// Roles and OpenID Connect providers.
#include <algorithm>

#include "cloud/aws/protocol/protocol.h"
#include "cloud/iam/operations.h"
#include "http/routing/router.h"

namespace integreat::iam {

using cloud::element;
using cloud::query_result;
using cloud::Signing;

namespace {

constexpr TextRule role_name{.length_min = 1, .length_max = 64};

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

Answer create_role(Iam& iam, Exchange& exchange) {
    auto name = TRY(required(exchange, "RoleName", role_name));
    auto path = TRY(asked_path(exchange));
    auto sent = TRY(required(exchange, "AssumeRolePolicyDocument", document_text));
    auto trust = TRY(parse_policy(sent, policy::DocumentKind::trust, policy::trust_policy_bytes_max));
    auto seconds = TRY(optional_number(exchange, "MaxSessionDuration", 3'600, 3'600, 43'200));
    auto description =
        TRY(optional(exchange, "Description", {.length_min = 0, .length_max = 1'000, .is_name = false}));
    auto boundary = TRY(
        optional(exchange, "PermissionsBoundary", {.length_min = 0, .length_max = 2'048, .is_name = false}));
    auto arn = arn_of(iam, "role", path, name);
    TRY(require(exchange, arn));
    auto role = std::make_shared<const Role>(Role{.identity = {.name = name,
                                                               .path = path,
                                                               .id = make_id(iam.random(), "AROA", 17),
                                                               .arn = arn,
                                                               .created = iam.clock().now(),
                                                               .boundary = boundary},
                                                  .trust = std::move(trust),
                                                  .description = std::move(description),
                                                  .session_seconds_max = seconds});
    auto failed = iam.change([&](Directory& directory) -> Change {
        if (directory.roles.contains(name))
            return entity_exists("Role with name " + name + " already exists.");
        if (directory.roles.size() >= roles_max)
            return limit_exceeded("Cannot exceed quota for RolesPerAccount: " + std::to_string(roles_max));
        if (!boundary.empty() && !directory.policies.contains(boundary))
            return no_such_entity("Policy " + boundary + " does not exist or is not attachable.");
        directory.roles[name] = role;
        return std::nullopt;
    });
    if (failed) return *failed;
    return query_result(exchange, "<Role>" + role_xml(*role) + "</Role>");
}

Answer get_role(Iam& iam, Exchange& exchange) {
    auto name = TRY(required(exchange, "RoleName", role_name));
    auto directory = iam.directory();
    auto known = find(directory->roles, name);
    TRY(require(exchange, known ? known->identity.arn : arn_of(iam, "role", "/", name)));
    auto role = TRY(role_named(*directory, name));
    return query_result(exchange, "<Role>" + role_xml(*role) + "</Role>");
}

Answer list_roles(Iam& iam, Exchange& exchange) {
    TRY(require(exchange, arn_of(iam, "role", "/", "*")));
    std::vector<std::string> all;
    auto directory = iam.directory();
    for (const auto& [name, role] : directory->roles)
        all.push_back(role_xml(*role));
    return query_result(exchange, member_list("Roles", all) + element("IsTruncated", "false"));
}

Answer delete_role(Iam& iam, Exchange& exchange) {
    auto name = TRY(required(exchange, "RoleName", role_name));
    TRY(require(exchange, arn_of(iam, "role", "/", name)));
    auto failed = iam.change([&](Directory& directory) -> Change {
        auto role = TRY(role_named(directory, name));
        if (!role->identity.inline_policies.empty())
            return delete_conflict("Cannot delete entity, must delete policies first.");
        if (!role->identity.attached.empty())
            return delete_conflict("Cannot delete entity, must detach all policies first.");
        directory.roles.erase(name);
        return std::nullopt;
    });
    if (failed) return *failed;
    return query_result(exchange, "");
}

Answer update_trust(Iam& iam, Exchange& exchange) {
    auto name = TRY(required(exchange, "RoleName", role_name));
    auto sent = TRY(required(exchange, "PolicyDocument", document_text));
    auto trust = TRY(parse_policy(sent, policy::DocumentKind::trust, policy::trust_policy_bytes_max));
    TRY(require(exchange, arn_of(iam, "role", "/", name)));
    auto failed = iam.change([&](Directory& directory) -> Change {
        auto role = *TRY(role_named(directory, name));
        role.trust = trust;
        directory.roles[name] = std::make_shared<const Role>(std::move(role));
        return std::nullopt;
    });
    if (failed) return *failed;
    return query_result(exchange, "");
}

// "https://securetoken.google.com/campus-demo" → "securetoken.google.com/campus-demo"
Outcome<std::string> asked_url(const Exchange& exchange) {
    auto url = TRY(required(exchange, "Url", {.length_min = 1, .length_max = 255, .is_name = false}));
    auto scheme = url.find("://");
    if (scheme == std::string::npos) return invalid("Invalid Open ID Connect Provider URL");
    bool known = url.starts_with("https://") || url.starts_with("http://127.0.0.1") ||
                 url.starts_with("http://localhost");
    if (!known)
        return AwsError{
            .status = 400, .code = "InvalidInput", .message = "Invalid Open ID Connect Provider URL"};
    return url.substr(scheme + 3);
}

Answer create_provider(Iam& iam, Exchange& exchange) {
    auto url = TRY(asked_url(exchange));
    auto arn = arn_of(iam, "oidc-provider", "/", url);
    TRY(require(exchange, arn));
    auto provider =
        std::make_shared<const OidcProvider>(OidcProvider{.arn = arn,
                                                          .url = url,
                                                          .client_ids = members(exchange, "ClientIDList"),
                                                          .thumbprints = members(exchange, "ThumbprintList"),
                                                          .created = iam.clock().now()});
    if (provider->client_ids.size() > client_ids_max) {
        return limit_exceeded("Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: " +
                              std::to_string(client_ids_max));
    }
    auto failed = iam.change([&](Directory& directory) -> Change {
        if (directory.providers.contains(arn))
            return entity_exists("Provider with url https://" + url + " already exists.");
        if (directory.providers.size() >= directory.providers_quota) {
            return limit_exceeded("Cannot exceed quota for OpenIdConnectProvidersPerAccount: " +
                                  std::to_string(directory.providers_quota));
        }
        directory.providers[arn] = provider;
        return std::nullopt;
    });
    if (failed) return *failed;
    return query_result(exchange, element("OpenIDConnectProviderArn", arn));
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

constexpr TextRule arn_text{.length_min = 20, .length_max = 2'048, .is_name = false};

Answer get_provider(Iam& iam, Exchange& exchange) {
    auto arn = TRY(required(exchange, "OpenIDConnectProviderArn", arn_text));
    TRY(require(exchange, arn));
    auto directory = iam.directory();
    auto provider = find(directory->providers, arn);
    if (!provider) return no_such_provider(arn);
    return query_result(exchange, element("Url", provider->url) +
                                      member_list("ClientIDList", escaped(provider->client_ids)) +
                                      member_list("ThumbprintList", escaped(provider->thumbprints)) +
                                      element("CreateDate", format_date(provider->created)));
}

Answer list_providers(Iam& iam, Exchange& exchange) {
    TRY(require(exchange, arn_of(iam, "oidc-provider", "/", "*")));
    std::vector<std::string> all;
    auto directory = iam.directory();
    for (const auto& [arn, provider] : directory->providers)
        all.push_back(element("Arn", arn));
    return query_result(exchange, member_list("OpenIDConnectProviderList", all));
}

Answer delete_provider(Iam& iam, Exchange& exchange) {
    auto arn = TRY(required(exchange, "OpenIDConnectProviderArn", arn_text));
    TRY(require(exchange, arn));
    auto failed = iam.change([&](Directory& directory) -> Change {
        if (directory.providers.erase(arn) == 0) return no_such_provider(arn);
        return std::nullopt;
    });
    if (failed) return *failed;
    return query_result(exchange, "");
}

constexpr const char* checks = "signature; iam: permission on the role's ARN; trust policy's grammar";
constexpr const char* of_provider = "signature; iam: permission on the provider's ARN";

constexpr cloud::OperationOf<Iam> roles[] = {
    {{"CreateRole", "Name, path, trust policy, boundary, longest session.", checks},
     Signing::required,
     create_role},
    {{"GetRole", "With its trust policy.", checks}, Signing::required, get_role},
    {{"ListRoles", "All at once, without paging.", checks}, Signing::required, list_roles},
    {{"DeleteRole", "Refused while policies are left; ends its sessions.", checks},
     Signing::required,
     delete_role},
    {{"UpdateAssumeRolePolicy", "In force at once.", checks}, Signing::required, update_trust},
};

constexpr cloud::OperationOf<Iam> providers[] = {
    {{"CreateOpenIDConnectProvider", "URL and client ids; also http on this machine.", of_provider},
     Signing::required,
     create_provider},
    {{"GetOpenIDConnectProvider", "By ARN.", of_provider}, Signing::required, get_provider},
    {{"ListOpenIDConnectProviders", "All.", of_provider}, Signing::required, list_providers},
    {{"DeleteOpenIDConnectProvider", "By ARN.", of_provider}, Signing::required, delete_provider},
};

}  // namespace

Table role_operations() {
    return roles;
}
Table provider_operations() {
    return providers;
}

}  // namespace integreat::iam
