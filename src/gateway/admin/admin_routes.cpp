// SPDX-License-Identifier: Apache-2.0
#include "gateway/admin/admin_routes.h"

#include <algorithm>
#include <charconv>

#include <boost/json.hpp>

#include "gateway/admin/responses.h"
#include "gateway/routing/authorize.h"
#include "gateway/routing/snapshot.h"
#include "http/message/problem.h"
#include "identity/api_keys/api_key_repository.h"
#include "identity/api_keys/api_keys.h"
#include "json/binding/reader.h"
#include "json/value/parse.h"

namespace integreat::gateway {

namespace {

namespace bj = boost::json;
using http::FullResponse;
using http::ProblemType;
using http::Request;
using http::RequestContext;
using http::Response;

constexpr std::string_view new_key_schema = R"({
  "type": "object", "additionalProperties": false, "required": ["name"],
  "properties": {
    "name": {"type": "string", "minLength": 1, "maxLength": 100, "description": "Display name."},
    "scopes": {"type": "array", "maxItems": 20, "items": {"type": "string", "minLength": 1, "maxLength": 64}},
    "expires": {"type": ["string", "null"], "format": "date-time"}
  }
})";

constexpr std::size_t name_characters_max = 100;
constexpr std::size_t scope_bytes_max = 64;

std::optional<std::string> check_name(std::string_view name) {
    auto continues = [](char byte) { return (byte & 0xC0) == 0x80; };  // UTF-8
    auto characters =
        name.size() - static_cast<std::size_t>(std::count_if(name.begin(), name.end(), continues));
    if (characters <= name_characters_max) return std::nullopt;
    return "must have at most " + std::to_string(name_characters_max) + " characters";
}

// The body of POST /v1/admin/tenants/{tenant}/keys, as new_key_schema describes it.
struct NewKeyBody {
    std::string name;
    std::vector<std::string> scopes;
    std::string expires;  // RFC 3339; empty: never.
};

template <class Visitor>
void fields(Visitor& visit, NewKeyBody& body) {
    visit("name", body.name, "Display name.",
          {.required = true, .max_length = 4 * name_characters_max, .check = check_name});
    visit("scopes", body.scopes, "Permissions of the key.", {.max_length = scope_bytes_max, .max_items = 20});
    visit("expires", body.expires, "Time of expiry.");
}

FullResponse to_response(RequestContext& context, const Error& error) {
    context.cause = error.cause;
    return http::to_response(http::problem_from(error), context);
}

FullResponse reject_unknown_app(const RequestContext& context) {
    return reject_not_found(context, "There is no application of this name.");
}

FullResponse reject_body(RequestContext& context, const http::Problem& problem, std::string rule) {
    context.decision = {
        .stage = "validate", .type = std::string(problem.slug()), .rule = std::move(rule), .facts = {}};
    if (!problem.errors.empty()) {
        const auto& first = problem.errors.front();
        context.decision.facts.emplace_back("first", first.pointer + " " + first.detail);
    }
    return http::to_response(problem, context);
}

bj::value time_or_null(const std::optional<Time>& time) {
    return time ? bj::value(format_rfc3339(*time)) : bj::value(nullptr);
}

bj::object to_json(const identity::ApiKeyRow& row) {
    return {{"id", row.id},
            {"tenant", row.tenant.text},
            {"name", row.name},
            {"prefix", row.prefix},
            {"scopes", bj::array(row.scopes.begin(), row.scopes.end())},
            {"created", format_rfc3339(row.created)},
            {"created_by", row.created_by},
            {"expires", time_or_null(row.expires)},
            {"revoked", time_or_null(row.revoked)},
            {"last_used", time_or_null(row.last_used)}};
}

// Returns the tenant in the path, if it is an existing app or the platform.
std::optional<TenantId> find_tenant(const RequestContext& context) {
    TenantId tenant{std::string(context.parameter("tenant"))};
    const auto& tenants = current_snapshot(context).tenants;
    bool known =
        std::any_of(tenants.begin(), tenants.end(), [&](const auto& one) { return one.tenant == tenant; });
    return known ? std::optional(tenant) : std::nullopt;
}

