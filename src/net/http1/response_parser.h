// SPDX-License-Identifier: Apache-2.0
// What an upstream answers, read without trust (RFC 9112 sections 4 to 7, RFC 9110 section 7.6.1). The head
// is parsed in place: views point into the bytes that were read, and fields that concern only the hop
// between the upstream and us are left out already. How long the body is, is decided here and only here;
// what could be read in two ways (Content-Length with Transfer-Encoding, two lengths, a bare LF, a folded
// line) is malformed, and the relay answers 502 instead of guessing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace integreat::net {

inline constexpr std::size_t upstream_fields_max = 256;

enum class BodyEnd : std::uint8_t {
    none,     // No body: HEAD, 1xx, 204, 304.
    length,   // After `content_length` bytes.
    chunked,  // RFC 9112 section 7.1.
    close,    // With the connection.
};

struct UpstreamField {
    std::string_view name;
    std::string_view value;
};

struct UpstreamHead {
    int status = 0;
    std::string_view reason;
    BodyEnd end = BodyEnd::none;
    std::optional<std::uint64_t> content_length;  // Also of an answer to HEAD, where it is only told.
    bool keep_alive = false;                      // The connection can carry another request after this body.
    std::optional<int> idle_seconds;    // How long it keeps an idle connection: "Keep-Alive: timeout=5".
    bool dated = false;                 // Has a Date.
    std::string_view upgrade;           // Of a 101: the protocol.
    std::vector<UpstreamField> fields;  // End-to-end fields, without Content-Length.
};

struct HeadParse {
    enum class State { incomplete, complete, malformed };
    State state = State::incomplete;
    std::size_t size = 0;      // Of the head, when complete.
    const char* mistake = "";  // When malformed: a sentence for the log.
};

// Reads the head at the beginning of `bytes` into `head`, whose memory is reused. `answers_head`: the
// request was HEAD.
HeadParse parse_upstream_head(std::string_view bytes, bool answers_head, UpstreamHead& head);

}  // namespace integreat::net
