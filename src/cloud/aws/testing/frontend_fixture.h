// SPDX-License-Identifier: Apache-2.0
// Test support for the local cloud: requests signed as SDKs sign them, and their responses.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "aws/sigv4.h"
#include "cloud/aws/core/frontend.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"
#include "http/transport/application.h"

namespace integreat::cloud::testing {

struct Key {
    std::string id = "AKIAIOSFODNN7EXAMPLE";
    std::string secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    std::string token = {};
};

struct RequestSpec {
    http::Method method = http::Method::post;
    std::string target = "/";
    std::string service = "sts";
    std::string region = "us-east-1";
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::string body = {};
    std::string payload = {};  // The value of x-amz-content-sha256; empty means the hash of the body.
};

inline void sign(http::Request& request, const RequestSpec& spec, const Key& key, Time now) {
    bool s3 = spec.service == "s3";
    auto hash = crypto::hex_encode(crypto::as_view(crypto::sha256(spec.body)));
    auto payload = spec.payload.empty() ? hash : spec.payload;
    request.headers.set("X-Amz-Date", aws::format_sigv4_time(now));
    if (s3) request.headers.set("x-amz-content-sha256", payload);
    if (!key.token.empty()) request.headers.set("X-Amz-Security-Token", key.token);
    std::vector<aws::SigV4Header> fields;
    for (auto field : request.headers)
        fields.push_back({field.name, field.value});
    auto value = aws::sign_request(
        {http::to_string(request.method), request.path(), request.query(), fields},
        {.access_key_id = key.id,
         .secret_key = Secret(key.secret),
         .region = spec.region,
         .service = spec.service,
         .security_token = key.token,
         .path_encoding = s3 ? aws::SigV4PathEncoding::once : aws::SigV4PathEncoding::twice},
        now, s3 ? payload : hash);
    request.headers.set("Authorization", value);
}

inline http::Request unsigned_request(const RequestSpec& spec) {
    http::Request request;
    request.method = spec.method;
    request.target = spec.target;
    request.peer.address = "127.0.0.1";
    request.headers.set("Host", "127.0.0.1:4566");
    for (const auto& [name, value] : spec.headers)
        request.headers.set(name, value);
    request.body = spec.body;
    if (spec.method == http::Method::put || spec.method == http::Method::post) {
        request.headers.set("Content-Length", std::to_string(spec.body.size()));
    }
    return request;
}

inline http::Request signed_request(const RequestSpec& spec, const Key& key, Time now) {
    auto request = unsigned_request(spec);
    sign(request, spec, key, now);
    return request;
}

struct ReceivedResponse {
    int status = 0;
    http::Headers headers;
    std::string body;

    bool contains(std::string_view text) const { return body.find(text) != std::string::npos; }
    // Returns the text of the first XML element of this name. For JSON bodies use contains().
    std::string text(const std::string& name) const {
        auto begin = body.find("<" + name + ">");
        if (begin == std::string::npos) return {};
        begin += name.size() + 2;
        return body.substr(begin, body.find("</" + name + ">", begin) - begin);
    }
};

inline ReceivedResponse send_request(const http::Application& application, const http::Request& request) {
    http::RequestContext context;
    auto response = http::handle(application, request, context);
    const auto& full = std::get<http::FullResponse>(response);
    ReceivedResponse received{full.status, full.headers, full.body};
    received.headers.append(context.response_headers);
    return received;
}

}  // namespace integreat::cloud::testing
