// SPDX-License-Identifier: Apache-2.0
#include "gateway/docs/openapi.h"

#include <algorithm>
#include <array>
#include <set>

#include <boost/json.hpp>

#include "base/text/ascii.h"
#include "http/message/problem_catalogue.h"

namespace integreat::gateway {

namespace {

namespace bj = boost::json;
using Audience = http::Access::Audience;
using http::ProblemType;

bj::object reference(std::string_view to) {
    return {{"$ref", to}};
}

// Describes a segment of the pattern by its documentation, if there is one.
bj::object make_segment(const http::Route& route, std::string_view name, bool rest) {
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
            {"description", rest ? "The rest of the path, including slashes." : "One segment."},
            {"schema", {{"type", "string"}}}};
}

bj::array make_parameters(const http::Route& route) {
    bj::array parameters;
    std::string_view pattern = route.pattern;
    std::set<std::string_view> segments;
    for (auto open = pattern.find('{'); open != std::string_view::npos; open = pattern.find('{', open + 1)) {
        auto name = pattern.substr(open + 1, pattern.find('}', open) - open - 1);
        bool rest = name.ends_with("...");
        if (rest) name.remove_suffix(3);
        segments.insert(name);
        parameters.push_back(make_segment(route, name, rest));
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
             {"description",
              "A repeated key returns the first response instead of executing the request again."},
             {"schema", {{"type", "string"}, {"maxLength", 255}}},
             {"example", "8e03978e-40d5-43e8-bc93-6894a57f9324"}});
    }
    return parameters;
}

bj::array make_security(const http::Access& access) {
    bj::array security;
    if (access.audience == Audience::anyone) return security;
    security.emplace_back(bj::object{{"firebase", bj::array()}});
    if (!access.scope.empty() || access.keys_as_roles || access.audience == Audience::operators)
        security.emplace_back(bj::object{{"apiKey", bj::array()}});
    return security;
}

std::string describe_route(const http::Route& route) {
    std::string text;
    switch (route.access.audience) {
        case Audience::anyone: text = "For everyone."; break;
        case Audience::signed_in: text = "For any signed-in user of " + route.tenant.text + "."; break;
        case Audience::roles:
            text = "For the roles " + join(route.access.roles, ", ") + " of " + route.tenant.text + ".";
            break;
        case Audience::operators: text = "For operators of the platform."; break;
    }
    if (route.access.scope == http::any_scope) text += " Any API key may call it.";
    if (!route.access.scope.empty() && route.access.scope != http::any_scope) {
        text += " An API key needs the scope " + route.access.scope + ".";
    }
    if (route.access.keys_as_roles) text += " An API key acts as the role of its scope role:NAME.";
    if (route.limit.requests > 0) {
        text += " At most " + std::to_string(route.limit.requests) + " requests per " +
                std::to_string(route.limit.window.count()) + " s, in bursts of at most " +
                std::to_string(route.limit.burst) + ".";
    }
    return text;
}

bj::object make_content(const std::string& schema, const std::string& type) {
    if (schema.empty()) return {{"*/*", {{"schema", bj::object()}}}};
    bj::object content{{type, {{"schema", bj::parse(schema)}}}};
    // A client may send a +json type as plain JSON.
    if (type.ends_with("+json")) content["application/json"] = content.at(type);
    return content;
}

bj::object make_problem_example(const http::ProblemDefinition& problem) {
    return {{"type", http::problem_url(problem.type)},
            {"title", problem.title},
            {"status", problem.status},
            {"detail", problem.remedy},
            {"request_id", "req_01JD9Z3V7K3M8Q2R5T6W8X9Y0A"}};
}

// Response headers.
struct HeaderField {
    std::string_view name, description, schema;
};
constexpr std::array known_headers{
    HeaderField{"Integreat-Request-Id",
                "ID of the request, in every response. `integreat why ID` explains an error.",
                R"({"type": "string", "examples": ["req_01JD9Z3V7K3M8Q2R5T6W8X9Y0A"]})"},
    HeaderField{"RateLimit", "Remaining requests of the caller, and the seconds until there is one more.",
                R"({"type": "string", "examples": ["\"default\";r=99;t=6"]})"},
    HeaderField{"RateLimit-Policy", "The rate limit.",
                R"({"type": "string", "examples": ["\"default\";q=600;w=60"]})"},
    HeaderField{"Retry-After", "Seconds to wait before a retry.", R"({"type": "integer", "minimum": 1})"},
    HeaderField{"WWW-Authenticate", "The required authentication scheme.", R"({"type": "string"})"},
    HeaderField{"Idempotent-Replayed", "`true`: a repetition of the first response to this Idempotency-Key.",
                R"({"type": "string", "enum": ["true"]})"},
    HeaderField{"ETag", "The version of the record, for If-Match and If-None-Match.",
                R"({"type": "string", "examples": ["\"7\""]})"},
    HeaderField{"Location", "URL of the new record.", R"({"type": "string", "format": "uri-reference"})"},
    HeaderField{"Content-Disposition", "File name.", R"({"type": "string"})"}};

