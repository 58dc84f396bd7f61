// SPDX-License-Identifier: Apache-2.0
// What an upstream is told: the request without what concerns only this hop (RFC 9110 section 7.6.1) or could
// impersonate us, and with who asks. An upstream behind the gateway may believe the Integreat-* fields: those
// that a client sends are removed, in any spelling that a CGI-like server would take for them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/message/message.h"
#include "http/routing/request_context.h"
#include "http/routing/route.h"

namespace integreat::gateway {

// Where a route's path leads at the upstream: "/students/{id}" with the bytes of the request's own segment,
// which check_target has found to mean one thing only.
struct TargetTemplate {
    struct Piece {
        std::string literal;
        int segment = -1;   // Of the request's path, after the literal.
        bool rest = false;  // That segment and all behind it.
    };
    std::vector<Piece> pieces;  // None: the path as it came.
};

// Fault::invalid naming the route, if `route.upstream_target` uses a parameter that its pattern lacks.
Result<TargetTemplate> compile_target(const http::Route& route);

// Path and query of the request as the upstream gets them.
std::string fill_target(const TargetTemplate& target, const http::Request& request);

http::Relay make_relay(const TargetTemplate& target, const http::Request& request, const http::Call& call);

// The part of the peer's fields that may go on to the other side, for both directions of a buffered relay.
void append_end_to_end(http::Headers& to, const http::Headers& from);

}  // namespace integreat::gateway
