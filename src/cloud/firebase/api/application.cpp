// SPDX-License-Identifier: Apache-2.0
// Requests to operations to answers: API keys, "Bearer owner", CORS and Google's shape of errors.
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "cloud/firebase/api/action_page.h"
#include "cloud/firebase/api/routes.h"
#include "cloud/firebase/store/account_store.h"
#include "cloud/firebase/tokens/keys.h"
#include "http/routing/router.h"
#include "json/value/parse.h"

namespace integreat::firebase {

namespace json = boost::json;

namespace {

constexpr std::string_view methods = "GET,HEAD,PUT,PATCH,POST,DELETE";

int status_of(Fault fault) {
    switch (fault) {
        case Fault::invalid:
        case Fault::conflict:
        case Fault::exhausted: return 400;
        case Fault::unauthenticated: return 401;
        case Fault::forbidden: return 403;
        case Fault::not_found: return 404;
        case Fault::unavailable: return 503;
        case Fault::internal: break;
    }
    return 500;
}

http::Reply json_reply(int status, const json::object& body) {
    http::Reply reply{.status = status, .body = json::serialize(body)};
    reply.headers.set("Content-Type", "application/json; charset=utf-8");
    reply.headers.set("Cache-Control", "no-store");
    return reply;
}

http::Reply error_reply(int status, const std::string& message) {
    return json_reply(
        status,
        {{"error",
          {{"code", status},
           {"message", message},
           {"errors", json::array{{{"message", message}, {"reason", "invalid"}, {"domain", "global"}}}}}}});
}

http::Reply error_reply(const Error& error, http::Call& call) {
    call.cause = error.cause;
    auto message = error.message;
    if (error.fault == Fault::internal || error.fault == Fault::conflict) message = "INTERNAL";
    if (error.fault == Fault::unavailable) message = "UNAVAILABLE : " + error.message;
    return error_reply(status_of(error.fault), message);
}

// Every answer, errors too: without these a page sees only a failed request.
http::Reply with_cors(const http::Request& request, http::Reply reply) {
    auto origin = request.headers.value("Origin");
    reply.headers.add("Vary", "Origin, Access-Control-Request-Headers");
    if (!origin.empty()) reply.headers.set("Access-Control-Allow-Origin", origin);
    return reply;
}

http::Reply preflight(const http::Request& request) {
    http::Reply reply{.status = 204};
    reply.headers.set("Access-Control-Allow-Methods", methods);
    reply.headers.set("Access-Control-Max-Age", "600");
    auto wanted = request.headers.value("Access-Control-Request-Headers");
    if (!wanted.empty()) reply.headers.set("Access-Control-Allow-Headers", wanted);
    return reply;
}

// "127.0.0.1:9099", "[::1]", "localhost": the names this machine has for itself.
bool is_loopback(std::string_view host) {
    if (host.starts_with("[::1]")) return host.size() == 5 || host[5] == ':';
    auto name = host.substr(0, host.find(':'));
    return name == "127.0.0.1" || name == "localhost";
}

// A page of a foreign site, or a name that was made to point here, must not get at what needs no secret.
Result<> require_local(const http::Request& request) {
    auto origin = request.headers.value("Origin");
    auto host = origin.substr(origin.find("://") == std::string_view::npos ? 0 : origin.find("://") + 3);
    if (!is_loopback(request.headers.value("Host")) || (!origin.empty() && !is_loopback(host))) {
        return Error{Fault::forbidden,
                     "PERMISSION_DENIED : this route answers only to programs and pages of this machine"};
    }
    return {};
}

std::string origin_of(const http::Request& request) {
    auto host = request.headers.value("Host");
    auto permitted = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-' || c == ':' || c == '[' ||
               c == ']';
    };
    bool plain = !host.empty() && host.size() <= 255 && std::all_of(host.begin(), host.end(), permitted);
    return "http://" + (plain ? std::string(host) : "127.0.0.1");
}

std::string value_of(const Parameters& parameters, std::string_view name) {
    for (const auto& [known, value] : parameters) {
        if (known == name) return value;
    }
    return {};
}

Result<Project> project_by_key(Transaction& transaction, const Parameters& query) {
    auto key = value_of(query, "key");
    if (key.empty()) return refusal("INVALID_API_KEY");
    auto project = TRY(find_project_by_key(transaction, key));
    if (!project) return refusal("API key not valid. Please pass a valid API key.");
    return std::move(*project);
}

Result<Project> project_by_path(Transaction& transaction, const std::string& id) {
    auto project = TRY(find_project(transaction, {id}));
    if (!project) return refusal("PROJECT_NOT_FOUND");
    return std::move(*project);
}

Result<Project> project_for(Auth& auth, const http::Request& request, const RouteMatch& match,
                            const Parameters& query) {
    auto transaction = TRY(auth.store->read());
    if (match.route->caller == Caller::client) return project_by_key(transaction, query);
    TRY(require_local(request));
    if (match.route->caller == Caller::admin && request.headers.value("Authorization") != "Bearer owner") {
        return Error{Fault::unauthenticated,
                     "UNAUTHENTICATED : this route is for firebase-admin in emulator mode (Bearer owner)"};
    }
    return project_by_path(transaction, match.project);
}

Result<json::object> read_body(const http::Request& request) {
    if (request.body.empty()) return json::object();
    if (http::equal_ignoring_case(request.headers.value("Content-Type").substr(0, 33),
                                  "application/x-www-form-urlencoded")) {
        auto form = http::parse_query(request.body);
        if (!form) return refusal("INVALID_ARGUMENT : the form is malformed");
        json::object body;
        for (auto& [name, value] : *form)
            body[name] = value;
        return body;
    }
    auto body = integreat::json::parse_object(request.body, {.bytes_max = batch_bytes_max});
    if (!body) return refusal("Invalid JSON payload received. " + body.error().message);
    return body;
}

// Identity Platform's tenants within a project; a project here is a tenant already.
Result<> refuse_tenants(const json::object& body) {
    const auto* tenant = body.if_contains("tenantId");
    if (tenant && !tenant->is_null()) return refusal("TENANT_NOT_FOUND");
    return {};
}

Answer operate(Auth& auth, const http::Request& request, const RouteMatch& match) {
    auto parsed = http::parse_query(request.query());
    if (!parsed) return refusal("INVALID_ARGUMENT : the query is malformed");
    const auto& query = *parsed;
    auto project = TRY(project_for(auth, request, match, query));
    auto body = TRY(read_body(request));
    TRY(refuse_tenants(body));
    Ask ask{.auth = auth,
            .project = std::move(project),
            .privileged = match.route->caller != Caller::client,
            .body = body,
            .query = query,
            .origin = origin_of(request),
            .address = request.peer.address};
    return match.route->operation(ask);
}

constexpr std::string_view certificates_path =
    "/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com";
constexpr std::string_view key_set_path = "/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com";
constexpr std::string_view session_keys_path = "/identitytoolkit/v3/relyingparty/publicKeys";

bool serves_keys(std::string_view path) {
    return path == certificates_path || path == key_set_path || path == session_keys_path;
}

http::Reply keys_reply(Auth& auth, std::string_view path, http::Call& call) {
    auto transaction = auth.store->read();
    if (!transaction) return error_reply(transaction.error(), call);
    auto now_s = now_seconds(auth);
    auto keys = path == key_set_path ? published_key_set(*transaction, now_s)
                                     : published_certificates(*transaction, now_s);
    if (!keys) return error_reply(keys.error(), call);
    auto reply = json_reply(200, *keys);
    // Short, so that a rotated key is known within a minute; Google says some hours.
    reply.headers.set("Cache-Control", "public, max-age=60, must-revalidate, no-transform");
    return reply;
}

http::Reply action_reply(Auth& auth, const http::Request& request) {
    auto parameters =
        http::parse_query(request.method == http::Method::post ? request.body : request.query());
    if (!parameters) return error_reply(400, "INVALID_ARGUMENT : the link is malformed");
    return action_page(auth, *parameters);
}

http::Reply ready_reply() {
    return json_reply(
        200, {{"authEmulator", {{"ready", true}, {"docs", "docs/firebase.md"}, {"apiSpec", nullptr}}}});
}

http::Reply respond(Auth& auth, const http::Request& request, http::Call& call) {
    auto path = request.path();
    bool reads = request.method == http::Method::get || request.method == http::Method::head;
    if (reads && path == "/") return ready_reply();
    if (reads && serves_keys(path)) return keys_reply(auth, path, call);
    if (path == "/emulator/action" && (reads || request.method == http::Method::post)) {
        return action_reply(auth, request);
    }
    auto match = match_route(request.method, path);
    if (!match.route) {
        auto what = std::string(http::to_string(request.method)) + " " + std::string(path.substr(0, 200));
        return error_reply(match.path_known ? 405 : 404,
                           "NOT_FOUND : the local Firebase Auth does not offer " + what +
                               "; docs/firebase.md lists what it does");
    }
    auto answer = operate(auth, request, match);
    if (!answer) return error_reply(answer.error(), call);
    return json_reply(200, *answer);
}

}  // namespace

http::Application application(Auth& auth) {
    http::Application application;
    application.admit = [](const http::Request& request, http::Call&) -> http::Admission {
        if (request.method == http::Method::options) return with_cors(request, preflight(request));
        auto match = match_route(request.method, request.path());
        return http::ReadBody{.bytes_max = match.route ? match.route->body_bytes_max : request_bytes_max,
                              .waits = true};
    };
    application.answer = [&auth](const http::Request& request, http::Call& call) -> http::Response {
        return with_cors(request, respond(auth, request, call));
    };
    application.reject = [](const http::Request& request, http::Call&, const http::Problem& problem) {
        return with_cors(request, error_reply(problem.status, problem.title + " : " + problem.detail));
    };
    application.finish = [](const http::Request&, const http::Call&, const http::Outcome&) {};
    return application;
}

}  // namespace integreat::firebase
