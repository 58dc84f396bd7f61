// SPDX-License-Identifier: Apache-2.0
#include "cloud/aws/protocol/protocol.h"

#include <boost/json/serialize.hpp>

#include "cloud/aws/core/frontend.h"
#include "crypto/digest.h"
#include "crypto/encoding.h"

namespace integreat::cloud {

namespace {

constexpr std::string_view declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

Protocol protocol_of(const Exchange& exchange) {
    return exchange.api ? exchange.api->protocol : Protocol::rest_xml;
}

http::Reply xml_reply(int status, std::string_view type, std::string body) {
    http::Reply reply{.status = status, .body = std::move(body)};
    reply.headers.set("Content-Type", type);
    return reply;
}

http::Reply json_reply(const Exchange& exchange, int status, const boost::json::object& body) {
    http::Reply reply{.status = status, .body = boost::json::serialize(body)};
    reply.headers.set("Content-Type", protocol_of(exchange) == Protocol::json ? "application/x-amz-json-1.1"
                                                                              : "application/json");
    return reply;
}

http::Reply render_s3(const Exchange& exchange, const AwsError& error) {
    auto body = std::string(declaration) + "<Error>" + element("Code", error.code) +
                element("Message", error.message);
    for (const auto& [name, value] : error.details)
        body += element(name, value);
    body += element("Resource", exchange.request.path()) + element("RequestId", exchange.call.id.text) +
            element("HostId", host_id(exchange.call.id.text)) + "</Error>";
    auto reply = xml_reply(error.status, "application/xml", std::move(body));
    for (const auto& [name, value] : error.headers)
        reply.headers.set(name, value);
    return reply;
}

http::Reply render_query(const Exchange& exchange, const AwsError& error) {
    std::string scope = exchange.api->xml_namespace;
    auto body = "<ErrorResponse xmlns=\"" + scope + "\">\n  <Error>\n    " +
                element("Type", error.status < 500 ? "Sender" : "Receiver") + "\n    " +
                element("Code", error.code) + "\n    " + element("Message", error.message) +
                "\n  </Error>\n  " + element("RequestId", exchange.call.id.text) + "\n</ErrorResponse>\n";
    return xml_reply(error.status, "text/xml", std::move(body));
}

}  // namespace

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
                // XML 1.0 has no way to say the other control characters.
                escaped += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? '?' : c;
        }
    }
    return escaped;
}

std::string element(std::string_view name, std::string_view text) {
    std::string whole("<");
    return whole.append(name).append(">").append(escape_xml(text)).append("</").append(name).append(">");
}

std::string host_id(std::string_view request_id) {
    return crypto::base64_encode(crypto::as_view(crypto::sha256(request_id)));
}

Answer query_result(const Exchange& exchange, std::string_view result) {
    std::string action(exchange.operation->about.name);
    auto body = "<" + action + "Response xmlns=\"" + exchange.api->xml_namespace + "\">\n";
    if (!result.empty())
        body.append("  <" + action + "Result>").append(result).append("</" + action + "Result>\n");
    body += "  <ResponseMetadata>" + element("RequestId", exchange.call.id.text) + "</ResponseMetadata>\n</" +
            action + "Response>\n";
    return xml_reply(200, "text/xml", std::move(body));
}

Answer json_result(const Exchange& exchange, const boost::json::object& result) {
    return json_reply(exchange, 200, result);
}

http::Reply render(const Exchange& exchange, const AwsError& error) {
    switch (protocol_of(exchange)) {
        case Protocol::rest_xml: return render_s3(exchange, error);
        case Protocol::query: return render_query(exchange, error);
        case Protocol::json:
        case Protocol::rest_json: break;
    }
    auto reply = json_reply(exchange, error.status, {{"__type", error.code}, {"message", error.message}});
    reply.headers.set("x-amzn-ErrorType", error.code);
    return reply;
}

}  // namespace integreat::cloud
