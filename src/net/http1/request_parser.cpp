// SPDX-License-Identifier: Apache-2.0
#include "net/http1/request_parser.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/text/ascii.h"

namespace integreat::net {

namespace {

constexpr std::array<std::string_view, head_part_count> part_names{
    "line-ending",    "request-line",      "method", "target", "version", "field", "host",
    "content-length", "transfer-encoding", "expect", "size"};

using ByteSet = std::array<bool, 256>;

constexpr ByteSet make_byte_set(std::string_view others, bool letters_and_digits) {
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

constexpr ByteSet token_bytes = make_byte_set("!#$%&'*+-.^_`|~", true);
constexpr ByteSet ip_literal_bytes = make_byte_set("-._~!$&'()*+,;=:", true);  // Between the brackets.
constexpr ByteSet registered_name_bytes = make_byte_set("-._~!$&'()*+,;=%", true);
constexpr ByteSet digits = make_byte_set("0123456789", false);

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
        set[byte] = byte != '"' && byte != '<' && byte != '>';  // RFC 3986 has none of them.
    return set;
}();

bool consists_of(const ByteSet& set, std::string_view text) {
    bool all = true;
    for (unsigned char byte : text)
        all &= set[byte];
    return all;
}

bool is_hex_digit(char byte) {
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
}

bool has_valid_escapes(std::string_view text) {
    for (auto at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1)) {
        if (at + 2 >= text.size() || !is_hex_digit(text[at + 1]) || !is_hex_digit(text[at + 2])) return false;
    }
    return true;
}

// uri-host [ ":" port ] (RFC 9110 section 7.2, RFC 3986 section 3.2.2), with a host and a port up to 65535.
bool is_valid_host(std::string_view text) {
    auto host_end = text.starts_with('[') ? text.find(']') : text.find(':');
    if (text.starts_with('[')) {
        if (host_end == std::string_view::npos || host_end == 1) return false;
        if (!consists_of(ip_literal_bytes, text.substr(1, host_end - 1))) return false;
        ++host_end;
    } else {
        auto name = text.substr(0, host_end);
        if (name.empty() || !consists_of(registered_name_bytes, name) || !has_valid_escapes(name))
            return false;
    }
    if (host_end >= text.size()) return true;
    auto port = text.substr(host_end + 1);
    if (text[host_end] != ':' || port.size() > 5 || !consists_of(digits, port)) return false;
    unsigned number = 0;
    for (char digit : port)
        number = number * 10 + static_cast<unsigned>(digit - '0');
    return number <= 65'535;
}

// Checks a field value eight bytes at a time, since most of a request is one bearer token. A byte below 0x20
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

constexpr std::string_view after_tls =
    "This port accepts plain HTTP only, and the bytes look like TLS. Use http://.";

}  // namespace

std::string_view to_string(HeadPart part) {
    return part_names[static_cast<std::size_t>(part)];
}

namespace {

http::ProblemType problem_type(int status) {
    using http::ProblemType;
    switch (status) {
        case 414: return ProblemType::target_too_long;
        case 417: return ProblemType::expectation_failed;
        case 431: return ProblemType::header_too_large;
        case 501: return ProblemType::method_not_implemented;
        case 505: return ProblemType::version_not_supported;
        default: return ProblemType::malformed_request;
    }
}

}  // namespace

http::Problem problem_from(const ParseError& error) {
    return http::problem(problem_type(error.status), std::string(error.detail));
}

void RequestParser::begin() {
    auto authority = std::move(authority_);
    authority.clear();
    *this = RequestParser(limits_);
    authority_ = std::move(authority);
}

RequestParser::State RequestParser::reject(int status, HeadPart part, std::string_view detail) {
    error_ = {status, part, detail};
    return State::failed;
}

bool RequestParser::fail(int status, HeadPart part, std::string_view detail) {
    reject(status, part, detail);
    return false;
}

RequestParser::State RequestParser::fail_too_long(std::string_view bytes) {
    if (!request_line_parsed_ && bytes.substr(position_, 64).find(' ') == std::string_view::npos)
        return reject(400, HeadPart::method, "The request line begins with no method.");
    if (!request_line_parsed_)
        return reject(414, HeadPart::size, "The request line is longer than the limit.");
    return reject(431, HeadPart::size, "The header is longer than the limit; send fewer or shorter fields.");
}

