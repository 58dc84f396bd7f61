// SPDX-License-Identifier: Apache-2.0
// The request to an upstream: the client's request without its hop-by-hop headers (RFC 9110 section 7.6.1)
// and without headers that only the gateway may set, plus the caller's identity. An upstream behind the
// gateway may trust the Integreat-* headers: the client's own are removed, in any spelling that a CGI-like
// server would treat as equal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/message/message.h"
#include "http/routing/request_context.h"
#include "http/routing/route.h"

namespace integreat::gateway {

// The target of a route at its upstream: "/students/{id}", filled with the raw bytes of the request's
// segment, which check_target has found to be unambiguous.
struct TargetTemplate {
    struct Part {
        std::string literal;
        int segment = -1;   // Index of the request's path segment after the literal; -1: none.
        bool rest = false;  // The part is that segment and all that follow.
    };
    std::vector<Part> parts;  // Empty: the path of the request.
};

// Fault::invalid naming the route, if `route.upstream_target` uses a parameter that its pattern lacks.
Result<TargetTemplate> compile_target(const http::Route& route);

// Builds path and query for the upstream.
std::string fill_target(const TargetTemplate& target, const http::Request& request);

http::ProxyRequest make_proxy_request(const TargetTemplate& target, const http::Request& request,
                                      const http::RequestContext& context);

// Appends the end-to-end headers of `from`; for both directions of a buffered exchange.
void append_end_to_end_headers(http::Headers& to, const http::Headers& from);

}  // namespace integreat::gateway
