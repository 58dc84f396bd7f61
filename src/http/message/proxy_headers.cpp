// SPDX-License-Identifier: Apache-2.0
#include "http/message/proxy_headers.h"

namespace integreat::http {

namespace {

bool is_multi_valued(std::string_view name) {
    return iequals(name, "Set-Cookie") || iequals(name, "Vary") || iequals(name, "Link");
}

bool is_cors_header(std::string_view name) {
    constexpr std::string_view prefix = "Access-Control-";
    return name.size() > prefix.size() && iequals(name.substr(0, prefix.size()), prefix);
}

// A service worker of one app could control the pages of all, and one app could delete the data of all.
bool affects_whole_host(std::string_view name) {
    return iequals(name, "Service-Worker-Allowed") || iequals(name, "Clear-Site-Data") ||
           iequals(name, "Strict-Transport-Security") || iequals(name, "Public-Key-Pins") ||
           iequals(name, "Alt-Svc");
}

}  // namespace

std::optional<std::string> limit_cookie(std::string_view set_cookie, const TenantId& app) {
    auto pair = trim(set_cookie.substr(0, set_cookie.find(';')), " \t");
    constexpr std::string_view host_prefix = "__Host-";
    if (pair.empty() || iequals(pair.substr(0, host_prefix.size()), host_prefix)) return std::nullopt;
    std::string limited(pair);
    while (set_cookie.find(';') != std::string_view::npos) {
        set_cookie.remove_prefix(set_cookie.find(';') + 1);
        auto attribute = trim(set_cookie.substr(0, set_cookie.find(';')), " \t");
        auto name = trim(attribute.substr(0, attribute.find('=')), " \t");
        if (attribute.empty() || iequals(name, "Path") || iequals(name, "Domain")) continue;
        limited.append("; ").append(attribute);
    }
    return limited.append("; Path=/v1/apps/").append(app.text).append("/");
}

bool is_forwardable(std::string_view name, const Headers& ours) {
    if (is_cors_header(name) || affects_whole_host(name)) return false;
    return !ours.contains(name) || is_multi_valued(name);
}

}  // namespace integreat::http