RequestParser::State RequestParser::parse(std::string_view bytes, http::Request& request) {
    if (position_ == 0 && !bytes.empty() && !check_first_byte(bytes.front())) return State::failed;
    for (;;) {
        const void* found = std::memchr(bytes.data() + scanned_, '\n', bytes.size() - scanned_);
        if (!found) {
            scanned_ = bytes.size();
            bool line_too_long =
                !request_line_parsed_ && bytes.size() - position_ > limits_.max_target_bytes + 64;
            return line_too_long || bytes.size() >= limits_.max_bytes ? fail_too_long(bytes)
                                                                      : State::incomplete;
        }
        auto end = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
        if (end >= limits_.max_bytes) return fail_too_long(bytes);
        if (end == position_ || bytes[end - 1] != '\r') {
            return reject(400, HeadPart::line_ending, "A line ends in LF without CR.");
        }
        auto line = bytes.substr(position_, end - 1 - position_);
        position_ = scanned_ = end + 1;
        if (line.empty() && !request_line_parsed_) {
            // RFC 9112 section 2.2: one empty line before a request line is ignored.
            if (std::exchange(empty_line_skipped_, true)) {
                return reject(400, HeadPart::request_line, "The request begins with empty lines.");
            }
        } else if (line.empty()) {
            return finish(request) ? State::complete : State::failed;
        } else if (!(request_line_parsed_ ? parse_field(line, request) : parse_request_line(line, request))) {
            return State::failed;
        }
    }
}

// Rejects other protocols immediately: they may never send a LF.
bool RequestParser::check_first_byte(char byte) {
    if (byte == 0x16) return fail(400, HeadPart::request_line, after_tls);
    if (byte == '\r' || byte == '\n' || token_bytes[static_cast<unsigned char>(byte)]) return true;
    return fail(400, HeadPart::request_line, "The request does not begin with a method.");
}

bool RequestParser::parse_request_line(std::string_view line, http::Request& request) {
    request_line_parsed_ = true;
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
    if (!parse_version(line.substr(last + 1))) return false;
    auto known = http::parse_method(method);
    if (!known)
        return fail(501, HeadPart::method,
                    "The method must be GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS.");
    request.method = *known;
    return parse_target(line.substr(first + 1, last - first - 1), request);
}

bool RequestParser::parse_version(std::string_view text) {
    if (text == "HTTP/1.1") return true;
    if (text == "HTTP/1.0") {
        framing_.http_1_0 = true;
        return true;
    }
    auto is_digit = [](char byte) { return byte >= '0' && byte <= '9'; };
    bool well_formed = text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) && text[6] == '.' &&
                       is_digit(text[7]);
    if (well_formed) return fail(505, HeadPart::version, "The supported versions are HTTP/1.1 and HTTP/1.0.");
    return fail(400, HeadPart::version, "The request line does not end in a version such as HTTP/1.1.");
}

bool RequestParser::parse_target(std::string_view text, http::Request& request) {
    if (!consists_of(target_bytes, text)) {
        return fail(400, HeadPart::target,
                    "The target has spaces or bytes outside visible ASCII; percent-encode them.");
    }
    if (text.size() > limits_.max_target_bytes) {
        return fail(414, HeadPart::size, "The target is longer than the limit.");
    }
    if (text.front() != '/') return parse_absolute_target(text, request);
    request.target.assign(text);
    return true;
}

// RFC 9112 section 3.2.2: the authority of an absolute target replaces Host.
bool RequestParser::parse_absolute_target(std::string_view text, http::Request& request) {
    auto colon = text.find("://");
    auto scheme = text.substr(0, colon == std::string_view::npos ? 0 : colon);
    if (!iequals(scheme, "http") && !iequals(scheme, "https")) {
        return fail(400, HeadPart::target,
                    "The target must begin with a slash, or be an absolute http or https URL.");
    }
    auto rest = text.substr(colon + 3);
    auto length = std::min(rest.find_first_of("/?#"), rest.size());
    auto authority = rest.substr(0, length);
    if (!is_valid_host(authority)) {
        return fail(400, HeadPart::target, "The absolute target has no valid host.");
    }
    authority_.assign(authority);
    rest.remove_prefix(length);
    request.target.assign(rest.starts_with('/') ? "" : "/").append(rest);
    return true;
}

bool RequestParser::parse_field(std::string_view line, http::Request& request) {
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
    auto value = trim(line.substr(colon + 1));
    if (!is_field_value(value)) {
        return fail(400, HeadPart::field, "A field's value has a control byte, such as NUL or a bare CR.");
    }
    request.headers.add(name, value);
    return parse_known_field(name, value);
}

