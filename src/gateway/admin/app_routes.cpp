// SPDX-License-Identifier: Apache-2.0
#include "gateway/admin/app_routes.h"

#include "config/manifest/routes.h"
#include "gateway/admin/responses.h"
#include "gateway/docs/openapi.h"
#include "gateway/docs/shared_document.h"
#include "gateway/routing/snapshot.h"
#include "json/value/writer.h"

namespace integreat::gateway {

namespace {

constexpr std::string_view whoami_schema = R"({
  "type": "object",
  "required": ["kind", "tenant", "uid"],
  "properties": {
    "kind": {"type": "string", "enum": ["user", "key"]},
    "tenant": {"type": "string", "examples": ["campus"]},
    "uid": {"type": "string", "description": "Firebase uid, or ID of the API key."},
    "role": {"type": ["string", "null"], "examples": ["registrar"]},
    "email": {"type": ["string", "null"], "format": "email"},
    "email_verified": {"type": "boolean"},
    "name": {"type": ["string", "null"]},
    "provider": {"type": ["string", "null"], "examples": ["password", "google.com"]},
    "scopes": {"type": "array", "items": {"type": "string"}},
    "expires": {"type": ["string", "null"], "format": "date-time"}
  }
})";

void append_member_or_null(std::string& to, std::string_view name, std::string_view value) {
    to += ",\"";
    to += name;
    to += "\":";
    if (value.empty()) {
        to += "null";
    } else {
        json::append_json(to, value);
    }
}

http::Response handle_whoami(const http::Request&, http::RequestContext& context) {
    ASSERT(context.principal);
    return json_response(200, whoami_json(*context.principal) + "\n");
}

http::Response handle_openapi(DocumentCache& cache, const http::Request& request,
                              const http::RequestContext& context) {
    const auto& snapshot = current_snapshot(context);
    auto document = cache.find(snapshot.generation);
    // A large route table takes milliseconds to render.
    if (!document && !context.may_block) return http::NeedsBlockingThread{};
    if (!document) {
        document = cache.render(snapshot.generation,
                                [&] { return openapi_json(snapshot.router.routes(), &context.tenant); });
    }
    return make_document_response(*document, request, {{"Content-Type", "application/json"}});
}

// Any key of the tenant may call it.
void complete_whoami(http::Route& route) {
    route.handler = handle_whoami;
    route.response_schema = whoami_schema;
    if (route.summary.empty()) route.summary = "Identity of the caller, from the token or API key";
    if (route.access.scope.empty()) route.access.scope = http::any_scope;
}

void complete_openapi(http::Route& route) {
    route.handler = [cache = std::make_shared<DocumentCache>()](const http::Request& request,
                                                                http::RequestContext& context) {
        return handle_openapi(*cache, request, context);
    };
}

}  // namespace

std::string whoami_json(const Principal& principal) {
    bool key = principal.kind == PrincipalKind::key;
    std::string json;
    json.reserve(320);
    json += key ? R"({"kind":"key")" : R"({"kind":"user")";
    append_member_or_null(json, "tenant", principal.tenant.text);
    append_member_or_null(json, "uid", principal.subject);
    append_member_or_null(json, "role", principal.role);
    append_member_or_null(json, "email", principal.email);
    json += principal.email_verified ? ",\"email_verified\":true" : ",\"email_verified\":false";
    append_member_or_null(json, "name", principal.name);
    append_member_or_null(json, "provider", principal.sign_in_provider);
    if (key) {
        json += ",\"scopes\":[";
        for (const auto& scope : principal.scopes) {
            if (json.back() != '[') json += ',';
            json::append_json(json, scope);
        }
        json += ']';
    }
    bool expires = principal.expires != Time() && principal.expires != Time::max();
    if (!expires) return json += ",\"expires\":null}";
    json += ",\"expires\":\"";
    json::append_time(json, principal.expires);
    return json += "\"}";
}

std::vector<http::Route> app_routes(const config::Manifest& manifest, const config::Settings& settings) {
    auto routes = config::make_routes(manifest, settings);
    for (auto& route : routes) {
        if (route.handler || route.upstream) continue;
        if (route.name == manifest.app.text + ".me") complete_whoami(route);
        if (route.name == manifest.app.text + ".openapi") complete_openapi(route);
    }
    return routes;
}

}  // namespace integreat::gateway