// Returns the body, or the response that rejects it.
std::variant<NewKeyBody, FullResponse> read_new_key(const Request& request, RequestContext& context) {
    auto value = json::parse(request.body, {.max_bytes = context.route->max_body_bytes});
    if (!value) {
        return reject_body(context, http::problem(ProblemType::malformed_json, value.error().message),
                           "the body must be JSON");
    }
    // A null time and an empty list mean the same as an absent member.
    if (auto* object = value->if_object()) {
        if (const auto* expires = object->if_contains("expires"); expires && expires->is_null())
            object->erase("expires");
        if (const auto* scopes = object->if_contains("scopes");
            scopes && scopes->is_array() && scopes->get_array().empty())
            object->erase("scopes");
    }
    NewKeyBody body;
    std::vector<http::FieldError> errors;
    for (auto& error : json::read(*value, body))
        errors.push_back({"#" + error.pointer, std::move(error.message)});
    if (errors.empty()) return body;
    return reject_body(context,
                       http::problem(ProblemType::invalid_request,
                                     "The body is invalid; `errors` lists each location.", std::move(errors)),
                       "the body must match the schema of route " + context.route->name);
}

Response create_key(const AdminRoutes& parts, const Request& request, RequestContext& context) {
    auto read = read_new_key(request, context);
    if (auto* response = std::get_if<FullResponse>(&read)) return std::move(*response);
    auto& body = std::get<NewKeyBody>(read);
    auto tenant = find_tenant(context);
    if (!tenant) return reject_unknown_app(context);
    identity::NewApiKey key{.tenant = *tenant,
                            .name = std::move(body.name),
                            .scopes = std::move(body.scopes),
                            .expires = std::nullopt,
                            .created_by = describe_caller(context.principal.get())};
    if (!body.expires.empty()) {
        auto time = parse_rfc3339(body.expires);
        if (!time) return to_response(context, {Fault::invalid, "expires is " + time.error().message, ""});
        key.expires = *time;
    }
    auto* transaction = context.attachments.find<postgres::Transaction>();
    ASSERT(transaction);  // The route is transactional.
    auto issued = identity::create_api_key(*transaction, key, parts.clock, parts.random);
    if (!issued) return to_response(context, issued.error());
    auto object = to_json(issued->row);
    object["key"] = nullptr;
    context.replay_body = bj::serialize(object);  // The key itself is returned once and never stored.
    object["key"] = issued->key.reveal();
    return json_response(201, bj::serialize(object));
}

Response list_keys(const AdminRoutes& parts, RequestContext& context) {
    auto tenant = find_tenant(context);
    if (!tenant) return reject_unknown_app(context);
    auto rows = identity::list_api_keys(parts.platform, *tenant, context.deadline);
    if (!rows) return to_response(context, rows.error());
    bj::array keys;
    for (const auto& row : *rows)
        keys.push_back(to_json(row));
    return json_response(200, bj::serialize(bj::object{{"keys", std::move(keys)}}));
}

Response revoke_key(const AdminRoutes& parts, RequestContext& context) {
    auto tenant = find_tenant(context);
    if (!tenant) return reject_unknown_app(context);
    std::string id(context.parameter("id"));
    auto row = identity::revoke_api_key(parts.platform, *tenant, id, parts.clock.now(), context.deadline);
    if (!row) return to_response(context, row.error());
    return json_response(200, bj::serialize(to_json(*row)));
}

std::string column_text(const LoggedRequest& logged, std::string_view column) {
    return logged.find(column).value_or(std::string());
}

// Rebuilds a denial that is no longer in memory from its row in the transaction log.
DenialRecord make_record(const LoggedRequest& logged) {
    DenialRecord record{.request_id = column_text(logged, "request_id"),
                        .time = logged.created,
                        .tenant = {column_text(logged, "tenant")},
                        .route = column_text(logged, "route"),
                        .method = column_text(logged, "method"),
                        .path = column_text(logged, "url"),
                        .caller = column_text(logged, "principal"),
                        .decision = {.type = column_text(logged, "error_type")},
                        .cause = column_text(logged, "cause")};
    auto status = column_text(logged, "status");
    std::from_chars(status.data(), status.data() + status.size(), record.status);
    record.caller =
        record.caller.empty() ? "anonymous" : column_text(logged, "principal_kind") + " " + record.caller;
    auto decision = json::parse_object(column_text(logged, "decision"));
    if (!decision) return record;
    auto text = [&](const char* name) {
        return std::string(json::find_string(*decision, name).value_or(""));
    };
    record.decision.stage = text("stage");
    record.decision.rule = text("rule");
    if (const auto* facts = decision->if_contains("facts"); facts && facts->is_object()) {
        for (const auto& [name, value] : facts->get_object()) {
            if (value.is_string()) record.decision.facts.emplace_back(name, value.get_string());
        }
    }
    return record;
}

