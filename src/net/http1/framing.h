// SPDX-License-Identifier: Apache-2.0
// What the head of a request says about the connection rather than about the resource (RFC 9112 sections 6
// and 9): the transport's half of a head, where http::Request is the application's.
#pragma once

#include <cstdint>

namespace integreat::net {

enum class BodyFraming : std::uint8_t { none, length, chunked };

struct Framing {
    BodyFraming body = BodyFraming::none;
    std::uint64_t content_length = 0;
    bool http_1_0 = false;
    bool keep_alive = true;  // What the client asked for, its version considered.
    bool expects_continue = false;
};

}  // namespace integreat::net
