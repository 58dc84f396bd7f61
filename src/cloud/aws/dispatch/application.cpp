// SPDX-License-Identifier: Apache-2.0
// The order in which a request is read, authenticated, run and answered.
#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "cloud/aws/auth/authentication.h"
#include "cloud/aws/auth/payload.h"
#include "cloud/aws/core/frontend.h"
#include "cloud/aws/dispatch/cors.h"
#include "cloud/aws/dispatch/decision_log.h"
#include "cloud/aws/dispatch/operation_resolver.h"
#include "cloud/aws/protocol/error_responses.h"
#include "cloud/aws/protocol/protocol.h"
#include "crypto/encoding.h"
#include "crypto/ids.h"

namespace integreat::cloud {

namespace {

constexpr std::size_t form_bytes_max = 1024 * 1024;
constexpr std::uint64_t streamed_bytes_max = std::uint64_t(5) * 1024 * 1024 * 1024 + 64 * 1024 * 1024;
constexpr std::string_view local_prefix = "/_integreat/";

Protocol protocol_of(const Exchange& exchange) {
    return exchange.api ? exchange.api->protocol : Protocol::rest_xml;
}

// Sixteen hexadecimal digits, as S3's are.
std::string s3_request_id(Random& random) {
    auto uuid = crypto::make_uuid(random);
    std::erase(uuid, '-');
    uuid.resize(16);
    std::ranges::transform(uuid, uuid.begin(),
                           [](char c) { return c >= 'a' ? static_cast<char>(c - 32) : c; });
    return uuid;
}

bool is_s3(const Exchange& exchange) {
    return protocol_of(exchange) == Protocol::rest_xml;
}

// The id that AWS's clients print; known before anything of the answer is written.
void number(Exchange& exchange) {
    auto& random = exchange.front.random;
    auto& id = exchange.call.id.text;
    if (id.empty()) id = is_s3(exchange) ? s3_request_id(random) : crypto::make_uuid(random);
}

// The fields that every answer has.
void dress(Exchange& exchange) {
    number(exchange);
    auto& headers = exchange.call.response_headers;
    const auto& id = exchange.call.id.text;
    bool s3 = is_s3(exchange);
    if (s3) {
        headers.set("x-amz-request-id", id);
        headers.set("x-amz-id-2", host_id(id));
    } else {
        headers.set("x-amzn-RequestId", id);
    }
    if (exchange.api && exchange.api->add_cors) {
        exchange.api->add_cors(exchange, headers);
    } else {
        add_open_cors(exchange.request, headers);
    }
}

http::Response conclude(Exchange& exchange, Answer answer) {
    dress(exchange);
    if (auto* response = std::get_if<http::Response>(&answer)) return std::move(*response);
    auto& error = std::get<AwsError>(answer);
    exchange.call.cause = error.cause;
    exchange.call.decision.type = error.code;
    exchange.front.decisions->add(decision_of(exchange, error, exchange.front.clock.now()));
    return render(exchange, error);
}

http::Reply as_reply(http::Response response) {
    return std::get<http::Reply>(std::move(response));
}

// The whole body is here: what remains is to verify, run and answer.
Answer run(Exchange& exchange, const SignedHead& head) {
    const auto* claim = head.claim();
    if (auto error = find_addressee(exchange, claim ? claim->service : std::string_view())) return *error;
    number(exchange);
    exchange.region = claim ? claim->region : "";
    exchange.body = exchange.request.body;
    if (!exchange.operation) {
        if (auto error = read_form(exchange)) return *error;
    }
    crypto::Sha256 key{};
    if (auto error = authenticate(exchange, head, &key)) return *error;
    auto expected = Payload::expect(exchange, claim, key);
    if (auto* error = std::get_if<AwsError>(&expected)) return std::move(*error);
    std::string decoded;
    auto& payload = std::get<Payload>(expected);
    auto taken = payload.take(exchange.request.body, [&](std::string_view piece) {
        decoded += piece;
        return std::optional<AwsError>();
    });
    if (taken) return *std::move(taken);
    auto finished = payload.finish();
    if (auto* error = std::get_if<AwsError>(&finished)) return std::move(*error);
    exchange.body = decoded;
    return exchange.operation->run(exchange);
}

// A body that streams. Lives from the head to the last byte, or until the client goes away.
struct Streaming {
    Exchange exchange;
    SignedHead head;
    Payload payload;
    BodyReader reader;

