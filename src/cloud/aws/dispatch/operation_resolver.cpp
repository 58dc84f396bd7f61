// SPDX-License-Identifier: Apache-2.0
#include "cloud/aws/dispatch/operation_resolver.h"

#include <algorithm>

#include "base/text/ascii.h"
#include "cloud/aws/protocol/error_responses.h"
#include "http/routing/target.h"

namespace integreat::cloud {

namespace {

// Lists take one field per element: fifty session tags are a hundred fields, simulations have more.
constexpr std::size_t form_fields_max = 1'000;

const Api* find_api_by_signing_name(const AwsFrontend& frontend, std::string_view service) {
    auto found = std::ranges::find(frontend.apis, service, &Api::signing_name);
    return found == frontend.apis.end() ? nullptr : &*found;
}

const Operation* find_operation(const Api& api, std::string_view name) {
    auto found = std::ranges::find_if(api.operations,
                                      [&](const Operation& operation) { return operation.doc.name == name; });
    return found == api.operations.end() ? nullptr : &*found;
}

std::string join_operation_names(const Api& api) {
    std::string names;
    for (const auto& operation : api.operations)
        names.append(names.empty() ? "" : ", ").append(operation.doc.name);
    return names;
}

std::string join_api_names(const AwsFrontend& frontend) {
    std::string names;
    for (const auto& api : frontend.apis)
        names.append(names.empty() ? "" : ", ").append(api.name);
    return names;
}

bool is_form(const http::Request& request) {
    return iequals(request.headers.value("Content-Type").substr(0, 33), "application/x-www-form-urlencoded");
}

bool uses_query_protocol(const OperationContext& context) {
    const auto& request = context.request;
    if (request.path() != "/") return false;
    return (request.method == http::Method::post && is_form(request)) || context.parameter("Action");
}

// Returns a placeholder for an unsupported API, with the protocol that its client most likely expects.
const Api& placeholder_api(const OperationContext& context) {
    static const Api json{.name = "", .protocol = Protocol::json};
    static const Api query{.name = "",
                           .protocol = Protocol::query,
                           .xml_namespace = "http://webservices.amazon.com/AWSFault/2005-15-09"};
    static const Api rest{.name = "", .protocol = Protocol::rest_json};
    if (context.request.headers.contains("X-Amz-Target")) return json;
    return uses_query_protocol(context) ? query : rest;
}

// "Bucket.localhost:4566" → "Bucket"; "s3.localhost" and IP addresses name no bucket.
std::string_view bucket_from_host(std::string_view host) {
    host = host.substr(0, host.rfind(':'));
    constexpr std::string_view suffix = ".localhost";
    if (!host.ends_with(suffix)) return {};
    host.remove_suffix(suffix.size());
    if (host == "s3") return {};
    if (auto at = host.rfind(".s3");
        at != std::string_view::npos && (at + 3 == host.size() || host[at + 3] == '.')) {
        host = host.substr(0, at);
    }
    return host.starts_with("s3.") ? std::string_view() : host;
}

std::optional<AwsError> parse_s3_address(OperationContext& context) {
    auto path = context.request.path();
    path.remove_prefix(1);
    context.bucket = bucket_from_host(context.request.headers.value("Host"));
    auto decoded = http::percent_decode(path);
    if (!decoded) {
        return AwsError{.status = 400, .code = "InvalidURI", .message = "Couldn't parse the specified URI."};
    }
    if (context.bucket.empty()) {
        auto slash = std::min(decoded->find('/'), decoded->size());
        context.bucket = decoded->substr(0, slash);
        decoded->erase(0, slash + 1);
    }
    context.key = std::move(*decoded);
    return std::nullopt;
}

std::optional<AwsError> resolve_rest_operation(OperationContext& context) {
    const auto& api = *context.api;
    if (api.protocol == Protocol::rest_xml) {
        if (auto error = parse_s3_address(context)) return error;
    }
    auto name = api.find_operation(context);
    context.operation = find_operation(api, name);
    if (context.operation) return std::nullopt;
    auto description = name.empty() ? std::string(http::to_string(context.request.method)) + " " +
                                          std::string(context.request.path().substr(0, 200))
                                    : std::string(name);
    return unknown_operation(api.protocol, description, api.title, join_operation_names(api));
}

std::optional<AwsError> resolve_json_operation(OperationContext& context, std::string_view target) {
    auto dot = target.rfind('.');
    auto prefix = target.substr(0, dot);
    auto found = std::ranges::find_if(context.frontend.apis, [&](const Api& api) {
        return !api.target_prefix.empty() && api.target_prefix == prefix;
    });
    if (found == context.frontend.apis.end() || dot == std::string_view::npos) {
        context.api = &placeholder_api(context);
        return unknown_operation(Protocol::json, target.substr(0, 100), "AWS",
                                 join_api_names(context.frontend));
    }
    context.api = &*found;
    auto name = target.substr(dot + 1);
    context.operation = find_operation(*found, name);
    if (context.operation) return std::nullopt;
    return unknown_operation(found->protocol, name.substr(0, 100), found->title,
                             join_operation_names(*found));
}

}  // namespace

const Api* find_api(const AwsFrontend& frontend, std::string_view name) {
    auto found = std::ranges::find(frontend.apis, name, &Api::name);
    return found == frontend.apis.end() ? nullptr : &*found;
}

std::optional<AwsError> resolve_operation(OperationContext& context, std::string_view signed_service) {
    const auto& request = context.request;
    auto query = http::parse_query(request.query());
    if (!query) {
        return AwsError{.status = 400, .code = "InvalidURI", .message = "Couldn't parse the specified URI."};
    }
    context.query = std::move(*query);
    if (!signed_service.empty() && signed_service != "s3") {
        context.api = find_api_by_signing_name(context.frontend, signed_service);
        if (!context.api) {
            context.api = &placeholder_api(context);
            return unknown_operation(context.api->protocol, "anything", signed_service,
                                     join_api_names(context.frontend));
        }
    }
    auto target = request.headers.get("X-Amz-Target");
    if (target && signed_service != "s3") return resolve_json_operation(context, *target);
    if (signed_service != "s3" && uses_query_protocol(context)) {
        if (!context.api || context.api->protocol != Protocol::query) {
            context.api = find_api(context.frontend, "sts");
        }
        return std::nullopt;  // The form names the operation; see resolve_query_operation.
    }
    if (!context.api && signed_service.empty() && request.path().starts_with("/v2/email/")) {
        context.api = find_api(context.frontend, "ses");
    }
    if (!context.api) context.api = find_api(context.frontend, "s3");
    if (!context.api || !context.api->find_operation) {
        if (!context.api) context.api = &placeholder_api(context);
        return unknown_operation(context.api->protocol, "a request without X-Amz-Target or Action",
                                 context.api->title, join_api_names(context.frontend));
    }
    return resolve_rest_operation(context);
}

std::optional<AwsError> resolve_query_operation(OperationContext& context) {
    if (!context.body.empty()) {
        auto form = http::parse_query(context.body, form_fields_max);
        if (!form) {
            return AwsError{.status = 400,
                            .code = "MalformedQueryString",
                            .message = "The query string contains a syntax error."};
        }
        context.query = std::move(*form);
    }
    auto action = context.parameter("Action");
    if (!action) {
        return AwsError{.status = 400,
                        .code = "MissingAction",
                        .message = "The request is missing an action or a required parameter."};
    }
    context.operation = find_operation(*context.api, *action);
    if (context.operation) return std::nullopt;
    // Unsigned requests have no scope that names the service: search all APIs of this protocol.
    for (const auto& api : context.frontend.apis) {
        if (api.protocol != Protocol::query || !context.region.empty()) continue;
        if (const auto* operation = find_operation(api, *action)) {
            context.api = &api;
            context.operation = operation;
            return std::nullopt;
        }
    }
    return unknown_operation(Protocol::query, action->substr(0, 100), context.api->title,
                             join_operation_names(*context.api));
}

}  // namespace integreat::cloud
