// SPDX-License-Identifier: Apache-2.0
#include "services/collections/views/caller_role.h"

#include <algorithm>

#include "http/routing/route.h"
#include "services/collections/views/sql_names.h"

namespace integreat::collections {

namespace {

bool defines_role(const Model& model, std::string_view role) {
    bool reserved = role == role_none || role == role_anonymous;
    return !reserved && std::find(model.roles.begin(), model.roles.end(), role) != model.roles.end();
}

}  // namespace

std::string database_role(const TenantId& app, std::string_view role) {
    return truncate_identifier("tenant_" + app.text + "__" + std::string(role));
}

std::string caller_role(const Model& model, const Principal* principal) {
    if (!principal || principal->kind == PrincipalKind::anonymous) return std::string(role_anonymous);
    if (principal->kind == PrincipalKind::user) {
        return defines_role(model, principal->role) ? principal->role : std::string(role_none);
    }
    for (const auto& scope : principal->scopes) {
        auto role = std::string_view(scope);
        if (role.starts_with(http::role_scope) && defines_role(model, role.substr(http::role_scope.size())))
            return std::string(role.substr(http::role_scope.size()));
    }
    return std::string(role_none);
}

postgres::RoleContext make_role_context(const Model& model, const http::RequestContext& call) {
    return make_role_context(database_role(model.app, caller_role(model, call.principal.get())), call);
}

postgres::RoleContext make_role_context(const std::string& role, const http::RequestContext& call) {
    const auto* principal = call.principal.get();
    bool key = principal && principal->kind == PrincipalKind::key;
    return {.role = role,
            .uid = !principal ? std::string() : (key ? "key:" : "") + principal->subject,
            .request = call.id.text};
}

}  // namespace integreat::collections