void add_header(bj::object& headers, const std::string& name) {
    bool known = std::any_of(known_headers.begin(), known_headers.end(),
                             [&](const HeaderField& field) { return field.name == name; });
    ASSERT(known);
    headers[name] = reference("#/components/headers/" + name);
}

bj::object make_headers(const http::Route& route) {
    bj::object headers;
    add_header(headers, "Integreat-Request-Id");
    if (route.limit.requests > 0) {
        add_header(headers, "RateLimit");
        add_header(headers, "RateLimit-Policy");
    }
    if (route.idempotency != http::Idempotency::off) add_header(headers, "Idempotent-Replayed");
    for (const auto& name : route.response_fields)
        add_header(headers, name);
    return headers;
}

std::string_view describe_success(const http::Route& route) {
    if (route.upstream) return "The response of the application's own server.";
    if (route.response_type == "text/event-stream") return "An endless stream of events.";
    return route.success_status == 201   ? "Created."
           : route.success_status == 204 ? "Success, without a body."
                                         : "Success.";
}

bool is_conditional(const http::Route& route) {
    const auto& all = route.documented_parameters;
    return std::any_of(all.begin(), all.end(), [](const auto& one) { return one.name == "If-None-Match"; });
}

// Lists the problems of the route's handler and of the stages before it.
std::vector<ProblemType> list_problems(const http::Route& route) {
    auto problems = route.problems;
    auto has = [&](ProblemType type) {
        return std::find(problems.begin(), problems.end(), type) != problems.end();
    };
    auto add = [&](ProblemType type) {
        if (!has(type)) problems.push_back(type);
    };
    // The general meaning of a status, where the handler gives it a specific one.
    if (has(ProblemType::forbidden) && route.access.audience == Audience::roles)
        add(ProblemType::role_missing);
    if (has(ProblemType::limit_reached) && route.limit.requests > 0) add(ProblemType::rate_limited);
    if (route.max_body_bytes > 0) add(ProblemType::body_too_large);
    if (route.handler && !route.request_schema.empty()) add(ProblemType::unsupported_media_type);
    if (route.idempotency != http::Idempotency::off) {
        add(ProblemType::idempotency_key_invalid);
        add(ProblemType::idempotency_key_in_use);
        add(ProblemType::idempotency_key_reused);
    }
    if (route.idempotency == http::Idempotency::required) add(ProblemType::idempotency_key_missing);
    return problems;
}

bj::object make_problem_headers(int status) {
    bj::object headers;
    add_header(headers, "Integreat-Request-Id");
    if (status == 401) add_header(headers, "WWW-Authenticate");
    if (status == 429 || status == 503) add_header(headers, "Retry-After");
    if (status == 429) {
        add_header(headers, "RateLimit");
        add_header(headers, "RateLimit-Policy");
    }
    return headers;
}

// Adds one entry per status, with an example of each problem that has it.
void add_problems(bj::object& responses, const http::Route& route) {
    for (auto type : list_problems(route)) {
        const auto& problem = http::problem_definition(type);
        auto& entry = responses[std::to_string(problem.status)];
        if (entry.is_null() || entry.get_object().contains("$ref")) {
            entry = {
                {"description", problem.title},
                {"headers", make_problem_headers(problem.status)},
                {"content",
                 {{"application/problem+json",
                   {{"schema", reference("#/components/schemas/Problem")}, {"examples", bj::object()}}}}}};
        } else {
            auto& description = entry.get_object()["description"].get_string();
            description.append("; ").append(bj::string_view(problem.title.data(), problem.title.size()));
        }
        auto& content = entry.at("content").at("application/problem+json").get_object();
        content["examples"].get_object()[problem.slug] = {{"value", make_problem_example(problem)}};
    }
}

