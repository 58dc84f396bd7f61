// SPDX-License-Identifier: Apache-2.0
#include "cloud/aws/dispatch/operation_resolver.h"

#include <algorithm>

#include "cloud/aws/protocol/error_responses.h"
#include "http/routing/router.h"

namespace integreat::cloud {

namespace {

// Lists are fields each: fifty session tags are a hundred, simulations have more.
constexpr std::size_t form_fields_max = 1'000;

const Api* api_named(const Front& front, std::string_view name) {
    auto found = std::ranges::find(front.apis, name, &Api::name);
    return found == front.apis.end() ? nullptr : &*found;
}

const Api* api_signed_as(const Front& front, std::string_view service) {
    auto found = std::ranges::find(front.apis, service, &Api::signing_name);
    return found == front.apis.end() ? nullptr : &*found;
}

const Operation* operation_named(const Api& api, std::string_view name) {
    auto found = std::ranges::find_if(
        api.operations, [&](const Operation& operation) { return operation.about.name == name; });
    return found == api.operations.end() ? nullptr : &*found;
}

std::string names_of(const Api& api) {
    std::string names;
    for (const auto& operation : api.operations)
        names.append(names.empty() ? "" : ", ").append(operation.about.name);
    return names;
}

std::string apis_of(const Front& front) {
    std::string names;
    for (const auto& api : front.apis)
        names.append(names.empty() ? "" : ", ").append(api.name);
    return names;
}

bool is_form(const http::Request& request) {
    return http::equal_ignoring_case(request.headers.value("Content-Type").substr(0, 33),
                                     "application/x-www-form-urlencoded");
}

bool uses_query_protocol(const Exchange& exchange) {
    const auto& request = exchange.request;
    if (request.path() != "/") return false;
    return (request.method == http::Method::post && is_form(request)) || exchange.parameter("Action");
}

// An API we do not have, in the envelope that its client most likely reads.
const Api& stand_in_for(const Exchange& exchange) {
    static const Api json{.name = "", .protocol = Protocol::json};
    static const Api query{.name = "",
                           .protocol = Protocol::query,
                           .xml_namespace = "http://webservices.amazon.com/AWSFault/2005-15-09"};
    static const Api rest{.name = "", .protocol = Protocol::rest_json};
    if (exchange.request.headers.contains("X-Amz-Target")) return json;
    return uses_query_protocol(exchange) ? query : rest;
}

// "Bucket.localhost:4566" → "Bucket"; "s3.localhost" and addresses name none.
std::string_view bucket_of_host(std::string_view host) {
    host = host.substr(0, host.rfind(':'));
    constexpr std::string_view home = ".localhost";
    if (!host.ends_with(home)) return {};
    host.remove_suffix(home.size());
    if (host == "s3") return {};
    if (auto at = host.rfind(".s3");
        at != std::string_view::npos && (at + 3 == host.size() || host[at + 3] == '.')) {
        host = host.substr(0, at);
    }
    return host.starts_with("s3.") ? std::string_view() : host;
}

std::optional<AwsError> read_s3_address(Exchange& exchange) {
    auto path = exchange.request.path();
    path.remove_prefix(1);
    exchange.bucket = bucket_of_host(exchange.request.headers.value("Host"));
    auto decoded = http::percent_decode(path);
    if (!decoded) {
        return AwsError{.status = 400, .code = "InvalidURI", .message = "Couldn't parse the specified URI."};
    }
    if (exchange.bucket.empty()) {
        auto slash = std::min(decoded->find('/'), decoded->size());
        exchange.bucket = decoded->substr(0, slash);
        decoded->erase(0, slash + 1);
    }
    exchange.key = std::move(*decoded);
    return std::nullopt;
}

std::optional<AwsError> find_rest_operation(Exchange& exchange) {
    const auto& api = *exchange.api;
    if (api.protocol == Protocol::rest_xml) {
        if (auto error = read_s3_address(exchange)) return error;
    }
    auto name = api.find(exchange);
    exchange.operation = operation_named(api, name);
    if (exchange.operation) return std::nullopt;
    auto what = name.empty() ? std::string(http::to_string(exchange.request.method)) + " " +
                                   std::string(exchange.request.path().substr(0, 200))
                             : std::string(name);
    return unknown_operation(api.protocol, what, api.title, names_of(api));
}

std::optional<AwsError> find_json_operation(Exchange& exchange, std::string_view target) {
    auto dot = target.rfind('.');
    auto prefix = target.substr(0, dot);
    auto found = std::ranges::find_if(exchange.front.apis, [&](const Api& api) {
        return !api.target_prefix.empty() && api.target_prefix == prefix;
    });
    if (found == exchange.front.apis.end() || dot == std::string_view::npos) {
        exchange.api = &stand_in_for(exchange);
        return unknown_operation(Protocol::json, target.substr(0, 100), "AWS", apis_of(exchange.front));
    }
    exchange.api = &*found;
    auto name = target.substr(dot + 1);
    exchange.operation = operation_named(*found, name);
    if (exchange.operation) return std::nullopt;
    return unknown_operation(found->protocol, name.substr(0, 100), found->title, names_of(*found));
}

}  // namespace

std::optional<AwsError> find_addressee(Exchange& exchange, std::string_view signed_service) {
    const auto& request = exchange.request;
    auto query = http::parse_query(request.query());
    if (!query) {
        return AwsError{.status = 400, .code = "InvalidURI", .message = "Couldn't parse the specified URI."};
    }
    exchange.query = std::move(*query);
    if (!signed_service.empty() && signed_service != "s3") {
        exchange.api = api_signed_as(exchange.front, signed_service);
        if (!exchange.api) {
            exchange.api = &stand_in_for(exchange);
            return unknown_operation(exchange.api->protocol, "anything", signed_service,
                                     apis_of(exchange.front));
        }
    }
    auto target = request.headers.get("X-Amz-Target");
    if (target && signed_service != "s3") return find_json_operation(exchange, *target);
    if (signed_service != "s3" && uses_query_protocol(exchange)) {
        if (!exchange.api || exchange.api->protocol != Protocol::query) {
            exchange.api = api_named(exchange.front, "sts");
        }
        return std::nullopt;  // The form says which; see read_form.
    }
    if (!exchange.api && signed_service.empty() && request.path().starts_with("/v2/email/")) {
        exchange.api = api_named(exchange.front, "ses");
    }
    if (!exchange.api) exchange.api = api_named(exchange.front, "s3");
    if (!exchange.api || !exchange.api->find) {
        if (!exchange.api) exchange.api = &stand_in_for(exchange);
        return unknown_operation(exchange.api->protocol, "a request without X-Amz-Target or Action",
                                 exchange.api->title, apis_of(exchange.front));
    }
    return find_rest_operation(exchange);
}

std::optional<AwsError> read_form(Exchange& exchange) {
    if (!exchange.body.empty()) {
        auto form = http::parse_query(exchange.body, form_fields_max);
        if (!form) {
            return AwsError{.status = 400,
                            .code = "MalformedQueryString",
                            .message = "The query string contains a syntax error."};
        }
        exchange.query = std::move(*form);
    }
    auto action = exchange.parameter("Action");
    if (!action) {
        return AwsError{.status = 400,
                        .code = "MissingAction",
                        .message = "The request is missing an action or a required parameter."};
    }
    exchange.operation = operation_named(*exchange.api, *action);
    if (exchange.operation) return std::nullopt;
    // Unsigned, so that no scope told the service: look in all that speak this protocol.
    for (const auto& api : exchange.front.apis) {
        if (api.protocol != Protocol::query || !exchange.region.empty()) continue;
        if (const auto* operation = operation_named(api, *action)) {
            exchange.api = &api;
            exchange.operation = operation;
            return std::nullopt;
        }
    }
    return unknown_operation(Protocol::query, action->substr(0, 100), exchange.api->title,
                             names_of(*exchange.api));
}

}  // namespace integreat::cloud
