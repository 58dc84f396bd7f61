// SPDX-License-Identifier: Apache-2.0
// The canonical request: one text for all spellings of the same request.
#include <algorithm>

#include "aws/sigv4.h"
#include "aws/sigv4_text.h"

namespace integreat::aws {

namespace {

constexpr char digits[] = "0123456789ABCDEF";

int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

// RFC 3986 section 5.2.4, and without empty segments; what ends in a slash still does.
std::string normalised(std::string_view path) {
    std::vector<std::string_view> segments;
    bool ends_in_slash = true;
    for (std::size_t begin = 0; begin < path.size();) {
        auto end = std::min(path.find('/', begin), path.size());
        auto segment = path.substr(begin, end - begin);
        ends_in_slash = end < path.size() || segment.empty() || segment == "." || segment == "..";
        if (segment == "..") {
            if (!segments.empty()) segments.pop_back();
        } else if (!segment.empty() && segment != ".") {
            segments.push_back(segment);
        }
        begin = end + 1;
    }
    std::string joined;
    for (auto segment : segments)
        joined.append("/").append(segment);
    if (joined.empty() || ends_in_slash) joined += "/";
    return joined;
}

std::string canonical_query(const SigV4Message& message) {
    std::vector<std::pair<std::string, std::string>> pairs;
    for (auto& [name, value] : decode_query(message.query)) {
        if (name == "X-Amz-Signature") continue;
        pairs.emplace_back(uri_encode(name), uri_encode(value));
    }
    std::ranges::sort(pairs);
    std::string text;
    for (const auto& [name, value] : pairs)
        text.append(text.empty() ? "" : "&").append(name).append("=").append(value);
    return text;
}

// Trimmed, with runs of spaces made one (RFC 9110 has no meaning for them).
void append_value(std::string& text, std::string_view value) {
    value = trim(value);
    for (std::size_t i = 0; i < value.size(); ++i) {
        if (value[i] == ' ' && i + 1 < value.size() && value[i + 1] == ' ') continue;
        text += value[i];
    }
}

}  // namespace

std::string percent_decode(std::string_view text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size() && digit_of(text[i + 1]) >= 0 &&
            digit_of(text[i + 2]) >= 0) {
            decoded += static_cast<char>(digit_of(text[i + 1]) * 16 + digit_of(text[i + 2]));
            i += 2;
        } else {
            decoded += text[i];
        }
    }
    return decoded;
}

std::string uri_encode(std::string_view text, bool keep_slashes) {
    std::string encoded;
    encoded.reserve(text.size() + 16);
    for (char c : text) {
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                     c == '.' || c == '_' || c == '~' || (c == '/' && keep_slashes);
        if (plain) {
            encoded += c;
            continue;
        }
        auto byte = static_cast<unsigned char>(c);
        encoded += '%';
        encoded += digits[byte >> 4];
        encoded += digits[byte & 15];
    }
    return encoded;
}

std::vector<std::pair<std::string, std::string>> decode_query(std::string_view query) {
    std::vector<std::pair<std::string, std::string>> pairs;
    while (!query.empty()) {
        auto end = std::min(query.find('&'), query.size());
        auto piece = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        if (piece.empty()) continue;
        auto equals = std::min<std::size_t>(std::ranges::find(piece, '=') - piece.begin(), piece.size());
        auto value = equals < piece.size() ? piece.substr(equals + 1) : std::string_view();
        auto spaced = [](std::string_view text) {
            std::string copy(text);
            std::ranges::replace(copy, '+', ' ');
            return copy;
        };
        pairs.emplace_back(percent_decode(spaced(piece.substr(0, equals))), percent_decode(spaced(value)));
    }
    return pairs;
}

std::string canonical_request(const SigV4Expectation& expected) {
    const auto& message = expected.message;
    std::string text(message.method);
    text += "\n";
    if (expected.path == SigV4Path::as_sent) {
        text += message.path.empty() ? "/" : message.path;
    } else {
        text += uri_encode(normalised(message.path), true);
    }
    text += "\n" + canonical_query(message) + "\n";
    std::string names;
    for (const auto& name : expected.claim.signed_headers) {
        text += name + ":";
        bool first = true;
        for (const auto& field : message.headers) {
            if (!equal_names(field.name, name)) continue;
            if (!std::exchange(first, false)) text += ",";
            append_value(text, field.value);
        }
        text += "\n";
        names += (names.empty() ? "" : ";") + name;
    }
    return text + "\n" + names + "\n" + std::string(expected.payload_hash);
}

}  // namespace integreat::aws
