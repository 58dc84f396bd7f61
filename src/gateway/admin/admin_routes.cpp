// SPDX-License-Identifier: Apache-2.0
#include "gateway/admin/admin_routes.h"

#include <algorithm>
#include <charconv>

#include <boost/json.hpp>

#include "gateway/pipeline/stages.h"
#include "gateway/routing/snapshot.h"
#include "identity/api_keys/api_key_repository.h"
#include "identity/api_keys/api_keys.h"
#include "json/value/parse.h"

namespace integreat::gateway {

namespace {

namespace bj = boost::json;
using http::Call;
using http::Reply;
using http::Request;
using http::Response;

constexpr std::string_view new_key_schema = R"({
  "type": "object", "additionalProperties": false, "required": ["name"],
  "properties": {
    "name": {"type": "string", "minLength": 1, "maxLength": 100, "description": "For people."},
    "scopes": {"type": "array", "maxItems": 20, "items": {"type": "string", "minLength": 1, "maxLength": 64}},
    "expires": {"type": ["string", "null"], "format": "date-time"}
  }
})";

Reply json_reply(int status, const bj::value& body) {
    return {.status = status,
            .headers = {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}},
            .body = bj::serialize(body)};
}

Reply failure(Call& call, const Error& error) {
    call.cause = error.cause;
    return to_reply(http::problem_from(error), call.id.text);
}

Reply no_such(const Call& call, std::string what) {
    return http::to_reply({.status = 404,
                           .type = "not-found",
                           .title = "There is nothing here",
                           .detail = "There is no " + std::move(what) + "."},
                          call.id.text);
}

bj::value time_or_null(const std::optional<Time>& time) {
    return time ? bj::value(format_rfc3339(*time)) : bj::value(nullptr);
}