Response explain_request(const AdminRoutes& parts, RequestContext& context) {
    std::string id(context.parameter("request_id"));
    if (auto record = parts.denial_log.find(id)) return json_response(200, to_json(*record));
    auto logged = find_logged_request(parts.platform, id, context.deadline);
    if (!logged) return to_response(context, logged.error());
    if (!*logged) {
        return reject_not_found(context,
                                "There is no request with this ID in memory or in the transaction log.");
    }
    return json_response(200, to_json(make_record(**logged)));
}

Response show_status(const AdminRoutes& parts, const RequestContext& context) {
    const auto& snapshot = current_snapshot(context);
    bj::array apps, checks;
    for (const auto& manifest : snapshot.manifests) {
        apps.push_back({{"app", manifest.app.text}, {"project", manifest.firebase_project}});
    }
    for (const auto& check : parts.readiness_checks()) {
        checks.push_back({{"name", check.name}, {"ready", check.ready}, {"state", check.state}});
    }
    bj::object status{{"generation", snapshot.generation},
                      {"routes", snapshot.router.routes().size()},
                      {"apps", std::move(apps)},
                      {"checks", std::move(checks)},
                      {"decisions_kept", parts.denial_log.size()}};
    if (const auto* log = parts.transaction_log) {
        status["transaction_log"] = {
            {"written", log->written()}, {"waiting", log->queued()}, {"lost", log->lost()}};
    }
    return json_response(200, bj::serialize(status));
}

// `scope`: for platform keys without the scope admin.
http::Route operators_route(http::Method method, std::string pattern, std::string name,
                            std::string_view scope, std::string summary, http::Handler handler) {
    return {.method = method,
            .pattern = "/v1/admin" + std::move(pattern),
            .name = "admin." + std::move(name),
            .summary = std::move(summary),
            .access = {.audience = http::Access::Audience::operators, .scope = std::string(scope)},
            .exposure = http::Exposure::operators,
            .execution = http::Execution::blocking,
            .handler = std::move(handler)};
}

}  // namespace

std::vector<http::Route> admin_routes(const AdminRoutes& parts) {
    using http::Method;
    std::vector<http::Route> routes{
        operators_route(
            Method::get, "/status", "status", "status:read", "Status of the platform",
            [&parts](const Request&, RequestContext& context) { return show_status(parts, context); }),
        operators_route(
            Method::get, "/decisions/{request_id}", "decision", "decisions:read",
            "Explanation of a denied request",
            [&parts](const Request&, RequestContext& context) { return explain_request(parts, context); }),
        operators_route(
            Method::get, "/tenants/{tenant}/keys", "keys", "keys:read", "API keys of an application",
            [&parts](const Request&, RequestContext& context) { return list_keys(parts, context); }),
        operators_route(Method::post, "/tenants/{tenant}/keys", "keys.post", http::admin_scope,
                        "Create an API key; the key is returned once, even if the request is repeated",
                        [&parts](const Request& request, RequestContext& context) {
                            return create_key(parts, request, context);
                        }),
        operators_route(
            Method::del, "/tenants/{tenant}/keys/{id}", "keys.delete", http::admin_scope, "Revoke an API key",
            [&parts](const Request&, RequestContext& context) { return revoke_key(parts, context); }),
    };
    auto& create = routes[3];
    create.max_body_bytes = 16 * 1024;
    create.transactional = http::Transactional::always;
    create.idempotency = http::Idempotency::accepted;
    create.request_schema = new_key_schema;
    return routes;
}

}  // namespace integreat::gateway
