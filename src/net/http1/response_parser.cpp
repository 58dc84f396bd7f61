// SPDX-License-Identifier: Apache-2.0
#include "net/http1/response_parser.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text/ascii.h"
#include "http/message/headers.h"

namespace integreat::net {

namespace {

// RFC 9110 section 5.6.2: token characters of a field name.
constexpr std::array<bool, 256> make_token_table() {
    std::array<bool, 256> table{};
    for (char c : std::string_view("!#$%&'*+-.^_`|~"))
        table[static_cast<unsigned char>(c)] = true;
    for (char c = '0'; c <= '9'; ++c)
        table[static_cast<unsigned char>(c)] = true;
    for (char c = 'a'; c <= 'z'; ++c)
        table[static_cast<unsigned char>(c)] = true;
    for (char c = 'A'; c <= 'Z'; ++c)
        table[static_cast<unsigned char>(c)] = true;
    return table;
}

// RFC 9110 section 5.5: HTAB, SP, VCHAR and obs-text.
constexpr std::array<bool, 256> make_text_table() {
    std::array<bool, 256> table{};
    for (int c = 0x20; c < 256; ++c)
        table[static_cast<std::size_t>(c)] = c != 0x7F;
    table['\t'] = true;
    return table;
}

constexpr auto token_table = make_token_table();
constexpr auto text_table = make_text_table();

bool is_token(std::string_view text) {
    for (char c : text) {
        if (!token_table[static_cast<unsigned char>(c)]) return false;
    }
    return !text.empty();
}

bool is_text(std::string_view text) {
    for (char c : text) {
        if (!text_table[static_cast<unsigned char>(c)]) return false;
    }
    return true;
}

bool is_space(char c) {
    return c == ' ' || c == '\t';
}
// Calls `each` with the members of a comma separated list (RFC 9110 section 5.6.1).
template <class Each>
void for_each_member(std::string_view list, Each&& each) {
    while (!list.empty()) {
        auto comma = list.find(',');
        if (auto member = trim(list.substr(0, comma)); !member.empty()) each(member);
        if (comma == std::string_view::npos) return;
        list.remove_prefix(comma + 1);
    }
}

// Framing information collected from the fields, evaluated at the end of the head.
struct FramingFields {
    int version_minor = 1;
    bool close = false;
    bool keep_alive = false;
    bool chunked = false;
    bool other_connection_options = false;
    const char* error = nullptr;
};

const char* read_status_line(std::string_view line, ResponseHead& head, FramingFields& framing) {
    if (line.size() < 12 || line.substr(0, 7) != "HTTP/1." || !is_digit(line[7]) || line[8] != ' ') {
        return "the status line does not begin with HTTP/1.x and a space";
    }
    framing.version_minor = line[7] - '0';
    if (!is_digit(line[9]) || !is_digit(line[10]) || !is_digit(line[11])) return "the status is not a number";
    head.status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
    if (head.status < 100 || head.status > 599) return "the status is not between 100 and 599";
    if (line.size() > 12 && line[12] != ' ') return "the status is not three digits";
    head.reason = line.size() > 13 ? line.substr(13) : std::string_view();
    return is_text(head.reason) ? nullptr : "the reason phrase has control characters";
}

void read_connection(std::string_view value, FramingFields& framing) {
    for_each_member(value, [&](std::string_view option) {
        if (iequals(option, "close")) {
            framing.close = true;
        } else if (iequals(option, "keep-alive")) {
            framing.keep_alive = true;
        } else if (!iequals(option, "upgrade")) {
            framing.other_connection_options = true;
        }
    });
}

void read_content_length(std::string_view value, ResponseHead& head, FramingFields& framing) {
    if (value.empty() || value.size() > 18 || !std::all_of(value.begin(), value.end(), is_digit)) {
        framing.error = "Content-Length is not a number of at most 18 digits";
        return;
    }
    std::uint64_t length = 0;
    for (char c : value)
        length = length * 10 + static_cast<std::uint64_t>(c - '0');
    if (head.content_length && *head.content_length != length) {
        framing.error = "two fields Content-Length disagree";
    }
    head.content_length = length;
}

void read_transfer_encoding(std::string_view value, FramingFields& framing) {
    if (framing.chunked || !iequals(value, "chunked")) {
        framing.error = "Transfer-Encoding is not exactly \"chunked\"";
    } else if (framing.version_minor == 0) {
        framing.error = "Transfer-Encoding in an HTTP/1.0 response";
    }
    framing.chunked = true;
}

// Node.js, for example, closes idle connections after five seconds and announces it here.
void read_keep_alive(std::string_view value, ResponseHead& head) {
    for_each_member(value, [&](std::string_view member) {
        if (!iequals(member.substr(0, 8), "timeout=")) return;
        int seconds = 0;
        auto [end, error] = std::from_chars(member.data() + 8, member.data() + member.size(), seconds);
        if (error == std::errc() && seconds >= 0) head.idle_seconds = seconds;
    });
}

// Returns true if the field is hop-by-hop or part of the framing, and must not be forwarded.
bool read_hop_field(HeaderField field, ResponseHead& head, FramingFields& framing) {
    auto [name, value] = field;
    auto is = [name = name](std::string_view known) { return iequals(name, known); };
    switch (name.front() | 0x20) {
        case 'c':
            if (name.size() == 14 && is("content-length"))
                return read_content_length(value, head, framing), true;
            if (name.size() == 10 && is("connection")) return read_connection(value, framing), true;
            return false;
        case 't':
            if (is("transfer-encoding")) return read_transfer_encoding(value, framing), true;
            return is("te") || is("trailer");
        case 'd':
            if (is("date")) head.has_date = true;
            return false;
        case 'k':
            if (!is("keep-alive")) return false;
            read_keep_alive(value, head);
            return true;
        case 'p': return name.size() > 6 && iequals(name.substr(0, 6), "proxy-");
        case 'u':
            if (!is("upgrade")) return false;
            head.upgrade = value;
            return true;
        default: return false;
    }
}

const char* read_field(std::string_view line, ResponseHead& head, FramingFields& framing) {
    if (is_space(line.front())) return "a header line is folded";
    auto colon = line.find(':');
    if (colon == std::string_view::npos) return "a header line has no colon";
    auto name = line.substr(0, colon);
    // RFC 9112 section 5.1: a proxy removes white space before the colon of a response field.
    while (!name.empty() && is_space(name.back()))
        name.remove_suffix(1);
    if (!is_token(name)) return "a field name has characters that are not allowed";
    auto value = trim(line.substr(colon + 1));
    if (!is_text(value)) return "a field value has control characters";
    if (read_hop_field({name, value}, head, framing)) return framing.error;
    if (head.fields.size() == response_fields_max) return "there are more than 256 header fields";
    head.fields.push_back({name, value});
    return nullptr;
}

// Removes the fields that Connection lists: they are for this hop only (RFC 9110 section 7.6.1). Reads the
// Connection fields a second time, because one may follow the field it names.
void drop_named_by_connection(std::string_view bytes, ResponseHead& head) {
    std::size_t start = bytes.find('\n') + 1;
    while (start < bytes.size()) {
        auto end = bytes.find('\n', start);
        auto line = bytes.substr(start, end - start);
        start = end + 1;
        auto colon = line.find(':');
        if (colon == std::string_view::npos) continue;
        if (!iequals(trim(line.substr(0, colon)), "connection")) continue;
        line.remove_suffix(1);
        for_each_member(line.substr(colon + 1), [&](std::string_view named) {
            std::erase_if(head.fields,
                          [named](const HeaderField& field) { return iequals(field.name, named); });
        });
    }
}

// Determines the body length by RFC 9112 section 6.3, without its leniency for ambiguous framing.
const char* decide_body_framing(const FramingFields& framing, bool is_head_response, ResponseHead& head) {
    if (framing.chunked && head.content_length) return "both Content-Length and Transfer-Encoding";
    head.keep_alive = !framing.close && (framing.version_minor > 0 || framing.keep_alive);
    if (head.status < 200 || head.status == 204) {
        // Neither may have a body. An upstream that announces one may also send it.
        if (framing.chunked || head.content_length.value_or(0) > 0) head.keep_alive = false;
        head.content_length.reset();
        head.body = ResponseBodyFraming::none;
    } else if (is_head_response || head.status == 304) {
        head.body = ResponseBodyFraming::none;
    } else if (framing.chunked) {
        head.body = ResponseBodyFraming::chunked;
    } else if (head.content_length) {
        head.body = ResponseBodyFraming::length;
    } else {
        head.body = ResponseBodyFraming::close;
        head.keep_alive = false;
    }
    if (head.status != 101) head.upgrade = {};
    return nullptr;
}

ResponseParseResult malformed_head(const char* error) {
    return {ResponseParseResult::State::malformed, 0, error};
}

}  // namespace

ResponseParseResult parse_response_head(std::string_view bytes, bool is_head_response, ResponseHead& head) {
    head.reason = head.upgrade = {};
    head.content_length.reset();
    head.idle_seconds.reset();
    head.has_date = false;
    head.fields.clear();

    FramingFields framing;
    std::size_t start = 0;
    while (true) {
        auto line_end = bytes.find('\n', start);
        if (line_end == std::string_view::npos) return {};
        if (line_end == start || bytes[line_end - 1] != '\r')
            return malformed_head("a line does not end with CR LF");
        auto line = bytes.substr(start, line_end - 1 - start);
        const char* error = nullptr;
        if (start == 0) {
            error = read_status_line(line, head, framing);
        } else if (!line.empty()) {
            error = read_field(line, head, framing);
        } else {
            if (framing.other_connection_options) drop_named_by_connection(bytes.substr(0, start), head);
            error = decide_body_framing(framing, is_head_response, head);
            if (!error) return {ResponseParseResult::State::complete, line_end + 1, ""};
        }
        if (error) return malformed_head(error);
        start = line_end + 1;
    }
}

}  // namespace integreat::net