bj::object key_object(const identity::ApiKeyRow& row) {
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

// Of an app that exists, or of the platform.
std::optional<TenantId> tenant_of(const Call& call) {
    TenantId tenant{std::string(call.parameter("tenant"))};
    const auto& tenants = call.snapshot->tenants;
    bool known =
        std::any_of(tenants.begin(), tenants.end(), [&](const auto& plan) { return plan.tenant == tenant; });
    return known ? std::optional(tenant) : std::nullopt;
}

Response create_key(const AdminRoutes& parts, const Request& request, Call& call) {
    auto tenant = tenant_of(call);
    if (!tenant) return no_such(call, "application of this name");
    auto body = json::parse_object(request.body);
    if (!body) return failure(call, body.error());
    identity::NewApiKey wanted{.tenant = *tenant,
                               .name = std::string(body->at("name").as_string()),
                               .created_by = caller_of(call.principal.get())};
    if (const auto* scopes = body->if_contains("scopes")) {
        for (const auto& scope : scopes->as_array())
            wanted.scopes.emplace_back(scope.as_string());
    }
    if (const auto* expires = body->if_contains("expires"); expires && expires->is_string()) {
        auto time = parse_rfc3339(expires->get_string());
        if (!time) return failure(call, {Fault::invalid, "expires is " + time.error().message, ""});
        wanted.expires = *time;
    }
    auto issued = identity::create_api_key(*call.transaction, wanted, parts.clock, parts.random);
    if (!issued) return failure(call, issued.error());
    auto object = key_object(issued->row);
    object["key"] = nullptr;
    call.replay_body = bj::serialize(object);  // The key itself is shown once and stored nowhere.
    object["key"] = issued->key.reveal();
    return json_reply(201, object);
}

Response list_keys(const AdminRoutes& parts, Call& call) {
    auto tenant = tenant_of(call);
    if (!tenant) return no_such(call, "application of this name");
    auto rows = identity::list_api_keys(parts.platform, *tenant, call.deadline);
    if (!rows) return failure(call, rows.error());
    bj::array keys;
    for (const auto& row : *rows)
        keys.push_back(key_object(row));
    return json_reply(200, bj::object{{"keys", std::move(keys)}});
}

Response revoke_key(const AdminRoutes& parts, Call& call) {
    auto tenant = tenant_of(call);
    if (!tenant) return no_such(call, "application of this name");
    std::string id(call.parameter("id"));
    auto row = identity::revoke_api_key(parts.platform, *tenant, id, parts.clock.now(), call.deadline);
    if (!row) return failure(call, row.error());
    return json_reply(200, key_object(*row));
}

std::string text_of(const gateway::LoggedRequest& logged, std::string_view column) {
    return logged.find(column).value_or(std::string());
}

// A refusal that memory has forgotten, from its row in the transaction log.
DecisionRecord record_from(const gateway::LoggedRequest& logged) {
    DecisionRecord record{.request_id = text_of(logged, "request_id"),
                          .time = logged.created,
                          .tenant = {text_of(logged, "tenant")},
                          .route = text_of(logged, "route"),
                          .method = text_of(logged, "method"),
                          .path = text_of(logged, "url"),
                          .caller = text_of(logged, "principal"),
                          .decision = {.type = text_of(logged, "error_type")},
                          .cause = text_of(logged, "cause")};
    auto status = text_of(logged, "status");
    std::from_chars(status.data(), status.data() + status.size(), record.status);
    record.caller =
        record.caller.empty() ? "anonymous" : text_of(logged, "principal_kind") + " " + record.caller;
    auto decision = json::parse_object(text_of(logged, "decision"));
    if (!decision) return record;
    auto text = [&](const char* name) {
        const auto* value = decision->if_contains(name);
        return value && value->is_string() ? std::string(value->get_string()) : std::string();
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

Response explain_request(const AdminRoutes& parts, Call& call) {
    std::string id(call.parameter("request_id"));
    Reply reply = json_reply(200, nullptr);
    if (auto kept = parts.decisions.find(id)) {
        reply.body = decision_json(*kept);
        return reply;
    }
    auto logged = gateway::find_logged(parts.platform, id, call.deadline);
    if (!logged) return failure(call, logged.error());
    if (!*logged) return no_such(call, "request of this id in memory or in the transaction log");
    reply.body = decision_json(record_from(**logged));
    return reply;
}

Response show_status(const AdminRoutes& parts, const Call& call) {
    const auto& snapshot = *call.snapshot;
    bj::array apps, checks;
    for (const auto& manifest : snapshot.manifests) {
        apps.push_back({{"app", manifest.app.text}, {"project", manifest.firebase_project}});
    }
    for (const auto& check : parts.ready_checks()) {
        checks.push_back({{"name", check.name}, {"ready", check.ready}, {"state", check.state}});
    }
    bj::object status{{"generation", snapshot.generation},
                      {"routes", snapshot.router.routes().size()},
                      {"apps", std::move(apps)},
                      {"checks", std::move(checks)},
                      {"decisions_kept", parts.decisions.size()}};
    if (const auto* log = parts.transaction_log) {
        status["transaction_log"] = {
            {"written", log->written()}, {"waiting", log->waiting()}, {"lost", log->lost()}};
    }
    return json_reply(200, status);
}

http::Route operators_route(http::Method method, std::string pattern, std::string name, std::string summary,
                            http::Handler handler) {
    return {.method = method,
            .pattern = "/v1/admin" + std::move(pattern),
            .name = "admin." + std::move(name),
            .summary = std::move(summary),
            .access = {.who = http::Access::Who::operators},
            .waits = true,
            .handler = std::move(handler)};
}

}  // namespace

std::vector<http::Route> admin_routes(const AdminRoutes& parts) {
    using http::Method;
    std::vector<http::Route> routes{
        operators_route(Method::get, "/status", "status", "How the platform is",
                        [&parts](const Request&, Call& call) { return show_status(parts, call); }),
        operators_route(Method::get, "/decisions/{request_id}", "decision",
                        "Why a request was answered as it was",
                        [&parts](const Request&, Call& call) { return explain_request(parts, call); }),
        operators_route(Method::get, "/tenants/{tenant}/keys", "keys", "The API keys of an application",
                        [&parts](const Request&, Call& call) { return list_keys(parts, call); }),
        operators_route(
            Method::post, "/tenants/{tenant}/keys", "keys.post",
            "Make an API key; it is shown once, also if the request is repeated",
            [&parts](const Request& request, Call& call) { return create_key(parts, request, call); }),
        operators_route(Method::del, "/tenants/{tenant}/keys/{id}", "keys.delete", "Revoke an API key",
                        [&parts](const Request&, Call& call) { return revoke_key(parts, call); }),
    };
    auto& create = routes[3];
    create.body_bytes_max = 16 * 1024;
    create.transactional = http::Transactional::always;
    create.idempotency = http::Idempotency::accepted;
    create.request_schema = new_key_schema;
    return routes;
}

}  // namespace integreat::gateway
