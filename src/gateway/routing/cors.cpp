// SPDX-License-Identifier: Apache-2.0
#include "gateway/routing/cors.h"

#include <algorithm>

namespace integreat::gateway {

namespace {

constexpr std::string_view exposed =
    "ETag, Location, Retry-After, RateLimit, RateLimit-Policy, Idempotent-Replayed, Integreat-Request-Id";

bool is_port(std::string_view text) {
    auto digit = [](char c) { return c >= '0' && c <= '9'; };
    return !text.empty() && text.size() <= 5 && std::all_of(text.begin(), text.end(), digit);
}

}  // namespace

CorsPlan compile_cors(const config::CorsSettings& settings) {
    CorsPlan plan{.max_age = std::to_string(settings.max_age.count()), .credentials = settings.credentials};
    for (const auto& origin : settings.origins) {
        if (origin.ends_with(":*")) {
            plan.any_port.push_back(origin.substr(0, origin.size() - 1));
        } else {
            plan.origins.push_back(origin);
        }
    }
    for (const auto& header : settings.headers)
        plan.headers += (plan.headers.empty() ? "" : ", ") + header;
    return plan;
}

bool allows_origin(const CorsPlan& plan, std::string_view origin) {
    if (std::find(plan.origins.begin(), plan.origins.end(), origin) != plan.origins.end()) return true;
    auto matches = [&](const std::string& start) {
        return origin.starts_with(start) && is_port(origin.substr(start.size()));
    };
    return std::any_of(plan.any_port.begin(), plan.any_port.end(), matches);
}

void add_cors_fields(const CorsPlan& plan, std::string_view origin, http::Headers& to) {
    to.add("Vary", "Origin");  // Also without one: a cache must not give this answer to another origin.
    if (origin.empty() || !allows_origin(plan, origin)) return;
    to.add("Access-Control-Allow-Origin", origin);
    if (plan.credentials) to.add("Access-Control-Allow-Credentials", "true");
    to.add("Access-Control-Expose-Headers", exposed);
}

http::Reply preflight_reply(const CorsPlan& plan, std::string_view methods) {
    http::Reply reply{.status = 204};
    reply.headers.add("Access-Control-Allow-Methods", methods);
    if (!plan.headers.empty()) reply.headers.add("Access-Control-Allow-Headers", plan.headers);
    reply.headers.add("Access-Control-Max-Age", plan.max_age);
    reply.headers.add("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers");
    return reply;
}

}  // namespace integreat::gateway
