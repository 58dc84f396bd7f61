// SPDX-License-Identifier: Apache-2.0
// Test support for the local cloud: requests signed as SDKs sign them, and their responses.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cloud/aws/client/in_process.h"
#include "cloud/aws/core/frontend.h"

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

inline ClientCredentials to_credentials(const Key& key) {
    return {.access_key_id = key.id, .secret_key = Secret(key.secret), .session_token = key.token};
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

inline void sign(http::Request& request, const RequestSpec& spec, const Key& key, Time now) {
    sign_request(request, to_credentials(key),
                 {.service = spec.service, .region = spec.region, .now = now, .payload = spec.payload});
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

inline ReceivedResponse send_request(const http::Application& application, const http::Request& request,
                                     std::string* cause = nullptr) {
    http::RequestContext context;
    auto response = *handle_in_process(application, request, context, std::size_t(1) << 30);
    if (cause) *cause = context.cause;
    return {response.status, std::move(response.headers), std::move(response.body)};
}

}  // namespace integreat::cloud::testing
