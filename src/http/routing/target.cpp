// SPDX-License-Identifier: Apache-2.0
#include "http/routing/target.h"

#include <algorithm>
#include <cstdint>

#include "base/text/ascii.h"

namespace integreat::http {

namespace {

constexpr int hex_value(char character) {
    if (character >= '0' && character <= '9') return character - '0';
    if (character >= 'A' && character <= 'F') return character - 'A' + 10;
    if (character >= 'a' && character <= 'f') return character - 'a' + 10;
    return -1;
}

// Returns the byte of the escape at `text[at]`; -1 if it is malformed.
int escaped_byte(std::string_view text, std::size_t at) {
    if (at + 2 >= text.size()) return -1;
    int high = hex_value(text[at + 1]);
    int low = hex_value(text[at + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

constexpr bool is_unreserved(unsigned char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

Error refused(std::string message) {
    return {Fault::invalid, std::move(message), "check_target"};
}

// Returns the length of the UTF-8 sequence at the front (RFC 3629: shortest form, no surrogates); 0 if
// invalid.
std::size_t utf8_length(std::string_view text) {
    auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
    auto is_continuation = [&](std::size_t i) { return (byte(i) & 0xC0u) == 0x80u; };
    unsigned first = byte(0), second = byte(1);
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first <= 0xDF) return is_continuation(1) ? 2 : 0;
    if (first >= 0xE0 && first <= 0xEF) {
        bool shortest = first != 0xE0 || second >= 0xA0;
        bool no_surrogate = first != 0xED || second < 0xA0;
        return shortest && no_surrogate && is_continuation(1) && is_continuation(2) ? 3 : 0;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        bool in_range = (first != 0xF0 || second >= 0x90) && (first != 0xF4 || second < 0x90);
        return in_range && is_continuation(1) && is_continuation(2) && is_continuation(3) ? 4 : 0;
    }
    return 0;
}

bool is_valid_utf8(std::string_view text) {
    while (!text.empty()) {
        auto length = utf8_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

// Recognizes "." and "..", also for servers that remove ";parameters" from a segment.
bool is_dot_segment(std::string_view segment) {
    auto name = segment.substr(0, segment.find(';'));
    return name == "." || name == "..";
}

Result<> check_segments(std::string_view path) {
    std::size_t start = 1;
    while (start < path.size()) {
        auto end = std::min(path.find('/', start), path.size());
        if (end == start) return refused("the path has an empty segment (\"//\")");
        if ((path[start] == '.') && is_dot_segment(path.substr(start, end - start))) {
            return refused("the path has a dot segment (\".\" or \"..\"); send the path it leads to");
        }
        start = end + 1;
    }
    return {};
}

// Checks the decoded path: an upstream may decode it before or after it splits the path.
Result<> check_escaped_path(std::string_view path) {
    for (std::size_t at = path.find('%'); at != std::string_view::npos; at = path.find('%', at + 3)) {
        int byte = escaped_byte(path, at);
        if (byte < 0) return refused("the path has a malformed escape: % needs two hexadecimal digits");
        if (byte < 0x20 || byte == 0x7f) return refused("the path has an escaped control character");
        if (byte == '/' || byte == '\\') return refused("the path has an escaped slash or backslash");
    }
    auto decoded = percent_decode(path);
    ASSERT(decoded);
    if (!is_valid_utf8(*decoded)) return refused("the path is not UTF-8 once its escapes are decoded");
    return check_segments(*decoded);
}

Result<> check_escaped_query(std::string_view query) {
    for (std::size_t at = query.find('%'); at != std::string_view::npos; at = query.find('%', at + 3)) {
        int byte = escaped_byte(query, at);
        if (byte < 0) return refused("the query has a malformed escape: % needs two hexadecimal digits");
        if (byte == 0) return refused("the query has an escaped NUL");
    }
    return {};
}

}  // namespace

Result<> check_target(std::string_view target) {
    if (target.empty() || target.front() != '/') return refused("the request target must start with a slash");
    bool path_escaped = false, query_escaped = false, in_query = false;
    std::size_t path_length = target.size();
    for (std::size_t i = 0; i < target.size(); ++i) {
        auto byte = static_cast<unsigned char>(target[i]);
        if (byte <= 0x20 || byte >= 0x7f)
            return refused("the request target has a byte outside visible ASCII");
        if (byte == '#')
            return refused("the request target has a fragment (\"#\"), which stays with the client");
        if (byte == '\\') return refused("the request target has a backslash");
        if (byte == '?' && !in_query) {
            in_query = true;
            path_length = i;
        }
        if (byte == '%') (in_query ? query_escaped : path_escaped) = true;
    }
    auto path = target.substr(0, path_length);
    TRY(path_escaped ? check_escaped_path(path) : check_segments(path));
    if (query_escaped) return check_escaped_query(target.substr(path_length + 1));
    return {};
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
    auto is_literal = [=](char c) { return c != '%' && !(plus_is_space && c == '+'); };
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        auto run = i;
        while (run < text.size() && is_literal(text[run]))
            ++run;
        decoded.append(text, i, run - i);
        if (run == text.size()) break;
        int byte = text[run] == '%' ? escaped_byte(text, run) : ' ';
        if (byte < 0) return std::nullopt;
        decoded += static_cast<char>(byte);
        i = run + (text[run] == '%' ? 3 : 1);
    }
    return decoded;
}

std::string percent_encode(std::string_view text) {
    std::string encoded;
    encoded.reserve(text.size());
    for (char character : text) {
        auto byte = static_cast<unsigned char>(character);
        if (is_unreserved(byte)) {
            encoded += character;
        } else {
            encoded += '%';
            encoded += upper_hex_digits[byte >> 4];
            encoded += upper_hex_digits[byte & 15];
        }
    }
    return encoded;
}

Result<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query,
                                                                     std::size_t max_pairs) {
    std::vector<std::pair<std::string, std::string>> pairs;
    while (!query.empty()) {
        auto end = std::min(query.find('&'), query.size());
        auto pair = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        if (pair.empty()) continue;
        if (pairs.size() == max_pairs) {
            return Error{Fault::invalid,
                         "the query has more than " + std::to_string(max_pairs) + " parameters",
                         "parse_query"};
        }
        auto equals = std::min(pair.find('='), pair.size());
        auto name = percent_decode(pair.substr(0, equals), true);
        auto value = percent_decode(pair.substr(std::min(equals + 1, pair.size())), true);
        if (!name || !value) {
            return Error{Fault::invalid, "the query has a malformed escape: % needs two hexadecimal digits",
                         "parse_query"};
        }
        pairs.emplace_back(*std::move(name), *std::move(value));
    }
    return pairs;
}

}  // namespace integreat::http
