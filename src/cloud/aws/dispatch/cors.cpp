// SPDX-License-Identifier: Apache-2.0
#include "cloud/aws/dispatch/cors.h"

namespace integreat::cloud {

bool is_preflight(const http::Request& request) {
    return request.method == http::Method::options && request.headers.contains("Origin") &&
           request.headers.contains("Access-Control-Request-Method");
}

http::Reply open_preflight(const http::Request& request) {
    http::Reply reply{.status = 200};
    reply.headers.set("Access-Control-Allow-Methods", "GET, HEAD, PUT, POST, DELETE");
    // "*" does not cover Authorization, so the list is said back.
    auto wanted = request.headers.value("Access-Control-Request-Headers");
    if (!wanted.empty()) reply.headers.set("Access-Control-Allow-Headers", wanted);
    reply.headers.set("Access-Control-Max-Age", "172800");
    return reply;
}

void add_open_cors(const http::Request& request, http::Headers& headers) {
    if (!request.headers.contains("Origin")) return;
    headers.set("Access-Control-Allow-Origin", "*");
    headers.set("Access-Control-Expose-Headers",
                "x-amzn-RequestId, x-amzn-ErrorType, x-amzn-ErrorMessage, x-amzn-Trace-Id, Date");
}

}  // namespace integreat::cloud
