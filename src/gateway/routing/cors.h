// SPDX-License-Identifier: Apache-2.0
// Cross-origin reads, per app (https://fetch.spec.whatwg.org/#http-cors-protocol). An app lists its origins
// exactly; only "http://localhost:*" leaves the port open, for development servers. Preflights need no token,
// since browsers send none, and errors carry the headers too, so that a page can read the reason.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/manifest/manifest.h"
#include "http/message/headers.h"
#include "http/message/message.h"

namespace integreat::gateway {

struct CompiledCors {
    std::vector<std::string> origins;
    std::vector<std::string> any_port_prefixes;  // "http://localhost:", to be followed by a port.
    std::string headers;                         // Value of Access-Control-Allow-Headers.
    std::string max_age;                         // Value of Access-Control-Max-Age.
    bool credentials = false;

    bool enabled() const { return !origins.empty() || !any_port_prefixes.empty(); }
};

CompiledCors compile_cors(const config::CorsSettings& settings);

bool allows_origin(const CompiledCors& cors, std::string_view origin);

// Adds the headers of a response to a request from `origin` (empty: the request has none).
void add_cors_headers(const CompiledCors& cors, std::string_view origin, http::Headers& to);

// Builds the 204 response to a permitted preflight; `methods` are those of the path.
http::FullResponse preflight_response(const CompiledCors& cors, std::string_view methods);

}  // namespace integreat::gateway
