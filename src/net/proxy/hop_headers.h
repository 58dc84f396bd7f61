// SPDX-License-Identifier: Apache-2.0
// The two heads that a relay writes: the request towards the upstream, and the upstream's answer towards the
// client. What concerns one hop only is left out in both directions (RFC 9110 section 7.6.1), framing is
// always our own, and no value can end its line early.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/message/message.h"
#include "net/http1/response_parser.h"
#include "net/http1/response_writer.h"

namespace integreat::net {

struct RequestFraming {
    std::optional<std::uint64_t> content_length;
    bool chunked = false;
};

// Whether the client asks for a WebSocket. Other upgrades (h2c) are not passed on: behind them nobody would
// check what goes by.
bool asks_for_websocket(const http::Request& request);

void append_request_head(std::string& out, const http::Request& request, const http::Relay& relay,
                         const RequestFraming& framing);

// `ours` take the place of the upstream's fields of the same name, except where both belong side by side
// (Set-Cookie, Vary, Link). `date` is written if the upstream sent none.
void append_answer_head(std::string& out, const UpstreamHead& head, const http::Headers& ours,
                        const ResponseFraming& framing, std::string_view date);

// "1f\r\n": what goes before a chunk.
void append_chunk_size(std::string& out, std::size_t size);

}  // namespace integreat::net
