// SPDX-License-Identifier: Apache-2.0
#include "gateway/admin/health_routes.h"

#include <algorithm>
#include <memory>

#include "gateway/admin/responses.h"
#include "gateway/docs/openapi.h"
#include "gateway/docs/pages.h"
#include "gateway/docs/shared_document.h"
#include "gateway/routing/authorize.h"
#include "gateway/routing/snapshot.h"
#include "http/message/problem.h"
#include "http/message/problem_catalogue.h"
#include "json/value/writer.h"

namespace integreat::gateway {

namespace {

using http::FullResponse;
using http::ProblemType;
using http::Request;
using http::RequestContext;
using http::Response;

constexpr http::RateLimit unlimited{.requests = 0};

// Without Cache-Control.
http::Headers html_headers() {
    return {{"Content-Type", "text/html; charset=utf-8"},
            {"Content-Security-Policy",
             "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
             "frame-ancestors 'none'"},
            {"X-Content-Type-Options", "nosniff"},
            {"X-Frame-Options", "DENY"},
            {"Referrer-Policy", "no-referrer"},
            {"Cross-Origin-Opener-Policy", "same-origin"}};
}

FullResponse html_response(std::string body) {
    auto headers = html_headers();
    headers.add("Cache-Control", "no-cache");
    return {.headers = std::move(headers), .body = std::move(body)};
}

Response handle_ready(const PlatformRoutes& parts, const RequestContext& context) {
    // A state of minutes ago is no readiness.
    if (parts.refresh_readiness && !parts.refresh_readiness(context.may_block))
        return http::NeedsBlockingThread{};
    auto checks = parts.readiness_checks();
    bool ready = std::all_of(checks.begin(), checks.end(), [](const auto& check) { return check.ready; });
    std::string body = ready ? R"({"ready":true,"checks":[)" : R"({"ready":false,"checks":[)";
    for (const auto& check : checks) {
        if (body.back() != '[') body += ',';
        body += "{\"name\":";
        json::append_json(body, check.name);
        body += check.ready ? ",\"ready\":true,\"state\":" : ",\"ready\":false,\"state\":";
        json::append_json(body, check.state);
        if (check.age) {
            body += ",\"age_seconds\":";
            json::append_number(body, check.age->count());
        }
        body += '}';
    }
    auto response = json_response(ready ? 200 : 503, body + "]}\n");
    if (!ready) response.headers.add("Retry-After", "1");
    return response;
}

// Scope of platform keys that may read the metrics.
constexpr std::string_view metrics_scope = "metrics:read";

// True for a loopback address without a proxy: behind an unconfigured proxy, every client is 127.0.0.1.
bool is_from_this_machine(const Request& request) {
    const auto& address = request.peer.address;
    bool loopback = address.starts_with("127.") || address == "::1" || address.starts_with("::ffff:127.");
    return loopback && !request.headers.contains("X-Forwarded-For") &&
           !request.headers.contains("Forwarded") && !request.headers.contains("Via");
}

Response handle_metrics(const PlatformRoutes& parts, const Request& request, RequestContext& context) {
    if (!is_from_this_machine(request) && !is_operator(context.principal.get(), metrics_scope)) {
        context.decision = {.stage = "handler",
                            .type = std::string(http::to_slug(ProblemType::operators_only)),
                            .rule = "metrics are for this machine and for operators",
                            .facts = {{"address", request.peer.address}}};
        return http::to_response(http::problem(ProblemType::operators_only,
                                               "Read the metrics on the machine itself, with an operator's "
                                               "token, or with a platform key of the "
                                               "scope \"metrics:read\"."),
                                 context);
    }
    return FullResponse{.headers = {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"},
                                    {"Cache-Control", "no-store"}},
                        .body = parts.metrics.text()};
}

using RenderRoutes = std::string (*)(const std::vector<http::Route>&);

// Returns a document of the route table, rendered once per snapshot.
Response handle_document(DocumentCache& cache, RenderRoutes render, const Request& request,
                         const RequestContext& context, http::Headers headers) {
    const auto& snapshot = current_snapshot(context);
    auto document = cache.find(snapshot.generation);
    if (!document && !context.may_block) return http::NeedsBlockingThread{};
    if (!document)
        document = cache.render(snapshot.generation, [&] { return render(snapshot.router.routes()); });
    return make_document_response(*document, request, std::move(headers));
}

Response handle_problem(const Request& request, RequestContext& context) {
    const auto* problem = http::find_problem(context.parameter("type"));
    if (!problem) {
        return http::to_response(
            http::problem(ProblemType::not_found, "No problem type has this name; /problems lists all."),
            context);
    }
    if (request.headers.value("Accept").find("text/html") != std::string_view::npos) {
        return html_response(problem_page(*problem));
    }
    std::string body = "{\"type\":";
    json::append_json(body, http::problem_url(problem->type, context.problem_base_url));
    body += ",\"status\":";
    json::append_number(body, problem->status);
    for (auto [name, value] : {std::pair("title", problem->title), std::pair("meaning", problem->meaning),
                               std::pair("what_to_do", problem->remedy)}) {
        body.append(",\"").append(name).append("\":");
        json::append_json(body, value);
    }
    return json_response(200, body + "}\n");
}

http::Route open_route(std::string pattern, std::string name, std::string summary, http::Handler handler) {
    return {.pattern = std::move(pattern),
            .name = std::move(name),
            .summary = std::move(summary),
            .access = {.audience = http::Access::Audience::anyone},
            .handler = std::move(handler)};
}

}  // namespace

std::vector<http::Route> platform_routes(const PlatformRoutes& parts) {
    auto openapi = std::make_shared<DocumentCache>();
    auto docs = std::make_shared<DocumentCache>();
    std::vector<http::Route> routes{
        open_route(
            "/healthz", "platform.health", "Liveness of the process, without dependencies",
            [](const Request&, RequestContext&) { return json_response(200, "{\"status\":\"ok\"}\n"); }),
        open_route(
            "/readyz", "platform.ready", "Readiness: database and key sets, each with state and age",
            [&parts](const Request&, RequestContext& context) { return handle_ready(parts, context); }),
        open_route("/metrics", "platform.metrics",
                   "Metrics in Prometheus text format, for this machine and for operators",
                   [&parts](const Request& request, RequestContext& context) {
                       return handle_metrics(parts, request, context);
                   }),
        open_route("/openapi.json", "platform.openapi", "The routes, as OpenAPI 3.1",
                   [openapi](const Request& request, RequestContext& context) {
                       auto render = [](const std::vector<http::Route>& all) { return openapi_json(all); };
                       return handle_document(*openapi, render, request, context,
                                              {{"Content-Type", "application/json"}});
                   }),
        open_route("/docs", "platform.docs", "The routes, as an HTML page",
                   [docs](const Request& request, RequestContext& context) {
                       return handle_document(*docs, docs_page, request, context, html_headers());
                   }),
        open_route("/problems", "platform.problems", "All problem types, with meaning and fix",
                   [](const Request&, RequestContext&) { return html_response(problems_page()); }),
        open_route("/problems/{type}", "platform.problem", "A problem type, with meaning and fix",
                   handle_problem),
    };
    for (auto& route : routes) {
        bool is_internal = route.name == "platform.metrics" || route.name == "platform.openapi" ||
                           route.name == "platform.docs";
        if (is_internal) route.exposure = http::Exposure::operators;
        bool is_document = route.name == "platform.openapi" || route.name == "platform.docs" ||
                           route.name.starts_with("platform.problem");
        if (!is_document) route.limit = unlimited;  // A probe must never get 429.
    }
    return routes;
}

}  // namespace integreat::gateway
