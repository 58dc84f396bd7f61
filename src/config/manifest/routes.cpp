// SPDX-License-Identifier: Apache-2.0
#include "config/manifest/routes.h"

#include <algorithm>
#include <map>

#include "base/text/ascii.h"

namespace integreat::config {

namespace {

using Upstreams = std::map<std::string, std::shared_ptr<const http::Upstream>>;

std::shared_ptr<const http::Upstream> make_upstream(const Manifest& manifest,
                                                    const UpstreamSettings& settings) {
    Url url = parse_url(settings.url).url;
    auto upstream = std::make_shared<http::Upstream>();
    upstream->tenant = manifest.app;
    upstream->name = settings.name;
    upstream->key = manifest.app.text + "/" + settings.name + " " + settings.url;
    upstream->secure = url.secure;
    upstream->host = url.host;
    upstream->port = url.port;
    upstream->path_prefix = url.path;
    upstream->forward_authorization = settings.forward_authorization;
    upstream->connect_timeout = settings.connect_timeout;
    upstream->response_timeout = settings.response_timeout;
    upstream->idle_timeout = settings.idle_timeout;
    upstream->max_connections = settings.max_connections;
    upstream->max_retries = settings.max_retries;
    upstream->breaker_failures = settings.breaker_failures;
    upstream->breaker_open = settings.breaker_open;
    return upstream;
}

http::RateLimit make_rate_limit(const LimitSettings& limit) {
    return {limit.requests, limit.window, limit.burst};
}

http::Access make_access(const RouteSettings& route) {
    using Audience = http::Access::Audience;
    Audience audience = route.is_public       ? Audience::anyone
                        : route.roles.empty() ? Audience::signed_in
                                              : Audience::roles;
    return {.audience = audience, .roles = route.roles, .scope = route.scope};
}

http::Idempotency parse_idempotency(const std::string& text, http::Method method) {
    if (method == http::Method::get || text == "off") return http::Idempotency::off;
    return text == "required" ? http::Idempotency::required : http::Idempotency::accepted;
}

// Converts "/portal/{rest...}" to "portal-rest".
std::string name_from_path(std::string_view path) {
    std::string name;
    for (char c : path) {
        if (is_alnum(c)) {
            name += to_lower(c);
        } else if (!name.empty() && name.back() != '-') {
            name += '-';
        }
    }
    while (name.ends_with('-'))
        name.pop_back();
    return name.empty() ? "root" : name;
}

http::Route make_proxy_route(const Manifest& manifest, const RouteSettings& settings,
                             const std::string& method, const Settings& platform) {
    http::Route route;
    route.method = *http::parse_method(method);
    route.pattern = "/v1/apps/" + manifest.app.text + settings.path;
    route.name = operation_name(manifest, settings, method);
    route.summary = settings.summary;
    route.tenant = manifest.app;
    route.access = make_access(settings);
    route.limit = make_rate_limit(settings.limit.value_or(manifest.limit));
    bool has_body = route.method != http::Method::get;
    route.max_body_bytes = has_body ? std::min(settings.max_body_bytes, platform.http.max_body_bytes) : 0;
    route.idempotency = parse_idempotency(settings.idempotency, route.method);
    route.timeout = settings.timeout;
    route.log_bodies = settings.log_bodies;
    route.upstream_target = settings.target.empty() ? settings.path : settings.target;
    return route;
}

// Builds a route that every app has and the platform handles.
http::Route make_platform_route(const Manifest& manifest, std::string_view path, std::string_view operation,
                                http::Access::Audience audience, std::string_view summary) {
    http::Route route;
    route.method = http::Method::get;
    route.pattern = "/v1/apps/" + manifest.app.text + "/" + std::string(path);
    route.name = manifest.app.text + "." + std::string(operation);
    route.summary = summary;
    route.tenant = manifest.app;
    route.access = {.audience = audience};
    route.limit = make_rate_limit(manifest.limit);
    return route;
}

http::Route make_me_route(const Manifest& manifest) {
    return make_platform_route(manifest, "me", "me", http::Access::Audience::signed_in,
                               "Identity of the caller, from the token or API key");
}

http::Route make_openapi_route(const Manifest& manifest) {
    return make_platform_route(manifest, "openapi.json", "openapi", http::Access::Audience::anyone,
                               "The routes of this application, as OpenAPI 3.1");
}

}  // namespace

std::string operation_name(const Manifest& manifest, const RouteSettings& route, std::string_view method) {
    std::string name =
        manifest.app.text + "." + (route.name.empty() ? name_from_path(route.path) : route.name);
    if (method == "GET") return name;
    name += '.';
    return name + to_lower(method);
}

std::vector<http::Route> make_routes(const Manifest& manifest, const Settings& settings) {
    Upstreams upstreams;
    for (const auto& upstream : manifest.upstreams)
        upstreams[upstream.name] = make_upstream(manifest, upstream);
    std::vector<http::Route> routes{make_me_route(manifest), make_openapi_route(manifest)};
    for (const auto& route : manifest.routes) {
        for (const auto& method : route.methods) {
            routes.push_back(make_proxy_route(manifest, route, method, settings));
            routes.back().upstream = upstreams.at(route.upstream);
        }
    }
    return routes;
}

}  // namespace integreat::config
