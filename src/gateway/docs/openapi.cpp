// SPDX-License-Identifier: Apache-2.0
#include "gateway/docs/openapi.h"

#include <algorithm>
#include <array>
#include <set>

#include <boost/json.hpp>

#include "gateway/routing/snapshot.h"
#include "http/message/problem_catalogue.h"

namespace integreat::gateway {

namespace {

namespace bj = boost::json;
using Who = http::Access::Who;

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words)
        text += (text.empty() ? "" : ", ") + word;
    return text;
}

bj::object reference(std::string_view to) {
    return {{"$ref", to}};
}

// What is documented of a segment of the pattern, else what can be said of any.
bj::object segment_of(const http::Route& route, std::string_view name, bool rest) {
    for (const auto& parameter : route.documented_parameters) {
        if (parameter.name == name && !parameter.header)
            return {{"name", name},
                    {"in", "path"},
                    {"required", true},
                    {"description", parameter.description},
                    {"schema", bj::parse(parameter.schema)}};
    }
    return {{"name", name},
            {"in", "path"},
            {"required", true},
            {"description", rest ? "All the rest of the path, slashes included." : "One segment."},
            {"schema", {{"type", "string"}}}};
}

bj::array parameters_of(const http::Route& route) {
    bj::array parameters;
    std::string_view pattern = route.pattern;
    std::set<std::string_view> segments;
    for (auto open = pattern.find('{'); open != std::string_view::npos; open = pattern.find('{', open + 1)) {
        auto name = pattern.substr(open + 1, pattern.find('}', open) - open - 1);
        bool rest = name.ends_with("...");
        if (rest) name.remove_suffix(3);
        segments.insert(name);
        parameters.push_back(segment_of(route, name, rest));
    }
    for (const auto& parameter : route.documented_parameters) {
        if (!parameter.header && segments.contains(parameter.name)) continue;
        parameters.push_back({{"name", parameter.name},
                              {"in", parameter.header ? "header" : "query"},
                              {"description", parameter.description},
                              {"schema", bj::parse(parameter.schema)}});
    }
    if (route.idempotency != http::Idempotency::off) {
        parameters.push_back(
            {{"name", "Idempotency-Key"},
             {"in", "header"},
             {"required", route.idempotency == http::Idempotency::required},
             {"description", "The same key repeats the first answer instead of the request."},
             {"schema", {{"type", "string"}, {"maxLength", 255}}},
             {"example", "8e03978e-40d5-43e8-bc93-6894a57f9324"}});
    }
    return parameters;
}

bj::array security_of(const http::Access& access) {
    bj::array security;
    if (access.who == Who::anyone) return security;
    security.emplace_back(bj::object{{"firebase", bj::array()}});
    if (!access.scope.empty() || access.keys_as_roles || access.who == Who::operators)
        security.emplace_back(bj::object{{"apiKey", bj::array()}});
    return security;
}

std::string description_of(const http::Route& route) {
    std::string text;
    switch (route.access.who) {
        case Who::anyone: text = "For everyone."; break;
        case Who::signed_in: text = "For any signed-in user of " + route.tenant.text + "."; break;
        case Who::roles:
            text = "For the roles " + joined(route.access.roles) + " of " + route.tenant.text + ".";
            break;
        case Who::operators: text = "For operators of the platform."; break;
    }
    if (route.access.scope == http::any_scope) text += " Any API key may call it.";
    if (!route.access.scope.empty() && route.access.scope != http::any_scope) {
        text += " An API key needs the scope " + route.access.scope + ".";
    }
    if (route.access.keys_as_roles) text += " An API key acts as the role of its scope role:NAME.";
    if (route.limit.requests > 0) {
        text += " At most " + std::to_string(route.limit.requests) + " requests per " +
                std::to_string(route.limit.window.count()) + " s, " + std::to_string(route.limit.burst) +
                " at once.";
    }
    return text;
}

bj::object content_of(const std::string& schema, const std::string& type) {
    if (schema.empty()) return {{"*/*", {{"schema", bj::object()}}}};
    bj::object content{{type, {{"schema", bj::parse(schema)}}}};
    // Who sends a kind of JSON may call it JSON.
    if (type.ends_with("+json")) content["application/json"] = content.at(type);
    return content;
}

bj::object example_of(const http::ProblemKind& kind) {
    return {{"type", "/problems/" + std::string(kind.slug)},
            {"title", kind.title},
            {"status", kind.status},
            {"detail", kind.remedy},
            {"request_id", "req_01JD9Z3V7K3M8Q2R5T6W8X9Y0A"}};
}

