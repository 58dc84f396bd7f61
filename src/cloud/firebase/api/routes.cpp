// SPDX-License-Identifier: Apache-2.0
#include "cloud/firebase/api/routes.h"

namespace integreat::firebase {

namespace {

using http::Method;

#define TOOLKIT "/identitytoolkit.googleapis.com/v1/"
#define PROJECT TOOLKIT "projects/{p}"

constexpr AuthRoute table[] = {
    {Method::post, TOOLKIT "accounts:signUp", Caller::client, sign_up},
    {Method::post, TOOLKIT "accounts:signInWithPassword", Caller::client, sign_in_with_password},
    {Method::post, TOOLKIT "accounts:signInWithCustomToken", Caller::client, sign_in_with_custom_token},
    {Method::post, TOOLKIT "accounts:signInWithEmailLink", Caller::client, sign_in_with_email_link},
    {Method::post, TOOLKIT "accounts:signInWithIdp", Caller::client, sign_in_with_idp},
    {Method::post, TOOLKIT "accounts:lookup", Caller::client, lookup},
    {Method::post, TOOLKIT "accounts:update", Caller::client, update_account},
    {Method::post, TOOLKIT "accounts:delete", Caller::client, delete_account},
    {Method::post, TOOLKIT "accounts:sendOobCode", Caller::client, send_oob_code},
    {Method::post, TOOLKIT "accounts:resetPassword", Caller::client, reset_password},
    {Method::post, TOOLKIT "accounts:createAuthUri", Caller::client, create_auth_uri},
    {Method::get, TOOLKIT "projects", Caller::client, get_project},
    {Method::get, "/identitytoolkit.googleapis.com/v2/passwordPolicy", Caller::client, password_policy},
    {Method::post, "/securetoken.googleapis.com/v1/token", Caller::client, grant_token},

    {Method::post, PROJECT "/accounts", Caller::admin, sign_up},
    {Method::post, PROJECT "/accounts:lookup", Caller::admin, lookup},
    {Method::post, PROJECT "/accounts:update", Caller::admin, update_account},
    {Method::post, PROJECT "/accounts:delete", Caller::admin, delete_account},
    {Method::post, PROJECT "/accounts:sendOobCode", Caller::admin, send_oob_code},
    {Method::get, PROJECT "/accounts:batchGet", Caller::admin, batch_get},
    {Method::post, PROJECT "/accounts:batchCreate", Caller::admin, batch_create, batch_bytes_max},
    {Method::post, PROJECT "/accounts:batchDelete", Caller::admin, batch_delete, batch_bytes_max},
    {Method::post, PROJECT ":createSessionCookie", Caller::admin, create_session_cookie},

    {Method::get, "/emulator/v1/projects/{p}/oobCodes", Caller::tool, list_oob_codes},
    {Method::del, "/emulator/v1/projects/{p}/accounts", Caller::tool, delete_all_accounts},
    {Method::get, "/emulator/v1/projects/{p}/config", Caller::tool, get_config},
    {Method::patch, "/emulator/v1/projects/{p}/config", Caller::tool, update_config},
};

#undef TOOLKIT
#undef PROJECT

// Matches a path and returns its project id, or nothing if the path does not match the pattern.
std::optional<std::string_view> match_pattern(std::string_view pattern, std::string_view path) {
    auto placeholder = pattern.find("{p}");
    if (placeholder == std::string_view::npos) {
        return pattern == path ? std::optional(std::string_view()) : std::nullopt;
    }
    auto before = pattern.substr(0, placeholder);
    auto after = pattern.substr(placeholder + 3);
    if (path.size() <= before.size() + after.size()) return std::nullopt;
    if (!path.starts_with(before) || !path.ends_with(after)) return std::nullopt;
    auto project = path.substr(before.size(), path.size() - before.size() - after.size());
    if (project.find_first_of("/:") != std::string_view::npos) return std::nullopt;
    return project;
}

}  // namespace

std::span<const AuthRoute> routes() {
    return table;
}

RouteMatch match_route(http::Method method, std::string_view path) {
    RouteMatch match;
    for (const auto& route : table) {
        auto project = match_pattern(route.pattern, path);
        if (!project) continue;
        match.path_known = true;
        if (route.method != method) continue;
        match.route = &route;
        match.project = *project;
        return match;
    }
    return match;
}

}  // namespace integreat::firebase
