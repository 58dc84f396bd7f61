// SPDX-License-Identifier: Apache-2.0
#include "cloud/aws/dispatch/application.h"

#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/text/ascii.h"
#include "cloud/aws/auth/authentication.h"
#include "cloud/aws/auth/payload.h"
#include "cloud/aws/core/frontend.h"
#include "cloud/aws/dispatch/decision_log.h"
#include "cloud/aws/dispatch/operation_resolver.h"
#include "cloud/aws/protocol/error_responses.h"
#include "cloud/aws/protocol/protocol.h"
#include "crypto/encoding.h"
#include "crypto/ids.h"
#include "http/message/local_host.h"

namespace integreat::cloud {

namespace {

constexpr std::size_t form_bytes_max = 1024 * 1024;
// The largest S3 object of one PUT, plus chunk framing, in bytes.
constexpr std::uint64_t streamed_bytes_max = std::uint64_t(5) * 1024 * 1024 * 1024 + 64 * 1024 * 1024;
constexpr std::string_view internal_prefix = "/_integreat/";

// Returns a request id of sixteen hexadecimal digits, as S3 uses.
std::string make_s3_request_id(Random& random) {
    auto uuid = crypto::make_uuid(random);
    std::erase(uuid, '-');
    uuid.resize(16);
    return to_upper(uuid);
}

bool is_s3_operation(const OperationContext& context) {
    return effective_protocol(context) == Protocol::rest_xml;
}

// Sets the id that AWS clients print, before any part of the response is rendered.
void assign_request_id(OperationContext& context) {
    auto& random = context.frontend.random;
    auto& id = context.http_context.id.text;
    if (id.empty()) id = is_s3_operation(context) ? make_s3_request_id(random) : crypto::make_uuid(random);
}

// Returns whether a request is a preflight (Fetch standard): OPTIONS with Origin and
// Access-Control-Request-Method.
bool is_preflight(const http::Request& request) {
    return request.method == http::Method::options && request.headers.contains("Origin") &&
           request.headers.contains("Access-Control-Request-Method");
}

// Services without CORS settings allow every origin and expose the headers that SDKs read, as AWS does.
http::FullResponse preflight_response(const http::Request& request) {
    http::FullResponse response{.status = 200};
    response.headers.set("Access-Control-Allow-Methods", "GET, HEAD, PUT, POST, DELETE");
    // "*" does not cover Authorization, so the requested list is echoed.
    auto requested = request.headers.value("Access-Control-Request-Headers");
    if (!requested.empty()) response.headers.set("Access-Control-Allow-Headers", requested);
    response.headers.set("Access-Control-Max-Age", "172800");
    return response;
}

void add_cors_headers(const http::Request& request, http::Headers& headers) {
    if (!request.headers.contains("Origin")) return;
    headers.set("Access-Control-Allow-Origin", "*");
    headers.set("Access-Control-Expose-Headers",
                "x-amzn-RequestId, x-amzn-ErrorType, x-amzn-ErrorMessage, x-amzn-Trace-Id, Date");
}

// Adds the headers common to all responses.
void add_common_headers(OperationContext& context) {
    assign_request_id(context);
    auto& headers = context.http_context.response_headers;
    const auto& id = context.http_context.id.text;
    bool s3 = is_s3_operation(context);
    if (s3) {
        headers.set("x-amz-request-id", id);
        headers.set("x-amz-id-2", host_id(id));
    } else {
        headers.set("x-amzn-RequestId", id);
    }
    if (context.api && context.api->add_cors) {
        context.api->add_cors(context, headers);
    } else {
        add_cors_headers(context.request, headers);
    }
}

http::Response finish_response(OperationContext& context, OperationResult result) {
    add_common_headers(context);
    if (auto* response = std::get_if<http::Response>(&result)) return std::move(*response);
    auto& error = std::get<AwsError>(result);
    context.http_context.cause = error.cause;
    context.http_context.decision.type = error.code;
    context.frontend.decisions->add(make_decision_record(context, error, context.frontend.clock.now()));
    return render_error(context, error);
}

http::FullResponse to_full_response(http::Response response) {
    return std::get<http::FullResponse>(std::move(response));
}

// Authenticates and runs an operation whose body has been read completely.
OperationResult run(OperationContext& context, const SignedHead& head) {
    const auto* claim = head.claim();
    if (auto error = resolve_operation(context, claim ? claim->service : std::string_view())) return *error;
    assign_request_id(context);
    context.region = claim ? claim->region : "";
    context.body = context.request.body;
    if (!context.operation) {
        if (auto error = resolve_query_operation(context)) return *error;
    }
    crypto::Sha256 key{};
    if (auto error = authenticate(context, head, &key)) return *error;
    auto expected = Payload::make(context, claim, key);
    if (auto* error = std::get_if<AwsError>(&expected)) return std::move(*error);
    std::string decoded;
    auto& payload = std::get<Payload>(expected);
    auto refused = payload.update(context.request.body, [&](std::string_view chunk) {
        decoded += chunk;
        return std::optional<AwsError>();
    });
    if (refused) return *std::move(refused);
    auto finished = payload.finish();
    if (auto* error = std::get_if<AwsError>(&finished)) return std::move(*error);
    context.body = decoded;
    return context.operation->run(context);
}

// A streamed request body, from the head to the last byte or until the client disconnects.
struct StreamedBody {
    OperationContext context;
    SignedHead head;
    Payload payload;
    BodyReader reader;

