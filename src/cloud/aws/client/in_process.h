// SPDX-License-Identifier: Apache-2.0
// Requests to the frontend on the calling thread, without sockets: signed as an SDK signs them, their
// responses read completely.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"
#include "http/transport/application.h"

namespace integreat::cloud {

struct ClientCredentials {
    std::string access_key_id;
    Secret secret_key;
    std::string session_token = {};  // Temporary credentials only.
};

struct SigningScope {
    std::string service;
    std::string region;
    Time now;
    // The value of x-amz-content-sha256, S3 only: empty means the hash of the body.
    std::string payload = {};
};

// Adds X-Amz-Date, X-Amz-Security-Token, x-amz-content-sha256 (S3 only) and Authorization.
void sign_request(http::Request& request, const ClientCredentials& credentials, const SigningScope& scope);

// Handles a request and returns its response with the headers of the context. Blocks. Reads a streamed body,
// for HEAD only its length. Fault::exhausted for a body of more than `max_body_bytes`.
Result<http::FullResponse> handle_in_process(const http::Application& application,
                                             const http::Request& request, http::RequestContext& context,
                                             std::size_t max_body_bytes);

}  // namespace integreat::cloud