// The header fields of answers.
struct Field {
    std::string_view name, description, schema;
};
constexpr std::array known_fields{
    Field{"Integreat-Request-Id", "Of every answer. `integreat why ID` explains a refusal.",
          R"({"type": "string", "examples": ["req_01JD9Z3V7K3M8Q2R5T6W8X9Y0A"]})"},
    Field{"RateLimit", "What is left of the caller's limit, and until when.",
          R"({"type": "string", "examples": ["\"default\";r=99;t=6"]})"},
    Field{"RateLimit-Policy", "The limit.", R"({"type": "string", "examples": ["\"default\";q=600;w=60"]})"},
    Field{"Retry-After", "After how many seconds to try again.", R"({"type": "integer", "minimum": 1})"},
    Field{"WWW-Authenticate", "What proves who is asking.", R"({"type": "string"})"},
    Field{"Idempotent-Replayed", "`true`: this is the first answer to this Idempotency-Key, again.",
          R"({"type": "string", "enum": ["true"]})"},
    Field{"ETag", "The version of the record, for If-Match and If-None-Match.",
          R"({"type": "string", "examples": ["\"7\""]})"},
    Field{"Location", "Where the new record is.", R"({"type": "string", "format": "uri-reference"})"},
    Field{"Content-Disposition", "The name of the file.", R"({"type": "string"})"}};

void add_field(bj::object& fields, const std::string& name) {
    bool known = std::any_of(known_fields.begin(), known_fields.end(),
                             [&](const Field& field) { return field.name == name; });
    ASSERT(known);
    fields[name] = reference("#/components/headers/" + name);
}

bj::object fields_of(const http::Route& route) {
    bj::object fields;
    add_field(fields, "Integreat-Request-Id");
    if (route.limit.requests > 0) {
        add_field(fields, "RateLimit");
        add_field(fields, "RateLimit-Policy");
    }
    if (route.idempotency != http::Idempotency::off) add_field(fields, "Idempotent-Replayed");
    for (const auto& name : route.response_fields)
        add_field(fields, name);
    return fields;
}

std::string_view success_of(const http::Route& route) {
    if (route.upstream) return "What the application's server answers.";
    if (route.response_type == "text/event-stream") return "A stream that goes on until either side ends it.";
    return route.success_status == 201 ? "Made." : route.success_status == 204 ? "Done; no body." : "Done.";
}

bool is_conditional(const http::Route& route) {
    const auto& all = route.documented_parameters;
    return std::any_of(all.begin(), all.end(), [](const auto& one) { return one.name == "If-None-Match"; });
}

// What the stages before the handler may say of such a route, and what it says itself.
std::vector<std::string> problems_of(const http::Route& route) {
    auto problems = route.problems;
    auto has = [&](const char* slug) {
        return std::find(problems.begin(), problems.end(), slug) != problems.end();
    };
    auto add = [&](const char* slug) {
        if (!has(slug)) problems.emplace_back(slug);
    };
    // What else those statuses mean, where the handler gives them a meaning of its own.
    if (has("forbidden") && route.access.who == Who::roles) add("role-missing");
    if (has("limit-reached") && route.limit.requests > 0) add("rate-limited");
    if (route.body_bytes_max > 0) add("body-too-large");
    if (route.handler && !route.request_schema.empty()) add("unsupported-media-type");
    if (route.idempotency != http::Idempotency::off) {
        for (const auto* slug :
             {"idempotency-key-invalid", "idempotency-key-in-use", "idempotency-key-reused"})
            add(slug);
    }
    if (route.idempotency == http::Idempotency::required) add("idempotency-key-missing");
    return problems;
}

bj::object problem_fields(int status) {
    bj::object fields;
    add_field(fields, "Integreat-Request-Id");
    if (status == 401) add_field(fields, "WWW-Authenticate");
    if (status == 429 || status == 503) add_field(fields, "Retry-After");
    if (status == 429) {
        add_field(fields, "RateLimit");
        add_field(fields, "RateLimit-Policy");
    }
    return fields;
}

// One entry per status, with an example of each problem that has it.
void add_problems(bj::object& responses, const http::Route& route) {
    for (const auto& slug : problems_of(route)) {
        const auto* kind = http::find_problem(slug);
        ASSERT(kind);
        auto& entry = responses[std::to_string(kind->status)];
        if (entry.is_null() || entry.get_object().contains("$ref")) {
            entry = {
                {"description", kind->title},
                {"headers", problem_fields(kind->status)},
                {"content",
                 {{"application/problem+json",
                   {{"schema", reference("#/components/schemas/Problem")}, {"examples", bj::object()}}}}}};
        } else {
            auto& description = entry.get_object()["description"].get_string();
            description.append("; ").append(bj::string_view(kind->title.data(), kind->title.size()));
        }
        auto& content = entry.at("content").at("application/problem+json").get_object();
        content["examples"].get_object()[slug] = {{"value", example_of(*kind)}};
    }
}

bj::object responses_of(const http::Route& route) {
    bj::object success{{"description", success_of(route)}, {"headers", fields_of(route)}};
    if (!route.response_schema.empty())
        success["content"] = content_of(route.response_schema, route.response_type);
    bj::object responses{{std::to_string(route.success_status), std::move(success)}};
    if (is_conditional(route)) {
        responses["304"] = {{"description", "It is still what If-None-Match names; no body."},
                            {"headers", fields_of(route)}};
    }
    if (route.access.who != Who::anyone) {
        responses["401"] = reference("#/components/responses/Unauthenticated");
        responses["403"] = reference("#/components/responses/Forbidden");
    }
    if (route.limit.requests > 0) responses["429"] = reference("#/components/responses/RateLimited");
    add_problems(responses, route);
    responses["4XX"] = reference("#/components/responses/Problem");
    responses["5XX"] = reference("#/components/responses/Problem");
    return responses;
}