    OperationResult consume(std::string_view chunk) {
        if (auto error = payload.update(chunk, reader.on_chunk)) return *std::move(error);
        return http::FullResponse{};
    }
    OperationResult finish() {
        auto trailers = payload.finish();
        if (auto* error = std::get_if<AwsError>(&trailers)) return std::move(*error);
        return reader.on_end(std::get<Parameters>(trailers));
    }
};

http::Admission receive(OperationContext context, SignedHead head) {
    crypto::Sha256 key{};
    auto streamed = std::make_shared<StreamedBody>(
        StreamedBody{.context = std::move(context), .head = std::move(head), .payload = {}, .reader = {}});
    auto& streamed_context = streamed->context;
    assign_request_id(streamed_context);
    if (auto error = authenticate(streamed_context, streamed->head, &key))
        return to_full_response(finish_response(streamed_context, *error));
    auto expected = Payload::make(streamed_context, streamed->head.claim(), key);
    if (auto* error = std::get_if<AwsError>(&expected))
        return to_full_response(finish_response(streamed_context, std::move(*error)));
    streamed->payload = std::get<Payload>(std::move(expected));
    auto operation = streamed_context.operation->receive(streamed_context);
    if (auto* error = std::get_if<AwsError>(&operation))
        return to_full_response(finish_response(streamed_context, std::move(*error)));
    if (auto* response = std::get_if<http::Response>(&operation)) {
        return to_full_response(finish_response(streamed_context, std::move(*response)));
    }
    streamed->reader = std::get<BodyReader>(std::move(operation));
    return http::StreamBody{
        .max_bytes = streamed_bytes_max,
        .consume = [streamed](std::string_view chunk, bool last) -> std::optional<http::Response> {
            auto consumed = streamed->consume(chunk);
            if (std::holds_alternative<AwsError>(consumed)) {
                return finish_response(streamed->context, std::move(consumed));
            }
            if (!last) return std::nullopt;
            return finish_response(streamed->context, streamed->finish());
        }};
}

// Services called by POST to "/" are distinguished by headers that a preflight does not carry.
bool is_service_preflight(const OperationContext& context) {
    return context.bucket.empty() && context.request.path() == "/" &&
           context.request.headers.value("Access-Control-Request-Method") == "POST";
}

OperationResult handle_preflight(OperationContext& context) {
    // Only the address is used: the error for a missing OPTIONS operation is ignored.
    resolve_operation(context, {});
    if (is_service_preflight(context)) context.api = nullptr;
    if (context.api && context.api->preflight) return context.api->preflight(context);
    return preflight_response(context.request);
}

bool is_internal_route(const http::Request& request) {
    return request.path().starts_with(internal_prefix);
}

http::FullResponse internal_response(int status, const boost::json::object& body) {
    http::FullResponse response{.status = status, .body = boost::json::serialize(body)};
    response.headers.set("Content-Type", "application/json");
    return response;
}

http::FullResponse handle_internal_route(const AwsFrontend& frontend, const http::Request& request) {
    if (!http::names_this_machine(request)) {  // Internal routes need no signature.
        return internal_response(
            403,
            {{"message", "Internal routes accept requests only from programs and pages on this machine."}});
    }
    auto path = request.path().substr(internal_prefix.size());
    for (const auto& route : frontend.internal_routes) {
        bool matches = route.path.ends_with('/') ? path.starts_with(route.path) : path == route.path;
        if (matches && route.method == request.method) {
            auto response = route.handle(request, path.substr(route.path.size()));
            if (auto origin = request.headers.get("Origin"))
                response.headers.set("Access-Control-Allow-Origin", *origin);
            return response;
        }
    }
    return internal_response(404, {{"message", "Unknown internal route."}});
}

http::Admission admit(const AwsFrontend& frontend, const http::Request& request,
                      http::RequestContext& http_context) {
    OperationContext context{.frontend = frontend, .request = request, .http_context = http_context};
    if (is_internal_route(request))
        return http::ReadBody{.max_bytes = form_bytes_max, .execution = http::Execution::blocking};
    if (is_preflight(request)) return http::ReadBody{.execution = http::Execution::blocking};
    auto head = parse_signed_head(request);
    const auto* claim = head.claim();
    if (auto error = resolve_operation(context, claim ? claim->service : std::string_view())) {
        if (http_context.may_block) return to_full_response(finish_response(context, *error));
        return http::NeedsBlockingThread();
    }
    if (context.operation && context.operation->receive) {
        if (!http_context.may_block) return http::NeedsBlockingThread();
        return receive(std::move(context), std::move(head));
    }
    return http::ReadBody{.max_bytes = context.operation ? context.operation->max_body_bytes : form_bytes_max,
                          .execution = http::Execution::blocking};
}

http::Response handle(const AwsFrontend& frontend, const http::Request& request,
                      http::RequestContext& http_context) {
    if (is_internal_route(request)) return handle_internal_route(frontend, request);
    OperationContext context{.frontend = frontend, .request = request, .http_context = http_context};
    if (is_preflight(request)) {
        auto result = handle_preflight(context);
        return finish_response(context, std::move(result));
    }
    auto head = parse_signed_head(request);
    auto result = run(context, head);
    return finish_response(context, std::move(result));
}

AwsError transport_error(Protocol protocol, const http::Problem& problem) {
    bool s3 = protocol == Protocol::rest_xml;
    switch (problem.status) {
        case 413: return body_too_large(protocol, form_bytes_max);
        case 408:
            return {.status = 400,
                    .code = "RequestTimeout",
                    .message =
                        "Your socket connection to the server was not read from or written to within the "
                        "timeout period. Idle connections will be closed."};
        case 503:
            return {.status = 503,
                    .code = s3 ? "SlowDown" : "ServiceUnavailable",
                    .message = s3 ? "Please reduce your request rate." : problem.detail};
        case 500: return internal_failure(protocol, problem.detail);
        default: break;
    }
    return {.status = problem.status, .code = "InvalidRequest", .message = problem.detail};
}

http::FullResponse reject(const AwsFrontend& frontend, const http::Request& request,
                          http::RequestContext& http_context, const http::Problem& problem) {
    OperationContext context{.frontend = frontend, .request = request, .http_context = http_context};
    if (!request.target.empty()) {
        auto head = parse_signed_head(request);
        resolve_operation(context, head.claim() ? head.claim()->service : std::string_view());
    }
    auto error = transport_error(effective_protocol(context), problem);
    error.cause = http_context.cause;
    return to_full_response(finish_response(context, std::move(error)));
}

http::FullResponse find_decision(DecisionLog& decisions, std::string_view id) {
    auto decision = decisions.find(id);
    if (!decision)
        return internal_response(404, {{"message", "No refused request with this id is recorded."}});
    http::FullResponse response{.body = decision_json(*decision)};
    response.headers.set("Content-Type", "application/json");
    return response;
}

}  // namespace

AwsFrontend make_frontend(FrontendSettings settings, const Clock& clock, Random& random) {
    auto decisions = std::make_shared<DecisionLog>(settings.max_decisions);
    AwsFrontend frontend{
        .settings = std::move(settings),
        .clock = clock,
        .random = random,
        .find_credentials = [](std::string_view, std::string_view) { return CredentialError::unknown_key; },
        .apis = {},
        .internal_routes = {},
        .decisions = decisions,
        .signing_keys = std::make_shared<aws::SigningKeyCache>()};
    frontend.internal_routes.push_back(
        {http::Method::get, "decisions/",
         [decisions](const http::Request&, std::string_view id) { return find_decision(*decisions, id); }});
    return frontend;
}

http::Application application(const AwsFrontend& frontend) {
    http::Application application;
    application.admit = [&frontend](const http::Request& request, http::RequestContext& http_context) {
        return admit(frontend, request, http_context);
    };
    application.handle = [&frontend](const http::Request& request, http::RequestContext& http_context) {
        return handle(frontend, request, http_context);
    };
    application.reject = [&frontend](const http::Request& request, http::RequestContext& http_context,
                                     const http::Problem& problem) {
        return reject(frontend, request, http_context, problem);
    };
    application.finish = [](const http::Request&, const http::RequestContext&, const http::RequestSummary&) {
    };
    return application;
}

}  // namespace integreat::cloud
