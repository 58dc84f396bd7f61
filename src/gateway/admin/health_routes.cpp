// SPDX-License-Identifier: Apache-2.0
#include "gateway/admin/health_routes.h"

#include <algorithm>
#include <memory>

#include "base/concurrency/synchronized.h"
#include "gateway/docs/docs_page.h"
#include "gateway/docs/openapi.h"
#include "gateway/routing/authorize.h"
#include "gateway/routing/snapshot.h"
#include "http/message/problem.h"
#include "http/message/problem_catalogue.h"
#include "json/value/writer.h"

namespace integreat::gateway {

namespace {

using http::Call;
using http::Reply;
using http::Request;
using http::Response;

constexpr http::RateLimit unlimited{.requests = 0};

Reply json_reply(int status, std::string body) {
    return {.status = status,
            .headers = {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}},
            .body = std::move(body)};
}

Reply html_reply(std::string body) {
    return {
        .headers = {{"Content-Type", "text/html; charset=utf-8"},
                    {"Cache-Control", "no-cache"},
                    {"Content-Security-Policy",
                     "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
                     "frame-ancestors 'none'"},
                    {"X-Content-Type-Options", "nosniff"},
                    {"X-Frame-Options", "DENY"},
                    {"Referrer-Policy", "no-referrer"},
                    {"Cross-Origin-Opener-Policy", "same-origin"}},
        .body = std::move(body)};
}

Response answer_ready(const PlatformRoutes& parts) {
    auto checks = parts.ready_checks();
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
    auto reply = json_reply(ready ? 200 : 503, body + "]}\n");
    if (!ready) reply.headers.add("Retry-After", "1");
    return reply;
}

// Loopback that came through no proxy: behind an unconfigured one, the whole world is 127.0.0.1.
bool from_this_machine(const Request& request) {
    const auto& address = request.peer.address;
    bool loopback = address.starts_with("127.") || address == "::1" || address.starts_with("::ffff:127.");
    return loopback && !request.headers.contains("X-Forwarded-For") &&
           !request.headers.contains("Forwarded") && !request.headers.contains("Via");
}

Response answer_metrics(const PlatformRoutes& parts, const Request& request, Call& call) {
    if (!from_this_machine(request) && !is_operator(call.principal.get())) {
        call.decision = {.stage = "handler",
                         .type = "operators-only",
                         .rule = "metrics are for this machine and for operators",
                         .facts = {{"address", request.peer.address}}};
        return http::to_reply(
            {.status = 403,
             .type = "operators-only",
             .title = "Only operators may do this",
             .detail = "Read the metrics on the machine itself, or with an operator's token."},
            call.id.text);
    }
    return Reply{.headers = {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"},
                             {"Cache-Control", "no-store"}},
                 .body = parts.metrics.text()};
}

// A document made of the route table, once per snapshot.
class Document {
public:
    using Make = std::string (*)(const std::vector<http::Route>&);
    explicit Document(Make make) : make_(make) {}

    std::string text(const Snapshot& snapshot) {
        {
            auto kept = kept_.lock();
            if (kept->generation == snapshot.generation) return kept->text;
        }
        auto text = make_(snapshot.router.routes());
        *kept_.lock() = {snapshot.generation, text};
        return text;
    }

private:
    struct Kept {
        std::uint64_t generation = 0;
        std::string text;
    };
    Make make_;
    Guarded<Kept> kept_;
};

Response answer_problem(const Request& request, Call& call) {
    const auto* kind = http::find_problem(call.parameter("type"));
    if (!kind) {
        return http::to_reply({.status = 404,
                               .type = "not-found",
                               .title = "There is nothing here",
                               .detail = "No problem has this name; /problems lists all."},
                              call.id.text);
    }
    if (request.headers.value("Accept").find("text/html") != std::string_view::npos) {
        return html_reply(problem_page(*kind));
    }
    std::string body = "{\"type\":";
    json::append_json(body, "/problems/" + std::string(kind->slug));
    body += ",\"status\":";
    json::append_number(body, kind->status);
    for (auto [name, value] : {std::pair("title", kind->title), std::pair("meaning", kind->meaning),
                               std::pair("what_to_do", kind->remedy)}) {
        body.append(",\"").append(name).append("\":");
        json::append_json(body, value);
    }
    return json_reply(200, body + "}\n");
}

http::Route open_route(std::string pattern, std::string name, std::string summary, http::Handler handler) {
    return {.pattern = std::move(pattern),
            .name = std::move(name),
            .summary = std::move(summary),
            .access = {.who = http::Access::Who::anyone},
            .handler = std::move(handler)};
}

}  // namespace

std::vector<http::Route> platform_routes(const PlatformRoutes& parts) {
    auto openapi =
        std::make_shared<Document>([](const std::vector<http::Route>& all) { return openapi_json(all); });
    auto docs = std::make_shared<Document>(docs_page);
    std::vector<http::Route> routes{
        open_route("/healthz", "platform.health", "Is the process alive? Depends on nothing else",
                   [](const Request&, Call&) { return json_reply(200, "{\"status\":\"ok\"}\n"); }),
        open_route("/readyz", "platform.ready",
                   "Can it serve? Database and key sets, each with state and age",
                   [&parts](const Request&, Call&) { return answer_ready(parts); }),
        open_route(
            "/metrics", "platform.metrics",
            "Metrics in Prometheus text format, for this machine and for operators",
            [&parts](const Request& request, Call& call) { return answer_metrics(parts, request, call); }),
        open_route(
            "/openapi.json", "platform.openapi", "This description, as OpenAPI 3.1",
            [openapi](const Request&, Call& call) { return json_reply(200, openapi->text(*call.snapshot)); }),
        open_route("/docs", "platform.docs", "This description, as a page to read",
                   [docs](const Request&, Call& call) { return html_reply(docs->text(*call.snapshot)); }),
        open_route("/problems", "platform.problems", "Every type of problem and what to do about it",
                   [](const Request&, Call&) { return html_reply(problems_page()); }),
        open_route("/problems/{type}", "platform.problem", "One type of problem and what to do about it",
                   answer_problem),
    };
    for (auto& route : routes) {
        if (route.name == "platform.openapi" || route.name == "platform.docs") {
            route.waits = true;  // Large tables take milliseconds to write.
        } else if (!route.name.starts_with("platform.problem")) {
            route.limit = unlimited;  // A probe must not be told to come back later.
        }
    }
    return routes;
}

}  // namespace integreat::gateway