bool RequestParser::parse_known_field(std::string_view name, std::string_view value) {
    switch (name.size()) {
        case 4:
            if (!iequals(name, "Host")) return true;
            if (++hosts_ > 1) return fail(400, HeadPart::host, "Host is given twice.");
            if (is_valid_host(value)) return true;
            return fail(400, HeadPart::host, "Host is not a host name or address with an optional port.");
        case 6:
            if (iequals(name, "Origin")) return count_once(Single::origin, "Origin is given twice.");
            return !iequals(name, "Expect") || parse_expect(value);
        case 7:
            if (iequals(name, "Upgrade") && !value.empty()) has_upgrade_ = true;
            return true;
        case 10:
            if (iequals(name, "Connection")) parse_connection(value);
            return true;
        case 12:
            return !iequals(name, "Content-Type") ||
                   count_once(Single::content_type, "Content-Type is given twice.");
        case 13:
            return !iequals(name, "Authorization") ||
                   count_once(Single::authorization, "Authorization is given twice.");
        case 14: return !iequals(name, "Content-Length") || parse_content_length(value);
        case 17: return !iequals(name, "Transfer-Encoding") || parse_transfer_encoding(value);
        default: return true;
    }
}

// RFC 9110 section 5.3: a field whose value is not a list must not be repeated. The gateway would read one
// value, and an upstream another.
bool RequestParser::count_once(Single field, std::string_view detail) {
    auto bit = static_cast<std::uint8_t>(1u << static_cast<unsigned>(field));
    if ((singles_ & bit) != 0) return fail(400, HeadPart::field, detail);
    singles_ |= bit;
    return true;
}

bool RequestParser::parse_content_length(std::string_view value) {
    constexpr std::size_t digits_max = 18;  // Cannot overflow 63 bits.
    if (std::exchange(has_content_length_, true)) {
        return fail(400, HeadPart::content_length, "Content-Length is given twice.");
    }
    for (char byte : value) {
        if (byte < '0' || byte > '9') {
            return fail(400, HeadPart::content_length, "Content-Length is not a number in decimal digits.");
        }
        framing_.content_length = framing_.content_length * 10 + static_cast<std::uint64_t>(byte - '0');
    }
    if (value.empty() || value.size() > digits_max) {
        return fail(400, HeadPart::content_length, "Content-Length is empty or has more than 18 digits.");
    }
    framing_.body = BodyFraming::length;
    return true;
}

bool RequestParser::parse_transfer_encoding(std::string_view value) {
    if (std::exchange(has_transfer_encoding_, true)) {
        return fail(400, HeadPart::transfer_encoding, "Transfer-Encoding is given twice.");
    }
    if (iequals(value, "chunked")) return true;
    return fail(400, HeadPart::transfer_encoding, "The only supported Transfer-Encoding is chunked.");
}

bool RequestParser::parse_expect(std::string_view value) {
    if (!iequals(value, "100-continue")) {
        return fail(417, HeadPart::expect, "The only supported expectation is 100-continue.");
    }
    framing_.expects_continue = true;
    return true;
}

void RequestParser::parse_connection(std::string_view value) {
    while (!value.empty()) {
        auto comma = std::min(value.find(','), value.size());
        auto option = trim(value.substr(0, comma));
        if (iequals(option, "close")) close_option_ = true;
        if (iequals(option, "keep-alive")) keep_alive_option_ = true;
        if (iequals(option, "upgrade")) upgrade_option_ = true;
        value.remove_prefix(std::min(comma + 1, value.size()));
    }
}

bool RequestParser::finish(http::Request& request) {
    bool http_1_0 = framing_.http_1_0;
    if (hosts_ == 0 && !http_1_0) return fail(400, HeadPart::host, "Host is missing; HTTP/1.1 requires it.");
    if (has_transfer_encoding_ && has_content_length_) {
        return fail(400, HeadPart::transfer_encoding,
                    "Content-Length and Transfer-Encoding exclude each other.");
    }
    if (has_transfer_encoding_ && http_1_0) {
        return fail(400, HeadPart::transfer_encoding, "HTTP/1.0 has no Transfer-Encoding.");
    }
    if (has_transfer_encoding_) framing_.body = BodyFraming::chunked;
    if (!authority_.empty()) request.headers.set("Host", authority_);
    framing_.keep_alive = !close_option_ && (!http_1_0 || keep_alive_option_);
    framing_.expects_continue &= !http_1_0 && framing_.body != BodyFraming::none;
    request.upgrade = upgrade_option_ && has_upgrade_ && !http_1_0 && framing_.body == BodyFraming::none &&
                      request.method == http::Method::get;
    return true;
}

}  // namespace integreat::net
