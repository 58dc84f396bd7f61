// SPDX-License-Identifier: Apache-2.0
#include "net/http1/request_parser.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace integreat::net {

namespace {

constexpr std::array<std::string_view, head_parts> part_names{
    "line-ending",    "request-line",      "method", "target", "version", "field", "host",
    "content-length", "transfer-encoding", "expect", "size"};

using ByteSet = std::array<bool, 256>;

constexpr ByteSet set_of(std::string_view others, bool letters_and_digits) {
    ByteSet set{};
    for (unsigned char byte : others)
        set[byte] = true;
    for (int byte = 0; byte < 256 && letters_and_digits; ++byte) {
        auto index = static_cast<std::size_t>(byte);
        if ((byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z')) {
            set[index] = true;
        }
    }
    return set;
}

constexpr ByteSet token_bytes = set_of("!#$%&'*+-.^_`|~", true);
constexpr ByteSet host_bytes = set_of("-._~:[]%", true);

// RFC 9110 section 5.5: field-vchar, SP and HTAB; bytes from 0x80 are opaque.
constexpr ByteSet value_bytes = [] {
    ByteSet set{};
    for (std::size_t byte = 0; byte < 256; ++byte)
        set[byte] = byte >= 0x20 && byte != 0x7f;
    set['\t'] = true;
    return set;
}();

constexpr ByteSet target_bytes = [] {
    ByteSet set{};
    for (std::size_t byte = 0x21; byte < 0x7f; ++byte)
        set[byte] = true;
    return set;
}();

bool consists_of(const ByteSet& set, std::string_view text) {
    bool all = true;
    for (unsigned char byte : text)
        all &= set[byte];
    return all;
}

// The same for field values, eight bytes at a time: most of a request is one bearer token. A byte below 0x20
// or equal to 0x7F sets a high bit (https://graphics.stanford.edu/~seander/bithacks.html#HasLessInWord).
bool is_field_value(std::string_view text) {
    constexpr std::uint64_t ones = 0x0101010101010101u;
    constexpr std::uint64_t highs = ones << 7;
    for (; text.size() >= sizeof ones; text.remove_prefix(sizeof ones)) {
        std::uint64_t eight;
        std::memcpy(&eight, text.data(), sizeof eight);
        std::uint64_t not_del = eight ^ (ones * 0x7F);
        std::uint64_t suspects = ((eight - ones * 0x20) & ~eight) | ((not_del - ones) & ~not_del);
        if ((suspects & highs) != 0 && !consists_of(value_bytes, text.substr(0, sizeof ones))) return false;
    }
    return consists_of(value_bytes, text);
}

std::string_view trimmed(std::string_view text) {
    auto is_space = [](char byte) { return byte == ' ' || byte == '\t'; };
    while (!text.empty() && is_space(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && is_space(text.back()))
        text.remove_suffix(1);
    return text;
}

constexpr std::string_view after_tls = "This port speaks plain HTTP; the bytes look like TLS. Use http://.";

}  // namespace

std::string_view to_string(HeadPart part) {
    return part_names[static_cast<std::size_t>(part)];
}

http::Problem problem_from(const Refusal& refusal) {
    http::Problem problem{.status = refusal.status, .detail = std::string(refusal.detail)};
    switch (refusal.status) {
        case 414:
            problem.type = "target-too-long";
            problem.title = "The request's target is too long";
            break;
        case 417:
            problem.type = "expectation-failed";
            problem.title = "The expectation cannot be met";
            break;
        case 431:
            problem.type = "header-too-large";
            problem.title = "The request's header is too large";
            break;
        case 501:
            problem.type = "method-not-implemented";
            problem.title = "The method is not implemented";
            break;
        case 505:
            problem.type = "version-not-supported";
            problem.title = "The version of HTTP is not supported";
            break;
        default:
            problem.type = "malformed-request";
            problem.title = "The request is not well-formed HTTP/1.1";
    }
    return problem;
}

void HeadParser::begin() {
    auto authority = std::move(authority_);
    authority.clear();
    *this = HeadParser(limits_);
    authority_ = std::move(authority);
}

HeadParser::State HeadParser::refuse(int status, HeadPart part, std::string_view detail) {
    refusal_ = {status, part, detail};
    return State::refused;
}

bool HeadParser::fail(int status, HeadPart part, std::string_view detail) {
    refuse(status, part, detail);
    return false;
}

HeadParser::State HeadParser::too_long() {
    if (!line_read_) return refuse(414, HeadPart::size, "The request line is longer than the limit.");
    return refuse(431, HeadPart::size, "The header is longer than the limit; send fewer or shorter fields.");
}

HeadParser::State HeadParser::parse(std::string_view bytes, http::Request& request) {
    if (position_ == 0 && !bytes.empty() && !first_byte(bytes.front())) return State::refused;
    for (;;) {
        const void* found = std::memchr(bytes.data() + scanned_, '\n', bytes.size() - scanned_);
        if (!found) {
            scanned_ = bytes.size();
            bool line_too_long = !line_read_ && bytes.size() - position_ > limits_.target_bytes_max + 64;
            return line_too_long || bytes.size() >= limits_.bytes_max ? too_long() : State::incomplete;
        }
        auto end = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
        if (end >= limits_.bytes_max) return too_long();
        if (end == position_ || bytes[end - 1] != '\r') {
            return refuse(400, HeadPart::line_ending, "A line ends in LF without CR.");
        }
        auto line = bytes.substr(position_, end - 1 - position_);
        position_ = scanned_ = end + 1;
        if (line.empty() && !line_read_) {
            // RFC 9112 section 2.2: one empty line before a request line is ignored.
            if (std::exchange(empty_line_skipped_, true)) {
                return refuse(400, HeadPart::request_line, "The request begins with empty lines.");
            }
        } else if (line.empty()) {
            return finish(request) ? State::complete : State::refused;
        } else if (!(line_read_ ? field(line, request) : request_line(line, request))) {
            return State::refused;
        }
    }
}

// Wrong protocols are told at once: they may never send a LF.
bool HeadParser::first_byte(char byte) {
    if (byte == 0x16) return fail(400, HeadPart::request_line, after_tls);
    if (byte == '\r' || byte == '\n' || token_bytes[static_cast<unsigned char>(byte)]) return true;
    return fail(400, HeadPart::request_line, "The request does not begin with a method.");
}

bool HeadParser::request_line(std::string_view line, http::Request& request) {
    line_read_ = true;
    auto first = line.find(' ');
    auto last = line.rfind(' ');
    if (first == std::string_view::npos || first == last) {
        return fail(
            400, HeadPart::request_line,
            "The request line must be a method, a target and a version, with one space between them.");
    }
    auto method = line.substr(0, first);
    if (!consists_of(token_bytes, method)) {
        return fail(400, HeadPart::method, "The method has bytes that a method cannot have.");
    }
    if (!version(line.substr(last + 1))) return false;
    auto known = http::method_from(method);
    if (!known)
        return fail(501, HeadPart::method, "GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS are known here.");
    request.method = *known;
    return target(line.substr(first + 1, last - first - 1), request);
}

bool HeadParser::version(std::string_view text) {
    if (text == "HTTP/1.1") return true;
    if (text == "HTTP/1.0") {
        framing_.http_1_0 = true;
        return true;
    }
    auto is_digit = [](char byte) { return byte >= '0' && byte <= '9'; };
    bool well_formed = text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) && text[6] == '.' &&
                       is_digit(text[7]);
    if (well_formed) return fail(505, HeadPart::version, "HTTP/1.1 and HTTP/1.0 are spoken here.");
    return fail(400, HeadPart::version, "The request line does not end in a version such as HTTP/1.1.");
}

bool HeadParser::target(std::string_view text, http::Request& request) {
    if (!consists_of(target_bytes, text)) {
        return fail(400, HeadPart::target,
                    "The target has spaces or bytes outside visible ASCII; percent-encode them.");
    }
    if (text.size() > limits_.target_bytes_max) {
        return fail(414, HeadPart::size, "The target is longer than the limit.");
    }
    if (text.front() != '/') return absolute_target(text, request);
    request.target.assign(text);
    return true;
}

// RFC 9112 section 3.2.2: the authority of an absolute target takes the place of Host.
bool HeadParser::absolute_target(std::string_view text, http::Request& request) {
    auto colon = text.find("://");
    auto scheme = text.substr(0, colon == std::string_view::npos ? 0 : colon);
    if (!http::equal_ignoring_case(scheme, "http") && !http::equal_ignoring_case(scheme, "https")) {
        return fail(400, HeadPart::target,
                    "The target must begin with a slash, or be an absolute http or https URL.");
    }
    auto rest = text.substr(colon + 3);
    auto length = std::min(rest.find_first_of("/?#"), rest.size());
    auto authority = rest.substr(0, length);
    if (authority.empty() || !consists_of(host_bytes, authority)) {
        return fail(400, HeadPart::target, "The absolute target has no valid host.");
    }
    authority_.assign(authority);
    rest.remove_prefix(length);
    request.target.assign(rest.starts_with('/') ? "" : "/").append(rest);
    return true;
}

bool HeadParser::field(std::string_view line, http::Request& request) {
    if (line.front() == ' ' || line.front() == '\t') {
        return fail(400, HeadPart::field, "A field is continued on the next line (obs-fold).");
    }
    if (++fields_ > limits_.count_max) {
        return fail(431, HeadPart::size, "The header has more fields than the limit.");
    }
    auto colon = line.find(':');
    if (colon == std::string_view::npos) return fail(400, HeadPart::field, "A field has no colon.");
    auto name = line.substr(0, colon);
    if (name.empty()) return fail(400, HeadPart::field, "A field has no name.");
    if (!consists_of(token_bytes, name)) {
        bool space = name.back() == ' ' || name.back() == '\t';
        return fail(400, HeadPart::field,
                    space ? "There is white space between a field's name and its colon."
                          : "A field's name has bytes that a name cannot have.");
    }
    auto value = trimmed(line.substr(colon + 1));
    if (!is_field_value(value)) {
        return fail(400, HeadPart::field, "A field's value has a control byte, such as NUL or a bare CR.");
    }
    request.headers.add(name, value);
    return known_field(name, value);
}

bool HeadParser::known_field(std::string_view name, std::string_view value) {
    switch (name.size()) {
        case 4:
            if (!http::equal_ignoring_case(name, "Host")) return true;
            if (++hosts_ > 1) return fail(400, HeadPart::host, "Host is given twice.");
            if (!value.empty() && consists_of(host_bytes, value)) return true;
            return fail(400, HeadPart::host, "Host is empty or has bytes that a host cannot have.");
        case 6: return !http::equal_ignoring_case(name, "Expect") || expect(value);
        case 7:
            if (http::equal_ignoring_case(name, "Upgrade") && !value.empty()) upgrade_named_ = true;
            return true;
        case 10:
            if (http::equal_ignoring_case(name, "Connection")) connection(value);
            return true;
        case 14: return !http::equal_ignoring_case(name, "Content-Length") || content_length(value);
        case 17: return !http::equal_ignoring_case(name, "Transfer-Encoding") || transfer_encoding(value);
        default: return true;
    }
}

bool HeadParser::content_length(std::string_view value) {
    constexpr std::size_t digits_max = 18;  // What cannot overflow 63 bits.
    if (std::exchange(length_given_, true)) {
        return fail(400, HeadPart::content_length, "Content-Length is given twice.");
    }
    for (char byte : value) {
        if (byte < '0' || byte > '9') {
            return fail(400, HeadPart::content_length, "Content-Length is not a number in decimal digits.");
        }
        framing_.content_length = framing_.content_length * 10 + static_cast<std::uint64_t>(byte - '0');
    }
    if (value.empty() || value.size() > digits_max) {
        return fail(400, HeadPart::content_length, "Content-Length is empty or too large to be true.");
    }
    framing_.body = BodyFraming::length;
    return true;
}

bool HeadParser::transfer_encoding(std::string_view value) {
    if (std::exchange(coding_given_, true)) {
        return fail(400, HeadPart::transfer_encoding, "Transfer-Encoding is given twice.");
    }
    if (http::equal_ignoring_case(value, "chunked")) return true;
    return fail(400, HeadPart::transfer_encoding, "The only Transfer-Encoding understood here is chunked.");
}

bool HeadParser::expect(std::string_view value) {
    if (!http::equal_ignoring_case(value, "100-continue")) {
        return fail(417, HeadPart::expect, "The only expectation understood here is 100-continue.");
    }
    framing_.expects_continue = true;
    return true;
}

void HeadParser::connection(std::string_view value) {
    while (!value.empty()) {
        auto comma = std::min(value.find(','), value.size());
        auto option = trimmed(value.substr(0, comma));
        if (http::equal_ignoring_case(option, "close")) close_asked_ = true;
        if (http::equal_ignoring_case(option, "keep-alive")) keep_alive_asked_ = true;
        if (http::equal_ignoring_case(option, "upgrade")) upgrade_asked_ = true;
        value.remove_prefix(std::min(comma + 1, value.size()));
    }
}

bool HeadParser::finish(http::Request& request) {
    bool old = framing_.http_1_0;
    if (hosts_ == 0 && !old) return fail(400, HeadPart::host, "Host is missing; HTTP/1.1 requires it.");
    if (coding_given_ && length_given_) {
        return fail(400, HeadPart::transfer_encoding,
                    "Content-Length and Transfer-Encoding exclude each other.");
    }
    if (coding_given_ && old) {
        return fail(400, HeadPart::transfer_encoding, "HTTP/1.0 has no Transfer-Encoding.");
    }
    if (coding_given_) framing_.body = BodyFraming::chunked;
    if (!authority_.empty()) request.headers.set("Host", authority_);
    framing_.keep_alive = !close_asked_ && (!old || keep_alive_asked_);
    framing_.expects_continue &= !old && framing_.body != BodyFraming::none;
    request.upgrade = upgrade_asked_ && upgrade_named_ && !old && framing_.body == BodyFraming::none &&
                      request.method == http::Method::get;
    return true;
}

}  // namespace integreat::net
