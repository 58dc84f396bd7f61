// SPDX-License-Identifier: Apache-2.0
#include "config/manifest/routes.h"

#include <algorithm>
#include <map>

namespace integreat::config {

namespace {

using Upstreams = std::map<std::string, std::shared_ptr<const http::Upstream>>;

std::shared_ptr<const http::Upstream> upstream_of(const Manifest& manifest,
                                                  const UpstreamSettings& settings) {
    Url url = read_url(settings.url).url;
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
    upstream->connections_max = settings.connections_max;
    upstream->retries_max = settings.retries_max;
    upstream->breaker_failures = settings.breaker_failures;
    upstream->breaker_open = settings.breaker_open;
    return upstream;
}

http::RateLimit limit_of(const LimitSettings& limit) {
    return {limit.requests, limit.window, limit.burst};
}

http::Access access_of(const RouteSettings& route) {
    using Who = http::Access::Who;
    Who who = route.is_public ? Who::anyone : route.roles.empty() ? Who::signed_in : Who::roles;
    return {.who = who, .roles = route.roles, .scope = route.scope};
}

http::Idempotency idempotency_of(const std::string& text, http::Method method) {
    if (method == http::Method::get || text == "off") return http::Idempotency::off;
    return text == "required" ? http::Idempotency::required : http::Idempotency::accepted;
}

// "/portal/{rest...}" → "portal-rest"
std::string words_of(std::string_view path) {
    std::string words;
    for (char c : path) {
        bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (c >= 'A' && c <= 'Z') {
            words += static_cast<char>(c - 'A' + 'a');
        } else if (letter) {
            words += c;
        } else if (!words.empty() && words.back() != '-') {
            words += '-';
        }
    }
    while (words.ends_with('-'))
        words.pop_back();
    return words.empty() ? "root" : words;
}

http::Route relay_of(const Manifest& manifest, const RouteSettings& settings, const std::string& method,
                     const Settings& platform) {
    http::Route route;
    route.method = *http::method_from(method);
    route.pattern = "/v1/apps/" + manifest.app.text + settings.path;
    route.name = operation_of(manifest, settings, method);
    route.summary = settings.summary;
    route.tenant = manifest.app;
    route.access = access_of(settings);
    route.limit = limit_of(settings.limit.value_or(manifest.limit));
    bool has_body = route.method != http::Method::get;
    route.body_bytes_max = has_body ? std::min(settings.body_bytes_max, platform.http.body_bytes_max) : 0;
    route.idempotency = idempotency_of(settings.idempotency, route.method);
    route.timeout = settings.timeout;
    route.log_bodies = settings.log_bodies;
    route.upstream_target = settings.target.empty() ? settings.path : settings.target;
    return route;
}

// A route that every app has and the platform answers.
http::Route own_route(const Manifest& manifest, std::string_view word, std::string_view operation,
                      http::Access::Who who, std::string_view summary) {
    http::Route route;
    route.method = http::Method::get;
    route.pattern = "/v1/apps/" + manifest.app.text + "/" + std::string(word);
    route.name = manifest.app.text + "." + std::string(operation);
    route.summary = summary;
    route.tenant = manifest.app;
    route.access = {.who = who};
    route.limit = limit_of(manifest.limit);
    return route;
}

http::Route me_of(const Manifest& manifest) {
    return own_route(manifest, "me", "me", http::Access::Who::signed_in, "Who the token says I am");
}

http::Route openapi_of(const Manifest& manifest) {
    return own_route(manifest, "openapi.json", "openapi", http::Access::Who::anyone,
                     "The routes of this application, as OpenAPI 3.1");
}

}  // namespace

std::string operation_of(const Manifest& manifest, const RouteSettings& route, std::string_view method) {
    std::string name = manifest.app.text + "." + (route.name.empty() ? words_of(route.path) : route.name);
    if (method == "GET") return name;
    name += '.';
    for (char c : method)
        name += static_cast<char>(c - 'A' + 'a');
    return name;
}

std::vector<http::Route> routes_of(const Manifest& manifest, const Settings& settings) {
    Upstreams upstreams;
    for (const auto& upstream : manifest.upstreams)
        upstreams[upstream.name] = upstream_of(manifest, upstream);
    std::vector<http::Route> routes{me_of(manifest), openapi_of(manifest)};
    for (const auto& route : manifest.routes) {
        for (const auto& method : route.methods) {
            routes.push_back(relay_of(manifest, route, method, settings));
            routes.back().upstream = upstreams.at(route.upstream);
        }
    }
    return routes;
}

}  // namespace integreat::config
