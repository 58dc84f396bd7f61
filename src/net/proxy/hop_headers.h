// SPDX-License-Identifier: Apache-2.0
// Writes the two heads of a proxied exchange: the request to the upstream, and the upstream's response to the
// client. Hop-by-hop fields are removed in both directions (RFC 9110 section 7.6.1), framing fields are
// always written anew, and no value can contain a line break.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/message/message.h"
#include "http/routing/request_context.h"
#include "net/http1/response_parser.h"
#include "net/http1/response_writer.h"

namespace integreat::net {

struct RequestFraming {
    std::optional<std::uint64_t> content_length;
    bool chunked = false;
};

// Returns whether the client requests an upgrade to WebSocket. Other upgrades (h2c) are not forwarded,
// because the requests behind them would bypass the gateway's checks.
bool is_websocket_upgrade(const http::Request& request);

// Appends the head of the request to the upstream.
void append_request_head(std::string& out, const http::Request& request,
                         const http::ProxyRequest& proxy_request, const RequestFraming& framing);

// Appends the head of the response to the client. The response fields of `context` replace the upstream's
// fields of the same name, except for fields that may be repeated (Set-Cookie, Vary, Link). `date` is written
// if the upstream sent none.
void append_proxied_response_head(std::string& out, const ResponseHead& head,
                                  const http::RequestContext& context, const ResponseFraming& framing,
                                  std::string_view date);

// Appends the size line of a chunk, "1f\r\n".
void append_chunk_size(std::string& out, std::size_t size);

}  // namespace integreat::net
