// SPDX-License-Identifier: Apache-2.0
#include "gateway/routing/cors.h"

#include <algorithm>

#include "base/text/ascii.h"

namespace integreat::gateway {

namespace {

constexpr std::string_view exposed_headers =
    "ETag, Location, Retry-After, RateLimit, RateLimit-Policy, Idempotent-Replayed, Integreat-Request-Id";

bool is_port(std::string_view text) {
    return !text.empty() && text.size() <= 5 && std::all_of(text.begin(), text.end(), is_digit);
}

}  // namespace

CompiledCors compile_cors(const config::CorsSettings& settings) {
    CompiledCors cors{.max_age = std::to_string(settings.max_age.count()),
                      .credentials = settings.credentials};
    for (const auto& origin : settings.origins) {
        if (origin.ends_with(":*")) {
            cors.any_port_prefixes.push_back(origin.substr(0, origin.size() - 1));
        } else {
            cors.origins.push_back(origin);
        }
    }
    for (const auto& header : settings.headers)
        cors.headers += (cors.headers.empty() ? "" : ", ") + header;
    return cors;
}

bool allows_origin(const CompiledCors& cors, std::string_view origin) {
    if (std::find(cors.origins.begin(), cors.origins.end(), origin) != cors.origins.end()) return true;
    auto matches = [&](const std::string& prefix) {
        return origin.starts_with(prefix) && is_port(origin.substr(prefix.size()));
    };
    return std::any_of(cors.any_port_prefixes.begin(), cors.any_port_prefixes.end(), matches);
}

void add_cors_headers(const CompiledCors& cors, std::string_view origin, http::Headers& to) {
    to.add("Vary", "Origin");  // Also without an origin: a cache must not reuse the response for another one.
    if (origin.empty() || !allows_origin(cors, origin)) return;
    to.add("Access-Control-Allow-Origin", origin);
    if (cors.credentials) to.add("Access-Control-Allow-Credentials", "true");
    to.add("Access-Control-Expose-Headers", exposed_headers);
}

http::FullResponse preflight_response(const CompiledCors& cors, std::string_view methods) {
    http::FullResponse response{.status = 204};
    response.headers.add("Access-Control-Allow-Methods", methods);
    if (!cors.headers.empty()) response.headers.add("Access-Control-Allow-Headers", cors.headers);
    response.headers.add("Access-Control-Max-Age", cors.max_age);
    response.headers.add("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers");
    return response;
}

}  // namespace integreat::gateway
