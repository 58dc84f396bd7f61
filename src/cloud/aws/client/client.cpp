// SPDX-License-Identifier: Apache-2.0
#include "cloud/aws/client/client.h"

#include <boost/json/serialize.hpp>

#include "aws/sigv4_canonical.h"
#include "cloud/aws/dispatch/application.h"
#include "cloud/aws/dispatch/operation_resolver.h"
#include "cloud/aws/protocol/error_responses.h"
#include "json/value/parse.h"

namespace integreat::cloud {

namespace json = boost::json;

namespace {

constexpr std::string_view loopback = "127.0.0.1";
constexpr std::size_t json_bytes_max = 16 * 1024 * 1024;

// Returns the region of the credential scope; IAM is a global service.
std::string signing_region(const AwsFrontend& frontend, std::string_view service) {
    return service == "iam" ? "us-east-1" : frontend.settings.region;
}

std::string encode_parameters(const Parameters& parameters) {
    std::string encoded;
    for (const auto& [name, value] : parameters) {
        if (!encoded.empty()) encoded += '&';
        encoded.append(aws::uri_encode(name)).append("=").append(aws::uri_encode(value));
    }
    return encoded;
}

std::string find_request_id(const http::FullResponse& response) {
    auto id = response.headers.get("x-amz-request-id");
    return std::string(id ? *id : response.headers.value("x-amzn-RequestId"));
}

void parse_xml_error(std::string_view body, AwsError& error) {
    auto root = formats::parse_xml(body);
    if (!root) return;
    const auto* element = root->name == "Error" ? &*root : root->child("Error");
    if (!element || element->value("Code").empty()) return;
    error.code = element->value("Code");
    error.message = element->value("Message");
    for (const auto& [name, text, children] : element->children) {
        bool is_detail = name != "Code" && name != "Message" && name != "Type" && name != "Resource" &&
                         name != "RequestId" && name != "HostId";
        if (is_detail) error.details.emplace_back(name, text);
    }
}

void parse_json_error(std::string_view body, AwsError& error) {
    auto root = integreat::json::parse_object(body);
    if (!root) return;
    auto text = [&](std::string_view name) {
        const auto* value = root->if_contains(name);
        return value && value->is_string() ? std::string(value->get_string()) : std::string();
    };
    auto code = text("__type");
    if (code.empty()) return;
    error.code = code.substr(code.find('#') + 1);  // "com.amazonaws.ssm#ParameterNotFound"
    error.message = text("message");
}

AwsError parse_error(const http::FullResponse& response, std::string_view service) {
    AwsError error{.status = response.status,
                   .code = std::to_string(response.status),
                   .message = std::string(http::reason_phrase(response.status)),
                   .cause = "request " + find_request_id(response) + " to " + std::string(service)};
    if (response.body.starts_with('<')) parse_xml_error(response.body, error);
    if (response.body.starts_with('{')) parse_json_error(response.body, error);
    return error;
}

AwsError unreadable_response(Protocol protocol, const http::FullResponse& response, const Error& error) {
    return internal_failure(protocol,
                            "the response to request " + find_request_id(response) + ": " + error.message);
}

}  // namespace

Client::Client(const AwsFrontend& frontend, ClientCredentials credentials)
    : frontend_(frontend), application_(application(frontend)), credentials_(std::move(credentials)) {}

AwsResult<formats::XmlElement> Client::call_query(std::string_view service, std::string_view action,
                                                  const Parameters& parameters) const {
    auto form = encode_parameters({{"Action", std::string(action)}});
    if (!parameters.empty()) form.append("&").append(encode_parameters(parameters));
    auto response = TRY(call_rest({.service = std::string(service),
                                   .method = http::Method::post,
                                   .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                                   .body = std::move(form)}));
    auto document = formats::parse_xml(response.body);
    if (!document) return unreadable_response(Protocol::query, response, document.error());
    auto result = std::string(action) + "Result";
    if (const auto* element = document->child(result)) return *element;
    return formats::XmlElement{.name = std::move(result)};
}

AwsResult<json::object> Client::call_json(std::string_view service, std::string_view operation,
                                          const json::object& parameters) const {
    const auto* api = find_api(frontend_, service);
    auto target = api ? api->target_prefix : std::string(service);
    target.append(".").append(operation);
    auto response =
        TRY(call_rest({.service = std::string(service),
                       .method = http::Method::post,
                       .headers = {{"Content-Type", "application/x-amz-json-1.1"}, {"X-Amz-Target", target}},
                       .body = json::serialize(parameters)}));
    if (response.body.empty()) return json::object();
    auto document = integreat::json::parse_object(response.body, {.max_bytes = json_bytes_max});
    if (!document) return unreadable_response(Protocol::json, response, document.error());
    return *std::move(document);
}

AwsResult<http::FullResponse> Client::call_rest(RestCall call) const {
    const auto* api = find_api(frontend_, call.service);
    http::Request request;
    request.method = call.method;
    request.target = aws::uri_encode(call.path, true);
    if (!call.query.empty()) request.target.append("?").append(encode_parameters(call.query));
    request.peer.address = loopback;
    request.headers = std::move(call.headers);
    request.headers.set("Host", loopback);
    request.body = std::move(call.body);
    if (request.method == http::Method::put || request.method == http::Method::post)
        request.headers.set("Content-Length", std::to_string(request.body.size()));
    sign_request(request, credentials_,
                 {.service = api ? api->signing_name : call.service,
                  .region = signing_region(frontend_, call.service),
                  .now = frontend_.clock.now()});
    http::RequestContext context;
    auto response = handle_in_process(application_, request, context, call.max_response_bytes);
    if (!response) return to_aws_error(response.error());
    if (response->status < 300) return *std::move(response);
    return parse_error(*response, call.service);
}

}  // namespace integreat::cloud