    Answer consume(std::string_view piece) {
        if (auto error = payload.take(piece, reader.piece)) return *std::move(error);
        return http::Reply{};
    }
    Answer finish() {
        auto trailers = payload.finish();
        if (auto* error = std::get_if<AwsError>(&trailers)) return std::move(*error);
        return reader.end(std::get<Parameters>(trailers));
    }
};

http::Admission receive(Exchange exchange, SignedHead head) {
    crypto::Sha256 key{};
    auto streaming = std::make_shared<Streaming>(
        Streaming{.exchange = std::move(exchange), .head = std::move(head), .payload = {}, .reader = {}});
    auto& ex = streaming->exchange;
    number(ex);
    if (auto error = authenticate(ex, streaming->head, &key)) return as_reply(conclude(ex, *error));
    auto expected = Payload::expect(ex, streaming->head.claim(), key);
    if (auto* error = std::get_if<AwsError>(&expected)) return as_reply(conclude(ex, std::move(*error)));
    streaming->payload = std::get<Payload>(std::move(expected));
    auto reception = ex.operation->receive(ex);
    if (auto* error = std::get_if<AwsError>(&reception)) return as_reply(conclude(ex, std::move(*error)));
    if (auto* response = std::get_if<http::Response>(&reception)) {
        return as_reply(conclude(ex, std::move(*response)));
    }
    streaming->reader = std::get<BodyReader>(std::move(reception));
    return http::StreamBody{
        .bytes_max = streamed_bytes_max,
        .consume = [streaming](std::string_view piece, bool last) -> std::optional<http::Response> {
            auto consumed = streaming->consume(piece);
            if (std::holds_alternative<AwsError>(consumed)) {
                return conclude(streaming->exchange, std::move(consumed));
            }
            if (!last) return std::nullopt;
            return conclude(streaming->exchange, streaming->finish());
        }};
}

// Services that are called by POST to "/" are known apart by fields that a preflight does not carry.
bool is_call_of_a_service(const Exchange& exchange) {
    return exchange.bucket.empty() && exchange.request.path() == "/" &&
           exchange.request.headers.value("Access-Control-Request-Method") == "POST";
}

Answer preflight(Exchange& exchange) {
    // The address is enough; that no operation is an OPTIONS is no error here.
    find_addressee(exchange, {});
    if (is_call_of_a_service(exchange)) exchange.api = nullptr;
    if (exchange.api && exchange.api->preflight) return exchange.api->preflight(exchange);
    return open_preflight(exchange.request);
}

bool is_local(const http::Request& request) {
    return request.path().starts_with(local_prefix);
}

bool is_loopback(std::string_view host) {
    if (host.starts_with("[::1]")) return host.size() == 5 || host[5] == ':';
    auto name = host.substr(0, host.find(':'));
    return name == "127.0.0.1" || name == "localhost";
}

http::Reply local_reply(int status, const boost::json::object& body) {
    http::Reply reply{.status = status, .body = boost::json::serialize(body)};
    reply.headers.set("Content-Type", "application/json");
    return reply;
}

// A page of a foreign site, or a name that was made to point here, must not read what needs no signature.
bool asked_from_here(const http::Request& request) {
    auto origin = request.headers.value("Origin");
    auto scheme = origin.find("://");
    auto host = scheme == std::string_view::npos ? origin : origin.substr(scheme + 3);
    return is_loopback(request.headers.value("Host")) && (origin.empty() || is_loopback(host));
}

http::Reply answer_locally(const Front& front, const http::Request& request) {
    if (!asked_from_here(request)) {
        return local_reply(403, {{"message", "this answers only to programs and pages of this machine"}});
    }
    auto path = request.path().substr(local_prefix.size());
    for (const auto& route : front.local_routes) {
        bool fits = route.path.ends_with('/') ? path.starts_with(route.path) : path == route.path;
        if (fits && route.method == request.method) {
            auto reply = route.answer(request, path.substr(route.path.size()));
            if (auto origin = request.headers.get("Origin"))
                reply.headers.set("Access-Control-Allow-Origin", *origin);
            return reply;
        }
    }
    return local_reply(404, {{"message", "there is no such local route"}});
}

http::Admission admit(const Front& front, const http::Request& request, http::Call& call) {
    Exchange exchange{.front = front, .request = request, .call = call};
    if (is_local(request)) return http::ReadBody{.bytes_max = form_bytes_max, .waits = true};
    if (is_preflight(request)) return http::ReadBody{.bytes_max = 0, .waits = true};
    auto head = read_signed_head(request);
    const auto* claim = head.claim();
    if (auto error = find_addressee(exchange, claim ? claim->service : std::string_view())) {
        if (call.may_wait) return as_reply(conclude(exchange, *error));
        return http::Defer();
    }
    if (exchange.operation && exchange.operation->receive) {
        if (!call.may_wait) return http::Defer();
        return receive(std::move(exchange), std::move(head));
    }
    return http::ReadBody{
        .bytes_max = exchange.operation ? exchange.operation->body_bytes_max : form_bytes_max, .waits = true};
}

http::Response answer(const Front& front, const http::Request& request, http::Call& call) {
    if (is_local(request)) return answer_locally(front, request);
    Exchange exchange{.front = front, .request = request, .call = call};
    if (is_preflight(request)) {
        auto answered = preflight(exchange);
        return conclude(exchange, std::move(answered));
    }
    auto head = read_signed_head(request);
    auto answered = run(exchange, head);
    return conclude(exchange, std::move(answered));
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

http::Reply reject(const Front& front, const http::Request& request, http::Call& call,
                   const http::Problem& problem) {
    Exchange exchange{.front = front, .request = request, .call = call};
    if (!request.target.empty()) {
        auto head = read_signed_head(request);
        find_addressee(exchange, head.claim() ? head.claim()->service : std::string_view());
    }
    auto error = transport_error(protocol_of(exchange), problem);
    error.cause = call.cause;
    return as_reply(conclude(exchange, std::move(error)));
}

http::Reply find_decision(DecisionLog& decisions, std::string_view id) {
    auto found = decisions.find(id);
    if (!found) return local_reply(404, {{"message", "no refusal of this id is known"}});
    http::Reply reply{.body = decision_json(*found)};
    reply.headers.set("Content-Type", "application/json");
    return reply;
}

}  // namespace

Front make_front(FrontSettings settings, const Clock& clock, Random& random) {
    auto decisions = std::make_shared<DecisionLog>(settings.decisions_max);
    Front front{
        .settings = std::move(settings),
        .clock = clock,
        .random = random,
        .find_credentials = [](std::string_view, std::string_view) { return KeyTrouble::unknown_key; },
        .apis = {},
        .local_routes = {},
        .decisions = decisions,
        .signing_keys = std::make_shared<aws::SigningKeyCache>()};
    front.local_routes.push_back(
        {http::Method::get, "decisions/",
         [decisions](const http::Request&, std::string_view id) { return find_decision(*decisions, id); }});
    return front;
}

http::Application application(const Front& front) {
    http::Application application;
    application.admit = [&front](const http::Request& request, http::Call& call) {
        return admit(front, request, call);
    };
    application.answer = [&front](const http::Request& request, http::Call& call) {
        return answer(front, request, call);
    };
    application.reject = [&front](const http::Request& request, http::Call& call,
                                  const http::Problem& problem) {
        return reject(front, request, call, problem);
    };
    application.finish = [](const http::Request&, const http::Call&, const http::Outcome&) {};
    return application;
}

}  // namespace integreat::cloud
