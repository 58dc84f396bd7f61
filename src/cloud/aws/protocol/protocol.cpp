// SPDX-License-Identifier: Apache-2.0
#include "cloud/aws/protocol/protocol.h"

#include <boost/json/serialize.hpp>

#include "cloud/aws/core/frontend.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"

namespace integreat::cloud {

namespace {

constexpr std::string_view declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

http::FullResponse xml_response(int status, std::string_view type, std::string body) {
    http::FullResponse response{.status = status, .body = std::move(body)};
    response.headers.set("Content-Type", type);
    return response;
}

http::FullResponse json_response(const OperationContext& context, int status,
                                 const boost::json::object& body) {
    http::FullResponse response{.status = status, .body = boost::json::serialize(body)};
    response.headers.set("Content-Type", effective_protocol(context) == Protocol::json
                                             ? "application/x-amz-json-1.1"
                                             : "application/json");
    return response;
}

http::FullResponse render_s3_error(const OperationContext& context, const AwsError& error) {
    auto body = std::string(declaration) + "<Error>" + element("Code", error.code) +
                element("Message", error.message);
    for (const auto& [name, value] : error.details)
        body += element(name, value);
    body += element("Resource", context.request.path()) + element("RequestId", context.http_context.id.text) +
            element("HostId", host_id(context.http_context.id.text)) + "</Error>";
    auto response = xml_response(error.status, "application/xml", std::move(body));
    for (const auto& [name, value] : error.headers)
        response.headers.set(name, value);
    return response;
}

http::FullResponse render_query_error(const OperationContext& context, const AwsError& error) {
    const auto& xml_namespace = context.api->xml_namespace;
    auto body = "<ErrorResponse xmlns=\"" + xml_namespace + "\">\n  <Error>\n    " +
                element("Type", error.status < 500 ? "Sender" : "Receiver") + "\n    " +
                element("Code", error.code) + "\n    " + element("Message", error.message) +
                "\n  </Error>\n  " + element("RequestId", context.http_context.id.text) +
                "\n</ErrorResponse>\n";
    return xml_response(error.status, "text/xml", std::move(body));
}

}  // namespace

Protocol effective_protocol(const OperationContext& context) {
    return context.api ? context.api->protocol : Protocol::rest_xml;
}

std::string escape_xml(std::string_view text) {
    std::string escaped;
    escaped.reserve(text.size());
    for (char c : text) {
        switch (c) {
            case '&': escaped += "&amp;"; break;
            case '<': escaped += "&lt;"; break;
            case '>': escaped += "&gt;"; break;
            case '"': escaped += "&quot;"; break;
            case '\r': escaped += "&#13;"; break;
            default:
                // XML 1.0 cannot represent the other control characters.
                escaped += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? '?' : c;
        }
    }
    return escaped;
}

std::string element(std::string_view name, std::string_view text) {
    std::string xml("<");
    return xml.append(name).append(">").append(escape_xml(text)).append("</").append(name).append(">");
}

std::string host_id(std::string_view request_id) {
    return crypto::base64_encode(crypto::as_view(crypto::sha256(request_id)));
}

OperationResult query_result(const OperationContext& context, std::string_view result) {
    std::string action(context.operation->doc.name);
    auto body = "<" + action + "Response xmlns=\"" + context.api->xml_namespace + "\">\n";
    if (!result.empty())
        body.append("  <" + action + "Result>").append(result).append("</" + action + "Result>\n");
    body += "  <ResponseMetadata>" + element("RequestId", context.http_context.id.text) +
            "</ResponseMetadata>\n</" + action + "Response>\n";
    return xml_response(200, "text/xml", std::move(body));
}

OperationResult json_result(const OperationContext& context, const boost::json::object& result) {
    return json_response(context, 200, result);
}

http::FullResponse render_error(const OperationContext& context, const AwsError& error) {
    switch (effective_protocol(context)) {
        case Protocol::rest_xml: return render_s3_error(context, error);
        case Protocol::query: return render_query_error(context, error);
        case Protocol::json:
        case Protocol::rest_json: break;
    }
    auto response =
        json_response(context, error.status, {{"__type", error.code}, {"message", error.message}});
    response.headers.set("x-amzn-ErrorType", error.code);
    return response;
}

}  // namespace integreat::cloud
