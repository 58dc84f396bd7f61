// SPDX-License-Identifier: Apache-2.0
// Forwards a request to an upstream and its response back to the client. Both bodies stream through this
// thread and are never held whole in memory.
#pragma once

#include <optional>
#include <string_view>

#include "http/message/problem.h"
#include "http/transport/application.h"
#include "net/http1/request_body.h"
#include "net/http1/response_writer.h"
#include "net/io/socket_stream.h"

namespace integreat::net {

class UpstreamPools;

// A request whose head was read, as the session hands it to the reverse proxy. Nothing was sent to the client
// yet except 100 Continue.
struct ProxyContext {
    SocketStream& client;
    RequestBody& body;
    const http::Request& request;
    http::RequestContext& call;
    // The client does not support chunks: a response of unknown length ends with the connection.
    bool http_1_0 = false;
    bool keep_alive = false;  // The connection may be kept alive, unless the server drains meanwhile.
    const bool& draining;
    DateHeader& date;
    MinimumRate& rate;  // Rate at which the client reads the response.
    // Reserves memory for bytes that the client does not read immediately. Returns false if it must be
    // disconnected.
    const std::function<bool(std::size_t)>& hold_memory;
};

struct ProxyResult {
    http::RequestSummary outcome;          // `duration` is set by the session.
    bool keep_alive = false;               // The client's connection can carry another request.
    std::optional<http::Problem> problem;  // Sent by the session, if nothing was sent to the client.
};

// Forwards one request. All calls must have ended before `pools` is destroyed; UpstreamPools::stop ends those
// in progress.
Awaitable<ProxyResult> forward_request(ProxyContext& context, const http::ProxyRequest& proxy_request,
                                       UpstreamPools& pools);

}  // namespace integreat::net
