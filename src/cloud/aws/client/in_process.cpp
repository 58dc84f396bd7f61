// SPDX-License-Identifier: Apache-2.0
#include "cloud/aws/client/in_process.h"

#include <chrono>
#include <vector>

#include "aws/sigv4.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"
#include "http/transport/buffered.h"

namespace integreat::cloud {

namespace {

// Bodies of the local cloud come from files, so they are never pending this long.
constexpr std::chrono::seconds read_timeout{30};

Result<http::FullResponse> read_response(http::Response response, http::Method method,
                                         std::size_t max_body_bytes) {
    if (auto* full = std::get_if<http::FullResponse>(&response)) {
        if (full->body.size() <= max_body_bytes) return std::move(*full);
        return Error{Fault::exhausted,
                     "the response has more than " + std::to_string(max_body_bytes) + " bytes", ""};
    }
    auto* stream = std::get_if<http::StreamingResponse>(&response);
    ASSERT(stream);  // The frontend proxies nothing and, on a thread that may block, defers nothing.
    if (method != http::Method::head)
        return http::buffer_response(std::move(*stream), max_body_bytes, read_timeout);
    http::FullResponse head{.status = stream->status, .headers = std::move(stream->headers)};
    if (auto length = http::body_length(*stream)) head.headers.set("Content-Length", std::to_string(*length));
    return head;
}

}  // namespace

void sign_request(http::Request& request, const ClientCredentials& credentials, const SigningScope& scope) {
    bool s3 = scope.service == "s3";
    auto payload = scope.payload;
    if (!s3 || payload.empty()) payload = crypto::hex_encode(crypto::as_view(crypto::sha256(request.body)));
    request.headers.set("X-Amz-Date", aws::format_sigv4_time(scope.now));
    if (s3) request.headers.set("x-amz-content-sha256", payload);
    if (!credentials.session_token.empty())
        request.headers.set("X-Amz-Security-Token", credentials.session_token);
    std::vector<aws::SigV4Header> fields;
    fields.reserve(request.headers.size());
    for (auto field : request.headers)
        fields.push_back({field.name, field.value});
    auto authorization = aws::sign_request(
        {http::to_string(request.method), request.path(), request.query(), fields},
        {.access_key_id = credentials.access_key_id,
         .secret_key = credentials.secret_key,
         .region = scope.region,
         .service = scope.service,
         .security_token = credentials.session_token,
         .path_encoding = s3 ? aws::SigV4PathEncoding::once : aws::SigV4PathEncoding::twice},
        scope.now, payload);
    request.headers.set("Authorization", authorization);
}

Result<http::FullResponse> handle_in_process(const http::Application& application,
                                             const http::Request& request, http::RequestContext& context,
                                             std::size_t max_body_bytes) {
    auto response =
        TRY(read_response(http::handle(application, request, context), request.method, max_body_bytes));
    response.headers.append(context.response_headers);
    return response;
}

}  // namespace integreat::cloud
