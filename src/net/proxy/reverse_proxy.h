// SPDX-License-Identifier: Apache-2.0
// Carrying out a Relay: both bodies stream through this thread, nothing is kept whole in memory.
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

// One request whose head was read, as the session hands it to whoever answers it. Nothing was sent yet
// except 100 Continue.
struct Exchange {
    Stream& client;
    RequestBody& body;
    const http::Request& request;
    http::Call& call;
    // The client knows no chunks: an answer of unknown length ends with the connection.
    bool http_1_0 = false;
    bool keep_alive = false;  // Whether the answer's head may say so, unless...
    const bool& draining;     // ...the server drains by then.
    DateField& date;
    std::chrono::milliseconds write_timeout;  // Without progress, towards the client.
};

struct RelayEnd {
    http::Outcome outcome;                 // `duration` is set by the session.
    bool keep_alive = false;               // The client's connection can carry another request.
    std::optional<http::Problem> problem;  // Nothing was sent to the client: the session answers this.
};

// All relays have ended before `pools` go: UpstreamPools::stop ends those that are under way.
Awaitable<RelayEnd> relay(Exchange& exchange, const http::Relay& what, UpstreamPools& pools);

}  // namespace integreat::net
