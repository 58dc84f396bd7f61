// SPDX-License-Identifier: Apache-2.0
#include "cloud/firebase/api/application.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "base/text/ascii.h"
#include "cloud/firebase/api/action_page.h"
#include "cloud/firebase/api/routes.h"
#include "cloud/firebase/store/account_store.h"
#include "cloud/firebase/tokens/keys.h"
#include "http/message/local_host.h"
#include "http/routing/router.h"
#include "http/routing/target.h"
#include "json/value/parse.h"

namespace integreat::firebase {

namespace json = boost::json;

namespace {

constexpr std::string_view methods = "GET,HEAD,PUT,PATCH,POST,DELETE";

int to_status(Fault fault) {
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

http::FullResponse json_response(int status, const json::object& body) {
    http::FullResponse response{.status = status, .body = json::serialize(body)};
    response.headers.set("Content-Type", "application/json; charset=utf-8");
    response.headers.set("Cache-Control", "no-store");
    return response;
}

http::FullResponse error_response(int status, const std::string& message) {
    return json_response(
        status,
        {{"error",
          {{"code", status},
           {"message", message},
           {"errors", json::array{{{"message", message}, {"reason", "invalid"}, {"domain", "global"}}}}}}});
}

http::FullResponse error_response(const Error& error, http::RequestContext& context) {
    context.cause = error.cause;
    auto message = error.message;
    if (error.fault == Fault::internal || error.fault == Fault::conflict) message = "INTERNAL";
    if (error.fault == Fault::unavailable) message = "UNAVAILABLE : " + error.message;
    return error_response(to_status(error.fault), message);
}

// Adds the CORS headers to every response, errors included; without them a page sees only a failed request.
http::FullResponse with_cors(const http::Request& request, http::FullResponse response) {
    auto origin = request.headers.value("Origin");
    response.headers.add("Vary", "Origin, Access-Control-Request-Headers");
    if (!origin.empty()) response.headers.set("Access-Control-Allow-Origin", origin);
    return response;
}

http::FullResponse preflight(const http::Request& request) {
    http::FullResponse response{.status = 204};
    response.headers.set("Access-Control-Allow-Methods", methods);
    response.headers.set("Access-Control-Max-Age", "600");
    auto requested = request.headers.value("Access-Control-Request-Headers");
    if (!requested.empty()) response.headers.set("Access-Control-Allow-Headers", requested);
    return response;
}

// Returns whether a host is this machine: "127.0.0.1:9099", "[::1]", "localhost".
// Refuses other sites on routes that need no secret.
Result<> require_local(const http::Request& request) {
    if (!http::names_this_machine(request)) {
        return Error{
            Fault::forbidden,
            "PERMISSION_DENIED : this route accepts requests only from programs and pages on this machine"};
    }
    return {};
}

std::string make_origin(const http::Request& request) {
    auto host = request.headers.value("Host");
    auto permitted = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-' || c == ':' || c == '[' ||
               c == ']';
    };
    bool valid = !host.empty() && host.size() <= 255 && std::all_of(host.begin(), host.end(), permitted);
    return "http://" + (valid ? std::string(host) : "127.0.0.1");
}

std::string find_parameter(const Parameters& parameters, std::string_view name) {
    for (const auto& [parameter_name, value] : parameters) {
        if (parameter_name == name) return value;
    }
    return {};
}

Result<Project> require_project_by_key(Transaction& transaction, const Parameters& query) {
    auto key = find_parameter(query, "key");
    if (key.empty()) return firebase_error("INVALID_API_KEY");
    auto project = TRY(find_project_by_key(transaction, key));
    if (!project) return firebase_error("API key not valid. Please pass a valid API key.");
    return std::move(*project);
}

Result<Project> require_project_by_id(Transaction& transaction, const std::string& id) {
    auto project = TRY(find_project(transaction, {id}));
    if (!project) return firebase_error("PROJECT_NOT_FOUND");
    return std::move(*project);
}

Result<Project> find_request_project(Auth& auth, const http::Request& request, const RouteMatch& match,
                                     const Parameters& query) {
    auto transaction = TRY(auth.store->read());
    if (match.route->caller == Caller::client) return require_project_by_key(transaction, query);
    TRY(require_local(request));
    if (match.route->caller == Caller::admin && request.headers.value("Authorization") != "Bearer owner") {
        return Error{Fault::unauthenticated,
                     "UNAUTHENTICATED : this route is for firebase-admin in emulator mode (Bearer owner)"};
    }
    return require_project_by_id(transaction, match.project);
}

Result<json::object> parse_body(const http::Request& request) {
    if (request.body.empty()) return json::object();
    if (iequals(request.headers.value("Content-Type").substr(0, 33), "application/x-www-form-urlencoded")) {
        auto form = http::parse_query(request.body);
        if (!form) return firebase_error("INVALID_ARGUMENT : the form is malformed");
        json::object body;
        for (auto& [name, value] : *form)
            body[name] = value;
        return body;
    }
    auto body = integreat::json::parse_object(request.body, {.max_bytes = batch_bytes_max});
    if (!body) return firebase_error("Invalid JSON payload received. " + body.error().message);
    return body;
}

// Refuses Identity Platform tenants within a project: a project already is a tenant here.
Result<> reject_tenant_id(const json::object& body) {
    const auto* tenant = body.if_contains("tenantId");
    if (tenant && !tenant->is_null()) return firebase_error("TENANT_NOT_FOUND");
    return {};
}

OperationResult run_operation(Auth& auth, const http::Request& request, const RouteMatch& match) {
    auto parsed = http::parse_query(request.query());
    if (!parsed) return firebase_error("INVALID_ARGUMENT : the query is malformed");
    const auto& query = *parsed;
    auto project = TRY(find_request_project(auth, request, match, query));
    auto body = TRY(parse_body(request));
    TRY(reject_tenant_id(body));
    OperationRequest operation_request{.auth = auth,
                                       .project = std::move(project),
                                       .privileged = match.route->caller != Caller::client,
                                       .body = body,
                                       .query = query,
                                       .origin = make_origin(request),
                                       .address = request.peer.address};
    return match.route->operation(operation_request);
}

constexpr std::string_view certificates_path =
    "/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com";
constexpr std::string_view key_set_path = "/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com";
constexpr std::string_view session_keys_path = "/identitytoolkit/v3/relyingparty/publicKeys";

bool is_keys_path(std::string_view path) {
    return path == certificates_path || path == key_set_path || path == session_keys_path;
}

http::FullResponse keys_response(Auth& auth, std::string_view path, http::RequestContext& context) {
    auto transaction = auth.store->read();
    if (!transaction) return error_response(transaction.error(), context);
    auto now_s = now_seconds(auth);
    auto keys = path == key_set_path ? published_key_set(*transaction, now_s)
                                     : published_certificates(*transaction, now_s);
    if (!keys) return error_response(keys.error(), context);
    auto response = json_response(200, *keys);
    // Short, so that clients see a rotated key within a minute; Google caches for some hours.
    response.headers.set("Cache-Control", "public, max-age=60, must-revalidate, no-transform");
    return response;
}

http::FullResponse action_response(Auth& auth, const http::Request& request) {
    auto parameters =
        http::parse_query(request.method == http::Method::post ? request.body : request.query());
    if (!parameters) return error_response(400, "INVALID_ARGUMENT : the link is malformed");
    return render_action_page(auth, *parameters);
}

http::FullResponse ready_response() {
    return json_response(
        200,
        {{"authEmulator", {{"ready", true}, {"docs", "docs/reference/firebase.md"}, {"apiSpec", nullptr}}}});
}

http::FullResponse respond(Auth& auth, const http::Request& request, http::RequestContext& context) {
    auto path = request.path();
    bool reads = request.method == http::Method::get || request.method == http::Method::head;
    if (reads && path == "/") return ready_response();
    if (reads && is_keys_path(path)) return keys_response(auth, path, context);
    if (path == "/emulator/action" && (reads || request.method == http::Method::post)) {
        return action_response(auth, request);
    }
    auto match = match_route(request.method, path);
    if (!match.route) {
        auto description =
            std::string(http::to_string(request.method)) + " " + std::string(path.substr(0, 200));
        return error_response(match.path_known ? 405 : 404,
                              "NOT_FOUND : the local Firebase Auth does not support " + description +
                                  "; docs/reference/firebase.md lists the supported routes");
    }
    auto response = run_operation(auth, request, match);
    if (!response) return error_response(response.error(), context);
    return json_response(200, *response);
}

}  // namespace

http::Application application(Auth& auth) {
    http::Application application;
    application.admit = [](const http::Request& request, http::RequestContext&) -> http::Admission {
        if (request.method == http::Method::options) return with_cors(request, preflight(request));
        auto match = match_route(request.method, request.path());
        return http::ReadBody{.max_bytes = match.route ? match.route->max_body_bytes : request_bytes_max,
                              .execution = http::Execution::blocking};
    };
    application.handle = [&auth](const http::Request& request,
                                 http::RequestContext& context) -> http::Response {
        return with_cors(request, respond(auth, request, context));
    };
    application.reject = [](const http::Request& request, http::RequestContext&,
                            const http::Problem& problem) {
        return with_cors(
            request, error_response(problem.status, std::string(problem.title()) + " : " + problem.detail));
    };
    application.finish = [](const http::Request&, const http::RequestContext&, const http::RequestSummary&) {
    };
    return application;
}

}  // namespace integreat::firebase