bj::object operation_of(const http::Route& route) {
    bj::object operation{{"operationId", route.name},
                         {"summary", route.summary.empty() ? route.name : route.summary},
                         {"description", description_of(route)},
                         {"tags", {route.tenant.text}},
                         {"security", security_of(route.access)},
                         {"responses", responses_of(route)}};
    if (auto parameters = parameters_of(route); !parameters.empty())
        operation["parameters"] = std::move(parameters);
    if (route.body_bytes_max > 0) {
        operation["requestBody"] = {
            {"required", !route.request_schema.empty() && !route.body_optional},
            {"description", "At most " + std::to_string(route.body_bytes_max) + " bytes."},
            {"content", content_of(route.request_schema, route.request_type)}};
    }
    return operation;
}

bj::object problem_response(std::string_view description, std::string_view slug) {
    const auto* kind = http::find_problem(slug);
    return {{"description", description},
            {"headers", problem_fields(kind->status)},
            {"content",
             {{"application/problem+json",
               {{"schema", reference("#/components/schemas/Problem")}, {"example", example_of(*kind)}}}}}};
}

bj::object components() {
    bj::object problem = bj::parse(R"({
      "type": "object", "required": ["type", "title", "status", "detail", "request_id"],
      "description": "RFC 9457. `type` is stable; look it up under /problems.",
      "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "request_id": {"type": "string", "description": "For `integreat why`."},
        "errors": {"type": "array", "items": {"type": "object", "required": ["pointer", "detail"],
          "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}}}}}})")
                             .as_object();
    bj::object schemes = bj::parse(R"({
      "firebase": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                   "description": "The Firebase ID token of a signed-in user: await user.getIdToken()."},
      "apiKey": {"type": "http", "scheme": "bearer", "bearerFormat": "API key",
                 "description": "A key for servers: integreat key create."}})")
                             .as_object();
    bj::object fields;
    for (const auto& field : known_fields)
        fields[field.name] = {{"description", field.description}, {"schema", bj::parse(field.schema)}};
    return {{"securitySchemes", std::move(schemes)},
            {"headers", std::move(fields)},
            {"schemas", {{"Problem", std::move(problem)}}},
            {"responses",
             {{"Unauthenticated", problem_response("We do not know who is asking.", "token-missing")},
              {"Forbidden", problem_response("We know who is asking, and they may not.", "role-missing")},
              {"RateLimited", problem_response("Too many requests.", "rate-limited")},
              {"Problem", problem_response("Refused; `type` says why.", "invalid-request")}}}};
}

std::string lower(std::string_view text) {
    std::string result;
    for (char c : text)
        result += static_cast<char>(c | 0x20);
    return result;
}

// The schemas of all routes' components, each once.
void add_components(bj::object& all, const http::Route& route, std::set<const http::Components*>& seen) {
    if (!route.components || !seen.insert(route.components.get()).second) return;
    auto& schemas = all["schemas"].get_object();
    for (const auto& [name, schema] : *route.components)
        schemas[name] = bj::parse(schema);
}

}  // namespace

std::string openapi_path(const std::string& pattern) {
    auto dots = pattern.find("...}");
    return dots == std::string::npos ? pattern : pattern.substr(0, dots) + "}";
}

std::string openapi_json(const std::vector<http::Route>& routes, const TenantId* app) {
    bj::object paths, parts = components();
    bj::array tags;
    std::set<const http::Components*> seen;
    std::string last_tag;
    for (const auto& route : routes) {
        if (app && route.tenant != *app) continue;
        add_components(parts, route, seen);
        auto& path = paths[openapi_path(route.pattern)];
        if (path.is_null()) path = bj::object();
        path.as_object()[lower(to_string(route.method))] = operation_of(route);
        if (route.tenant.text != last_tag)
            tags.emplace_back(bj::object{{"name", last_tag = route.tenant.text}});
    }
    bj::object document{{"openapi", "3.1.0"},
                        {"info",
                         {{"title", app ? app->text : "Integreat"},
                          {"version", "1"},
                          {"description", std::string(app ? "Every route of this application."
                                                          : "Every route of this platform.") +
                                              " Errors are application/problem+json; every answer has "
                                              "an Integreat-Request-Id, which `integreat why` explains."},
                          {"license", {{"name", "Apache-2.0"}, {"identifier", "Apache-2.0"}}}}},
                        {"servers", bj::array{{{"url", "/"}}}},
                        {"tags", std::move(tags)},
                        {"paths", std::move(paths)},
                        {"components", std::move(parts)}};
    return bj::serialize(document);
}

void complete_openapi(http::Route& route) {
    route.waits = true;  // Large tables take milliseconds to write.
    route.handler = [](const http::Request&, http::Call& call) -> http::Response {
        return http::Reply{.headers = {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}},
                           .body = openapi_json(call.snapshot->router.routes(), &call.tenant)};
    };
}

}  // namespace integreat::gateway
