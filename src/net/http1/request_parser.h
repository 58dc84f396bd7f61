// SPDX-License-Identifier: Apache-2.0
// A strict, incremental parser for the head of a request (RFC 9112 sections 2 to 6). Where the RFC permits a
// lenient recipient (bare LF, obs-fold, several Content-Length fields that agree), the parser rejects the
// request, since a proxy in front of this server might be lenient in another way. Lines are parsed as they
// arrive, straight into the request, and each byte is scanned once. Asio is not included, because
// fuzz/http_head_fuzz.cpp builds this file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "http/message/message.h"
#include "http/message/problem.h"

namespace integreat::net {

// Framing of a request: the part of its head that concerns the connection and not the resource (RFC 9112
// sections 6 and 9). http::Request holds the rest.
enum class BodyFraming : std::uint8_t { none, length, chunked };

struct Framing {
    BodyFraming body = BodyFraming::none;
    std::uint64_t content_length = 0;
    bool http_1_0 = false;
    bool keep_alive = true;  // As requested by the client, considering its HTTP version.
    bool expects_continue = false;
};

struct RequestHeadLimits {
    std::size_t max_bytes = 16 * 1024;
    int count_max = 100;
    std::size_t max_target_bytes = 8 * 1024;
};

// The part of the head that is invalid; a metric label, so the list is closed.
enum class HeadPart : std::uint8_t {
    line_ending,
    request_line,
    method,
    target,
    version,
    field,
    host,
    content_length,
    transfer_encoding,
    expect,
    size,
};
inline constexpr int head_part_count = 11;
std::string_view to_string(HeadPart part);

struct ParseError {
    int status = 400;
    HeadPart part = HeadPart::request_line;
    std::string_view detail;  // A sentence that describes the error; a literal.
};

http::Problem problem_from(const ParseError& error);

class RequestParser {
public:
    enum class State { incomplete, complete, failed };

    explicit RequestParser(const RequestHeadLimits& limits) : limits_(limits) {}

    // Resets the parser; call before the first byte of each head.
    void begin();

    // Parses `bytes`, which begins with the head's first byte and grows with each call, into `request`, which
    // must be cleared before the first call. Must not be called after the result is complete or failed.
    State parse(std::string_view bytes, http::Request& request);

    std::size_t length() const { return position_; }  // Size of the complete head in bytes.
    const Framing& framing() const { return framing_; }
    const ParseError& error() const { return error_; }

private:
    State reject(int status, HeadPart part, std::string_view detail);
    bool fail(int status, HeadPart part, std::string_view detail);
    bool check_first_byte(char byte);
    bool parse_request_line(std::string_view line, http::Request& request);
    bool parse_version(std::string_view text);
    bool parse_target(std::string_view text, http::Request& request);
    bool parse_absolute_target(std::string_view text, http::Request& request);
    bool parse_field(std::string_view line, http::Request& request);
    bool parse_known_field(std::string_view name, std::string_view value);
    // Fields that must not be repeated, beside Host and those of the framing.
    enum class Single : std::uint8_t { authorization, content_type, origin };
    bool count_once(Single field, std::string_view detail);
    bool parse_content_length(std::string_view value);
    bool parse_transfer_encoding(std::string_view value);
    bool parse_expect(std::string_view value);
    void parse_connection(std::string_view value);
    bool finish(http::Request& request);
    State fail_too_long(std::string_view bytes);

    RequestHeadLimits limits_;
    std::size_t position_ = 0;  // Offset of the line being parsed.
    std::size_t scanned_ = 0;   // Offset up to which there is no LF after position_.
    int fields_ = 0;
    int hosts_ = 0;
    std::uint8_t singles_ = 0;  // Bits of the Single fields that were parsed.
    bool request_line_parsed_ = false;
    bool empty_line_skipped_ = false;
    bool has_content_length_ = false;
    bool has_transfer_encoding_ = false;
    bool close_option_ = false;
    bool keep_alive_option_ = false;
    bool upgrade_option_ = false;
    bool has_upgrade_ = false;
    std::string authority_;  // Authority of a target in absolute form.
    Framing framing_;
    ParseError error_;
};

}  // namespace integreat::net