bj::object make_responses(const http::Route& route) {
    bj::object success{{"description", describe_success(route)}, {"headers", make_headers(route)}};
    if (!route.response_schema.empty())
        success["content"] = make_content(route.response_schema, route.response_type);
    bj::object responses{{std::to_string(route.success_status), std::move(success)}};
    if (is_conditional(route)) {
        responses["304"] = {{"description", "The record still has the version in If-None-Match; no body."},
                            {"headers", make_headers(route)}};
    }
    if (route.access.audience != Audience::anyone) {
        responses["401"] = reference("#/components/responses/Unauthenticated");
        responses["403"] = reference("#/components/responses/Forbidden");
    }
    if (route.limit.requests > 0) responses["429"] = reference("#/components/responses/RateLimited");
    add_problems(responses, route);
    responses["4XX"] = reference("#/components/responses/Problem");
    responses["5XX"] = reference("#/components/responses/Problem");
    return responses;
}

bj::object make_operation(const http::Route& route) {
    bj::object operation{{"operationId", route.name},
                         {"summary", route.summary.empty() ? route.name : route.summary},
                         {"description", describe_route(route)},
                         {"tags", {route.tenant.text}},
                         {"security", make_security(route.access)},
                         {"responses", make_responses(route)}};
    if (auto parameters = make_parameters(route); !parameters.empty())
        operation["parameters"] = std::move(parameters);
    if (route.max_body_bytes > 0) {
        operation["requestBody"] = {
            {"required", !route.request_schema.empty() && !route.body_optional},
            {"description", "At most " + std::to_string(route.max_body_bytes) + " bytes."},
            {"content", make_content(route.request_schema, route.request_type)}};
    }
    return operation;
}

bj::object problem_response(std::string_view description, ProblemType type) {
    const auto& problem = http::problem_definition(type);
    return {{"description", description},
            {"headers", make_problem_headers(problem.status)},
            {"content",
             {{"application/problem+json",
               {{"schema", reference("#/components/schemas/Problem")},
                {"example", make_problem_example(problem)}}}}}};
}

bj::object components() {
    bj::object problem = bj::parse(R"({
      "type": "object", "required": ["type", "title", "status", "detail", "request_id"],
      "description": "RFC 9457. `type` is stable; its last segment is a name under /problems.",
      "properties": {
        "type": {"type": "string", "format": "uri"},
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
    bj::object headers;
    for (const auto& field : known_headers)
        headers[field.name] = {{"description", field.description}, {"schema", bj::parse(field.schema)}};
    return {{"securitySchemes", std::move(schemes)},
            {"headers", std::move(headers)},
            {"schemas", {{"Problem", std::move(problem)}}},
            {"responses",
             {{"Unauthenticated", problem_response("Authentication required.", ProblemType::token_missing)},
              {"Forbidden", problem_response("Permission denied.", ProblemType::role_missing)},
              {"RateLimited", problem_response("Too many requests.", ProblemType::rate_limited)},
              {"Problem", problem_response("An error; `type` names it.", ProblemType::invalid_request)}}}};
}

// Adds the schemas of the route's components, unless they were added before.
void add_components(bj::object& all, const http::Route& route, std::set<const http::Components*>& added) {
    if (!route.components || !added.insert(route.components.get()).second) return;
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
    std::set<const http::Components*> added;
    std::string last_tag;
    for (const auto& route : routes) {
        if (app && route.tenant != *app) continue;
        add_components(parts, route, added);
        auto& path = paths[openapi_path(route.pattern)];
        if (path.is_null()) path = bj::object();
        path.as_object()[to_lower(to_string(route.method))] = make_operation(route);
        if (route.tenant.text != last_tag)
            tags.emplace_back(bj::object{{"name", last_tag = route.tenant.text}});
    }
    bj::object document{{"openapi", "3.1.0"},
                        {"info",
                         {{"title", app ? app->text : "Integreat"},
                          {"version", "1"},
                          {"description", std::string(app ? "Every route of this application."
                                                          : "Every route of this platform.") +
                                              " Errors are application/problem+json; every response has "
                                              "an Integreat-Request-Id for `integreat why`."},
                          {"license", {{"name", "Apache-2.0"}, {"identifier", "Apache-2.0"}}}}},
                        {"servers", bj::array{{{"url", "/"}}}},
                        {"tags", std::move(tags)},
                        {"paths", std::move(paths)},
                        {"components", std::move(parts)}};
    return bj::serialize(document);
}

}  // namespace integreat::gateway
