// SPDX-License-Identifier: Apache-2.0
#include "config/validators/validators.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <arpa/inet.h>

#include "base/text/ascii.h"

namespace integreat::config {

namespace {

constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view lower_alphanumeric = "abcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::string_view token_characters =
    "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view unreserved = "-._~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::size_t max_slug_length = 40;
constexpr std::size_t max_path_length = 300;

bool contains_only(std::string_view text, std::string_view allowed, std::string_view additional = "") {
    return std::all_of(text.begin(), text.end(), [&](char c) {
        return allowed.find(c) != allowed.npos || additional.find(c) != additional.npos;
    });
}

bool starts_with_letter(std::string_view text) {
    return !text.empty() && letters.find(text[0]) != letters.npos;
}

bool is_ip(int family, std::string_view text) {
    std::array<unsigned char, 16> bytes{};
    return inet_pton(family, std::string(text).c_str(), bytes.data()) == 1;
}

bool is_host_name(std::string_view host) {
    if (host.empty() || host.size() > 253) return false;
    while (true) {
        std::size_t dot = host.find('.');
        std::string_view label = host.substr(0, dot);
        bool is_valid = !label.empty() && label.size() <= 63 &&
                        contains_only(label, lower_alphanumeric, "-_") && label.front() != '-' &&
                        label.back() != '-';
        if (!is_valid) return false;
        if (dot == host.npos) return true;
        host = host.substr(dot + 1);
    }
}

bool is_host(std::string_view host) {
    if (host.starts_with('[')) return host.ends_with(']') && is_ip(AF_INET6, host.substr(1, host.size() - 2));
    // A host of digits and dots is an address or invalid, never a name (WHATWG URL section 3.5).
    std::string_view last = host.substr(host.rfind('.') + 1);
    bool numeric = is_digits(last);
    return numeric ? is_ip(AF_INET, host) : is_host_name(host);
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    bool is_valid = error == std::errc() && end == text.data() + text.size() && text[0] != '0';
    return is_valid ? std::optional(port) : std::nullopt;
}

bool is_loopback(std::string_view host) {
    bool is_ipv4 =
        host.starts_with("127.") && is_ip(AF_INET, host);  // Not the name "127.0.0.1.evil.example".
    return is_ipv4 || host == "localhost" || host == "::1" || host == "[::1]";
}

struct Authority {
    std::string_view host;
    std::optional<std::string_view> port;
};

Authority split_authority(std::string_view text) {
    std::size_t bracket = text.rfind(']');
    std::size_t colon = text.find(':', bracket == text.npos ? 0 : bracket);
    if (colon == text.npos) return {text, std::nullopt};
    return {text.substr(0, colon), text.substr(colon + 1)};
}

CheckResult check_base_path(std::string_view path) {
    if (path.find("//") != path.npos || path.ends_with('/')) {
        return "must not have empty segments or a trailing slash in its path";
    }
    for (std::size_t at = path.find('/'); at != path.npos; at = path.find('/', at + 1)) {
        std::string_view segment = path.substr(at + 1, path.find('/', at + 1) - at - 1);
        if (segment == "." || segment == "..") return "must not have dot segments in its path";
    }
    return contains_only(path, unreserved, "/") ? CheckResult()
                                                : "must contain only letters, digits and -._~/ in its path";
}

// Checks one segment between slashes.
CheckResult check_segment(std::string_view segment, bool last) {
    if (segment.empty()) return "must not have empty segments or a trailing slash";
    if (segment == "." || segment == "..") return "must not have dot segments";
    if (segment.find_first_of("{}") == segment.npos) {
        return contains_only(segment, unreserved)
                   ? CheckResult()
                   : "must contain only letters, digits and -._~ between slashes";
    }
    if (segment.front() != '{' || segment.back() != '}')
        return "must have parameters as whole segments: /{id}/";
    std::string_view name = segment.substr(1, segment.size() - 2);
    if (name.ends_with("...")) {
        if (!last) return "must have {" + std::string(name) + "} as its last segment";
        name.remove_suffix(3);
    }
    bool is_valid = starts_with_letter(name) && contains_only(name, lower_alphanumeric, "_") &&
                    name.size() <= max_slug_length;
    return is_valid ? CheckResult() : "must name parameters in lower case: {id}, {student_id}, {rest...}";
}

std::vector<std::string_view> split_segments(std::string_view path) {
    std::vector<std::string_view> segments;
    while (!path.empty()) {
        std::size_t end = path.find('/', 1);
        segments.push_back(path.substr(1, end == path.npos ? end : end - 1));
        path = end == path.npos ? std::string_view() : path.substr(end);
    }
    return segments;
}

}  // namespace

CheckResult check_slug(std::string_view text) {
    bool is_valid = starts_with_letter(text) && text.size() <= max_slug_length &&
                    contains_only(text, lower_alphanumeric, "-") && text.back() != '-' &&
                    text.find("--") == text.npos;
    return is_valid ? CheckResult()
                    : "must consist of at most 40 lower-case letters, digits and single hyphens and start "
                      "with a letter";
}

CheckResult check_file_prefix(std::string_view text) {
    bool is_valid = !text.empty() && text.back() == '/' && text.size() <= max_file_prefix_length;
    bool starts_segment = true;
    for (char c : text) {
        is_valid = is_valid &&
                   (is_lower(c) || is_digit(c) || (!starts_segment && (c == '_' || c == '-' || c == '/')));
        starts_segment = c == '/';
    }
    return is_valid ? CheckResult()
                    : "must consist of segments that end in /, of lower-case letters, digits, _ and -: "
                      "announcements/2026/";
}

CheckResult check_role(std::string_view text) {
    bool is_valid = starts_with_letter(text) && text.size() <= max_slug_length &&
                    contains_only(text, lower_alphanumeric, "_-");
    return is_valid
               ? CheckResult()
               : "must consist of at most 40 lower-case letters, digits, _ and - and start with a letter";
}

CheckResult check_scope(std::string_view text) {
    bool is_valid =
        starts_with_letter(text) && text.size() <= 64 && contains_only(text, lower_alphanumeric, "_.:-");
    return is_valid
               ? CheckResult()
               : "must consist of at most 64 lower-case letters, digits and _.:- and start with a letter";
}

CheckResult check_identifier(std::string_view text) {
    bool is_valid = starts_with_letter(text) && text.size() <= max_identifier_length &&
                    contains_only(text, lower_alphanumeric, "_") && text.back() != '_' &&
                    text.find("__") == text.npos;
    return is_valid ? CheckResult()
                    : "must consist of at most 50 lower-case letters, digits and single underscores and "
                      "start with a letter";
}

CheckResult check_project(std::string_view text) {
    bool is_valid = starts_with_letter(text) && text.size() >= 6 && text.size() <= 30 &&
                    contains_only(text, lower_alphanumeric, "-") && text.back() != '-';
    return is_valid ? CheckResult()
                    : "must be a Firebase project ID: 6 to 30 lower-case letters, digits and hyphens, "
                      "starting with a "
                      "letter, not ending with a hyphen";
}

CheckResult check_origin(std::string_view text) {
    if (text == "*")
        return "must list each origin: with * any site could read responses meant for your users";
    bool secure = text.starts_with("https://");
    if (!secure && !text.starts_with("http://")) return "must be an origin such as https://campus.example";
    Authority authority = split_authority(text.substr(secure ? 8 : 7));
    if (authority.host.find_first_of("/?#") != text.npos)
        return "must be an origin without a path or trailing slash";
    if (authority.host.find('*') != text.npos) return "must name one host: * is allowed for a port only";
    if (!is_host(authority.host)) return "must have a host in lower case";
    if (!authority.port) return std::nullopt;
    if (*authority.port == "*") {
        return is_loopback(authority.host) ? CheckResult() : "may have the port * on localhost only";
    }
    auto port = parse_port(*authority.port);
    if (!port) return "must be an origin with a numeric port, without a path or trailing slash";
    return *port == (secure ? 443 : 80) ? "must omit the default port, as browsers do" : CheckResult();
}

CheckResult check_header_name(std::string_view text) {
    return !text.empty() && text.size() <= 100 && contains_only(text, token_characters)
               ? CheckResult()
               : "must be a header name";
}

CheckResult check_address(std::string_view text) {
    return is_ip(AF_INET, text) || is_ip(AF_INET6, text) ? CheckResult()
                                                         : "must be an IP address such as 127.0.0.1 or ::";
}

CheckResult check_network(std::string_view text) {
    std::size_t slash = text.find('/');
    std::string_view address = text.substr(0, slash);
    bool is_ipv4 = is_ip(AF_INET, address);
    bool is_valid = is_ipv4 || is_ip(AF_INET6, address);
    if (is_valid && slash != text.npos) {
        std::string_view prefix = text.substr(slash + 1);
        int length = -1;
        auto [end, error] = std::from_chars(prefix.data(), prefix.data() + prefix.size(), length);
        is_valid = error == std::errc() && end == prefix.data() + prefix.size() && length >= 0 &&
                   length <= (is_ipv4 ? 32 : 128);
    }
    return is_valid ? CheckResult() : "must be an IP address or a network such as 10.0.0.0/8";
}

UrlResult parse_url(std::string_view text) {
    auto make_error = [](std::string message) { return UrlResult{{}, std::move(message)}; };
    Url url;
    url.secure = text.starts_with("https://");
    if (!url.secure && !text.starts_with("http://")) return make_error("must start with http:// or https://");
    std::string_view rest = text.substr(url.secure ? 8 : 7);
    std::string_view before_path = rest.substr(0, rest.find_first_of("/?#"));
    if (before_path.find('@') != rest.npos) return make_error("must not contain a user name or password");
    if (rest.find_first_of("?#") != rest.npos) return make_error("must not have a query or fragment");
    Authority authority = split_authority(before_path);
    url.host = to_lower(authority.host);
    if (url.host.empty()) return make_error("must have a host");
    if (!is_host(url.host)) return make_error("must have a valid host");
    if (url.host.starts_with('[')) url.host = url.host.substr(1, url.host.size() - 2);
    url.port = url.secure ? 443 : 80;
    if (authority.port) {
        auto port = parse_port(*authority.port);
        if (!port) return make_error("must have a port from 1 to 65535");
        url.port = *port;
    }
    std::string_view path = rest.substr(before_path.size());
    url.path = path == "/" ? "" : path;
    return {url, check_base_path(url.path)};
}

CheckResult check_url(std::string_view text) {
    return parse_url(text).error;
}

CheckResult check_trusted_url(std::string_view text) {
    // Its path may contain characters that a base path may not: securetoken@system.gserviceaccount.com.
    std::string_view base = text.substr(0, text.find('/', std::min(text.size(), text.find("://") + 3)));
    auto [url, error] = parse_url(base);
    if (error) return error;
    bool is_visible =
        std::all_of(text.begin(), text.end(), [](unsigned char c) { return c > 0x20 && c < 0x7f; });
    if (!is_visible || text.find('#') != text.npos) return "must be a URL";
    return url.secure || is_loopback(url.host)
               ? CheckResult()
               : "must be https: its response decides which tokens are trusted";
}

CheckResult check_database_url(std::string_view text) {
    bool is_url = text.starts_with("postgresql://") || text.starts_with("postgres://");
    bool has_pairs = !is_url && text.find('=') != text.npos;
    return is_url || has_pairs
               ? CheckResult()
               : "must be postgresql://USER:PASSWORD@HOST/DATABASE, or env:NAME of such a value";
}

CheckResult check_path(std::string_view text) {
    if (!text.starts_with('/')) return "must start with a slash";
    if (text.size() > max_path_length) return "must not be longer than 300 bytes";
    auto segments = split_segments(text);
    for (std::size_t i = 0; i < segments.size(); ++i) {
        if (auto error = check_segment(segments[i], i + 1 == segments.size())) return error;
    }
    auto names = path_parameters(text);
    std::sort(names.begin(), names.end());
    auto repeated = std::adjacent_find(names.begin(), names.end());
    if (repeated != names.end()) return "must not repeat the parameter {" + std::string(*repeated) + "}";
    return std::nullopt;
}

CheckResult check_target(std::string_view text) {
    return text == "/" ? CheckResult() : check_path(text);
}

std::vector<std::string_view> path_parameters(std::string_view path) {
    std::vector<std::string_view> names;
    for (auto segment : split_segments(path)) {
        if (!segment.starts_with('{')) continue;
        std::string_view name = segment.substr(1, segment.find_first_of(".}") - 1);
        names.push_back(name);
    }
    return names;
}

std::string path_shape(std::string_view path) {
    std::string shape;
    for (auto segment : split_segments(path)) {
        shape += '/';
        if (!segment.starts_with('{')) {
            shape += segment;
        } else {
            shape += segment.ends_with("...}") ? "{...}" : "{}";
        }
    }
    return shape;
}

}  // namespace integreat::config
