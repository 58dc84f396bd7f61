// SPDX-License-Identifier: Apache-2.0
#include "aws/sigv4_canonical.h"

#include <algorithm>

namespace integreat::aws {

namespace {

constexpr char digits[] = "0123456789ABCDEF";

int hex_digit(char c) {
    if (is_digit(c)) return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

// Removes dot segments (RFC 3986 section 5.2.4) and empty segments; keeps a trailing slash.
std::string normalize_path(std::string_view path) {
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
    std::string normalized;
    for (auto segment : segments)
        normalized.append("/").append(segment);
    if (normalized.empty() || ends_in_slash) normalized += "/";
    return normalized;
}

std::string canonical_query(const SigV4Request& request) {
    std::vector<std::pair<std::string, std::string>> pairs;
    for (auto& [name, value] : decode_query(request.query)) {
        if (name == "X-Amz-Signature") continue;
        pairs.emplace_back(uri_encode(name), uri_encode(value));
    }
    std::ranges::sort(pairs);
    std::string text;
    for (const auto& [name, value] : pairs)
        text.append(text.empty() ? "" : "&").append(name).append("=").append(value);
    return text;
}

// Appends the value trimmed, with runs of spaces collapsed (insignificant in RFC 9110).
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
        if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
            hex_digit(text[i + 2]) >= 0) {
            decoded += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
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
        bool plain =
            is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~' || (c == '/' && keep_slashes);
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
        auto pair = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        if (pair.empty()) continue;
        auto equals = std::min<std::size_t>(std::ranges::find(pair, '=') - pair.begin(), pair.size());
        auto value = equals < pair.size() ? pair.substr(equals + 1) : std::string_view();
        auto decode_plus = [](std::string_view text) {
            std::string copy(text);
            std::ranges::replace(copy, '+', ' ');
            return copy;
        };
        pairs.emplace_back(percent_decode(decode_plus(pair.substr(0, equals))),
                           percent_decode(decode_plus(value)));
    }
    return pairs;
}

std::string canonical_request(const SigV4SigningInput& input) {
    const auto& request = input.request;
    std::string text(request.method);
    text += "\n";
    if (input.path_encoding == SigV4PathEncoding::once) {
        text += request.path.empty() ? "/" : request.path;
    } else {
        text += uri_encode(normalize_path(request.path), true);
    }
    text += "\n" + canonical_query(request) + "\n";
    std::string names;
    for (const auto& name : input.claim.signed_headers) {
        text += name + ":";
        bool first = true;
        for (const auto& header : request.headers) {
            if (!iequals(header.name, name)) continue;
            if (!std::exchange(first, false)) text += ",";
            append_value(text, header.value);
        }
        text += "\n";
        names += (names.empty() ? "" : ";") + name;
    }
    return text + "\n" + names + "\n" + std::string(input.payload_hash);
}

}  // namespace integreat::aws
