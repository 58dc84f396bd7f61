// SPDX-License-Identifier: Apache-2.0
// Parser for the head of an upstream's response, which is untrusted input (RFC 9112 sections 4 to 7, RFC 9110
// section 7.6.1). The head is parsed in place: views point into the received bytes, and hop-by-hop fields are
// removed. The body length is decided here and only here; ambiguous framing (Content-Length with
// Transfer-Encoding, two lengths, a bare LF, a folded line) is malformed, and the reverse proxy responds with
// 502 instead of guessing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace integreat::net {

inline constexpr std::size_t response_fields_max = 256;

enum class ResponseBodyFraming : std::uint8_t {
    none,     // No body: HEAD, 1xx, 204, 304.
    length,   // `content_length` bytes.
    chunked,  // RFC 9112 section 7.1.
    close,    // Ended by the end of the connection.
};

struct HeaderField {
    std::string_view name;
    std::string_view value;
};

struct ResponseHead {
    int status = 0;
    std::string_view reason;
    ResponseBodyFraming body = ResponseBodyFraming::none;
    std::optional<std::uint64_t> content_length;  // Also set for HEAD, where no body follows.
    bool keep_alive = false;                      // The connection can carry another request after this body.
    std::optional<int> idle_seconds;              // Idle timeout announced by "Keep-Alive: timeout=5".
    bool has_date = false;                        // There is a Date field.
    std::string_view upgrade;                     // Protocol of a 101 response.
    std::vector<HeaderField> fields;              // End-to-end fields, without Content-Length.
};

struct ResponseParseResult {
    enum class State { incomplete, complete, malformed };
    State state = State::incomplete;
    std::size_t size = 0;    // Size of the complete head in bytes.
    const char* error = "";  // A sentence for the log, if malformed.
};

// Parses the head at the beginning of `bytes` into `head`, whose memory is reused. `is_head_response` is true
// if the request method was HEAD.
ResponseParseResult parse_response_head(std::string_view bytes, bool is_head_response, ResponseHead& head);

}  // namespace integreat::net
