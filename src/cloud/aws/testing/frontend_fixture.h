// SPDX-License-Identifier: Apache-2.0
// For tests of the local cloud: requests signed as SDKs sign them, and what came back.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "aws/sigv4.h"
#include "cloud/aws/core/frontend.h"
#include "crypto/digest.h"
#include "crypto/encoding.h"
#include "http/transport/application.h"

namespace integreat::cloud::testing {

struct Key {
    std::string id = "AKIAIOSFODNN7EXAMPLE";
    std::string secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    std::string token = {};
};

struct Sent {
    http::Method method = http::Method::post;
    std::string target = "/";
    std::string service = "sts";
    std::string region = "us-east-1";
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::string body = {};
    std::string payload = {};  // What x-amz-content-sha256 says; empty: the body's hash.
};

inline void sign(http::Request& request, const Sent& sent, const Key& key, Time now) {
    bool s3 = sent.service == "s3";
    auto hash = crypto::hex_encode(crypto::as_view(crypto::sha256(sent.body)));
    auto payload = sent.payload.empty() ? hash : sent.payload;
    request.headers.set("X-Amz-Date", aws::format_sigv4_time(now));
    if (s3) request.headers.set("x-amz-content-sha256", payload);
    if (!key.token.empty()) request.headers.set("X-Amz-Security-Token", key.token);
    std::vector<aws::SigV4Field> fields;
    for (auto field : request.headers)
        fields.push_back({field.name, field.value});
    auto value = aws::sign_request({http::to_string(request.method), request.path(), request.query(), fields},
                                   {.access_key_id = key.id,
                                    .secret_key = Secret(key.secret),
                                    .region = sent.region,
                                    .service = sent.service,
                                    .security_token = key.token,
                                    .path = s3 ? aws::SigV4Path::as_sent : aws::SigV4Path::encoded_again},
                                   now, s3 ? payload : hash);
    request.headers.set("Authorization", value);
}

inline http::Request unsigned_request(const Sent& sent) {
    http::Request request;
    request.method = sent.method;
    request.target = sent.target;
    request.peer.address = "127.0.0.1";
    request.headers.set("Host", "127.0.0.1:4566");
    for (const auto& [name, value] : sent.headers)
        request.headers.set(name, value);
    request.body = sent.body;
    if (sent.method == http::Method::put || sent.method == http::Method::post) {
        request.headers.set("Content-Length", std::to_string(sent.body.size()));
    }
    return request;
}

inline http::Request signed_request(const Sent& sent, const Key& key, Time now) {
    auto request = unsigned_request(sent);
    sign(request, sent, key, now);
    return request;
}

struct Received {
    int status = 0;
    http::Headers headers;
    std::string body;

    bool says(std::string_view text) const { return body.find(text) != std::string::npos; }
    // Of an XML body: the text of the first element of this name; of a JSON body use says().
    std::string text(const std::string& name) const {
        auto begin = body.find("<" + name + ">");
        if (begin == std::string::npos) return {};
        begin += name.size() + 2;
        return body.substr(begin, body.find("</" + name + ">", begin) - begin);
    }
};

inline Received ask(const http::Application& application, const http::Request& request) {
    http::Call call;
    auto response = http::handle(application, request, call);
    const auto& reply = std::get<http::Reply>(response);
    Received received{reply.status, reply.headers, reply.body};
    received.headers.append(call.response_headers);
    return received;
}

}  // namespace integreat::cloud::testing
