// SPDX-License-Identifier: Apache-2.0
// The head of a request, from bytes to http::Request (RFC 9112 sections 2 to 6), as strict as the grammar:
// where the RFC lets a recipient be lenient (bare LF, obs-fold, several Content-Lengths that agree), we
// refuse, since a proxy before us might have been lenient in another way. Lines are parsed as they arrive,
// straight into the request; nothing is looked at twice. No Asio in here: fuzz/http_head_fuzz.cpp builds it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "http/message/message.h"
#include "http/message/problem.h"
#include "net/http1/framing.h"

namespace integreat::net {

struct HeadLimits {
    std::size_t bytes_max = 16 * 1024;
    int count_max = 100;
    std::size_t target_bytes_max = 8 * 1024;
};

// What part of the head was refused; a metric label, so the list is closed.
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
inline constexpr int head_parts = 11;
std::string_view to_string(HeadPart part);

struct Refusal {
    int status = 400;
    HeadPart part = HeadPart::request_line;
    std::string_view detail;  // Names what is wrong; a literal.
};

http::Problem problem_from(const Refusal& refusal);

class HeadParser {
public:
    enum class State { incomplete, complete, refused };

    explicit HeadParser(const HeadLimits& limits) : limits_(limits) {}

    // Before the first byte of each head.
    void begin();

    // `bytes` begins with the head's first byte and is longer at each call; `request` was cleared before the
    // first. Call no more once it is complete or refused.
    State parse(std::string_view bytes, http::Request& request);

    std::size_t length() const { return position_; }  // Of the complete head.
    const Framing& framing() const { return framing_; }
    const Refusal& refusal() const { return refusal_; }

private:
    State refuse(int status, HeadPart part, std::string_view detail);
    bool fail(int status, HeadPart part, std::string_view detail);
    bool first_byte(char byte);
    bool request_line(std::string_view line, http::Request& request);
    bool version(std::string_view text);
    bool target(std::string_view text, http::Request& request);
    bool absolute_target(std::string_view text, http::Request& request);
    bool field(std::string_view line, http::Request& request);
    bool known_field(std::string_view name, std::string_view value);
    bool content_length(std::string_view value);
    bool transfer_encoding(std::string_view value);
    bool expect(std::string_view value);
    void connection(std::string_view value);
    bool finish(http::Request& request);
    State too_long();

    HeadLimits limits_;
    std::size_t position_ = 0;  // Of the line being parsed.
    std::size_t scanned_ = 0;   // No LF between position_ and here.
    int fields_ = 0;
    int hosts_ = 0;
    bool line_read_ = false;
    bool empty_line_skipped_ = false;
    bool length_given_ = false;
    bool coding_given_ = false;
    bool close_asked_ = false;
    bool keep_alive_asked_ = false;
    bool upgrade_asked_ = false;
    bool upgrade_named_ = false;
    std::string authority_;  // Of a target in absolute form.
    Framing framing_;
    Refusal refusal_;
};

}  // namespace integreat::net
