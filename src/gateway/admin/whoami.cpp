// SPDX-License-Identifier: Apache-2.0
#include "gateway/admin/whoami.h"

#include "json/value/writer.h"

namespace integreat::gateway {

namespace {

constexpr std::string_view me_schema = R"({
  "type": "object",
  "required": ["kind", "tenant", "uid"],
  "properties": {
    "kind": {"type": "string", "enum": ["user", "key"]},
    "tenant": {"type": "string", "examples": ["campus"]},
    "uid": {"type": "string", "description": "The Firebase uid, or the id of the API key."},
    "role": {"type": ["string", "null"], "examples": ["registrar"]},
    "email": {"type": ["string", "null"], "format": "email"},
    "email_verified": {"type": "boolean"},
    "name": {"type": ["string", "null"]},
    "provider": {"type": ["string", "null"], "examples": ["password", "google.com"]},
    "scopes": {"type": "array", "items": {"type": "string"}},
    "expires": {"type": ["string", "null"], "format": "date-time"}
  }
})";

void append_member(std::string& to, std::string_view name, std::string_view value) {
    to += ",\"";
    to += name;
    to += "\":";
    if (value.empty()) {
        to += "null";
    } else {
        json::append_json(to, value);
    }
}

http::Response answer_me(const http::Request&, http::Call& call) {
    http::Reply reply{.headers = {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}}};
    ASSERT(call.principal);
    reply.body = me_json(*call.principal) + "\n";
    return reply;
}

}  // namespace

std::string me_json(const Principal& principal) {
    bool key = principal.kind == PrincipalKind::key;
    std::string json;
    json.reserve(320);
    json += key ? R"({"kind":"key")" : R"({"kind":"user")";
    append_member(json, "tenant", principal.tenant.text);
    append_member(json, "uid", principal.subject);
    append_member(json, "role", principal.role);
    append_member(json, "email", principal.email);
    json += principal.email_verified ? ",\"email_verified\":true" : ",\"email_verified\":false";
    append_member(json, "name", principal.name);
    append_member(json, "provider", principal.sign_in_provider);
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

void complete_me(http::Route& route) {
    route.handler = answer_me;
    route.waits = false;
    route.response_schema = me_schema;
    if (route.summary.empty()) route.summary = "Who the token or API key says I am";
    if (route.access.scope.empty()) route.access.scope = http::any_scope;
}

}  // namespace integreat::gateway
