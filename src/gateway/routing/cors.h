// SPDX-License-Identifier: Apache-2.0
// Cross-origin reads, per app (https://fetch.spec.whatwg.org/#http-cors-protocol). An app names its origins
// exactly; only "http://localhost:*" leaves the port open, for development servers. Preflights need no
// token (browsers send none), and errors carry the fields too: else a page cannot read why it was refused.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/manifest/manifest.h"
#include "http/message/headers.h"
#include "http/message/message.h"

namespace integreat::gateway {

struct CorsPlan {
    std::vector<std::string> origins;
    std::vector<std::string> any_port;  // "http://localhost:", a port must follow.
    std::string headers;
    std::string max_age;
    bool credentials = false;

    bool enabled() const { return !origins.empty() || !any_port.empty(); }
};

CorsPlan compile_cors(const config::CorsSettings& settings);

bool allows_origin(const CorsPlan& plan, std::string_view origin);

// The fields of an answer to `origin` (empty: the request named none).
void add_cors_fields(const CorsPlan& plan, std::string_view origin, http::Headers& to);

// 204 with what may be sent from this origin; `methods` are those the path answers.
http::Reply preflight_reply(const CorsPlan& plan, std::string_view methods);

}  // namespace integreat::gateway
