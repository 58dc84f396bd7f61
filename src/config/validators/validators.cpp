// SPDX-License-Identifier: Apache-2.0
#include "config/validators/validators.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <arpa/inet.h>

namespace integreat::config {

namespace {

constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view lower = "abcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::string_view token =
    "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view unreserved = "-._~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::size_t slug_length_max = 40;
constexpr std::size_t path_length_max = 300;

bool only(std::string_view text, std::string_view allowed, std::string_view more = "") {
    return std::all_of(text.begin(), text.end(),
                       [&](char c) { return allowed.find(c) != allowed.npos || more.find(c) != more.npos; });
}

bool begins_with_letter(std::string_view text) {
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
        bool sound = !label.empty() && label.size() <= 63 && only(label, lower, "-_") &&
                     label.front() != '-' && label.back() != '-';
        if (!sound) return false;
        if (dot == host.npos) return true;
        host = host.substr(dot + 1);
    }
}

bool is_host(std::string_view host) {
    if (host.starts_with('[')) return host.ends_with(']') && is_ip(AF_INET6, host.substr(1, host.size() - 2));
    // A host of digits and dots is an address or a mistake, never a name (WHATWG URL section 3.5).
    std::string_view last = host.substr(host.rfind('.') + 1);
    bool numeric = !last.empty() && last.find_first_not_of("0123456789") == last.npos;
    return numeric ? is_ip(AF_INET, host) : is_host_name(host);
}

std::optional<std::uint16_t> port_from(std::string_view text) {
    std::uint16_t port = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    bool whole = error == std::errc() && end == text.data() + text.size() && text[0] != '0';
    return whole ? std::optional(port) : std::nullopt;
}

bool is_loopback(std::string_view host) {
    bool four = host.starts_with("127.") && is_ip(AF_INET, host);  // Not the name "127.0.0.1.evil.example".
    return four || host == "localhost" || host == "::1" || host == "[::1]";
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

std::string in_lower_case(std::string_view text) {
    std::string lowered(text);
    for (char& c : lowered) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return lowered;
}

Complaint check_base_path(std::string_view path) {
    if (path.find("//") != path.npos || path.ends_with('/')) {
        return "must not have empty segments or a slash at the end of its path";
    }
    for (std::size_t at = path.find('/'); at != path.npos; at = path.find('/', at + 1)) {
        std::string_view segment = path.substr(at + 1, path.find('/', at + 1) - at - 1);
        if (segment == "." || segment == "..") return "must not have dot segments in its path";
    }
    return only(path, unreserved, "/") ? Complaint() : "must have only letters, digits and -._~/ in its path";
}

// One segment between slashes.
Complaint check_segment(std::string_view segment, bool last) {
    if (segment.empty()) return "must not have empty segments, nor a slash at its end";
    if (segment == "." || segment == "..") return "must not have dot segments";
    if (segment.find_first_of("{}") == segment.npos) {
        return only(segment, unreserved) ? Complaint()
                                         : "must have only letters, digits and -._~ between slashes";
    }
    if (segment.front() != '{' || segment.back() != '}')
        return "must have parameters as whole segments: /{id}/";
    std::string_view name = segment.substr(1, segment.size() - 2);
    if (name.ends_with("...")) {
        if (!last) return "must have {" + std::string(name) + "} as its last segment";
        name.remove_suffix(3);
    }
    bool sound = begins_with_letter(name) && only(name, lower, "_") && name.size() <= slug_length_max;
    return sound ? Complaint() : "must name parameters in lower case: {id}, {student_id}, {rest...}";
}

std::vector<std::string_view> segments_of(std::string_view path) {
    std::vector<std::string_view> segments;
    while (!path.empty()) {
        std::size_t end = path.find('/', 1);
        segments.push_back(path.substr(1, end == path.npos ? end : end - 1));
        path = end == path.npos ? std::string_view() : path.substr(end);
    }
    return segments;
}

}  // namespace

Complaint check_slug(std::string_view text) {
    bool sound = begins_with_letter(text) && text.size() <= slug_length_max && only(text, lower, "-") &&
                 text.back() != '-' && text.find("--") == text.npos;
    return sound ? Complaint()
                 : "must be lower-case letters, digits and single hyphens, at most 40, a letter first";
}

Complaint check_role(std::string_view text) {
    bool sound = begins_with_letter(text) && text.size() <= slug_length_max && only(text, lower, "_-");
    return sound ? Complaint() : "must be lower-case letters, digits, _ and -, at most 40, a letter first";
}

Complaint check_scope(std::string_view text) {
    bool sound = begins_with_letter(text) && text.size() <= 64 && only(text, lower, "_.:-");
    return sound ? Complaint() : "must be lower-case letters, digits and _.:-, at most 64, a letter first";
}

Complaint check_identifier(std::string_view text) {
    bool sound = begins_with_letter(text) && text.size() <= identifier_length_max && only(text, lower, "_") &&
                 text.back() != '_' && text.find("__") == text.npos;
    return sound ? Complaint()
                 : "must be lower-case letters, digits and single underscores, at most 50, a letter first";
}

Complaint check_project(std::string_view text) {
    bool sound = begins_with_letter(text) && text.size() >= 6 && text.size() <= 30 &&
                 only(text, lower, "-") && text.back() != '-';
    return sound ? Complaint()
                 : "must be a Firebase project id: 6 to 30 lower-case letters, digits and hyphens, a letter "
                   "first, "
                   "no hyphen last";
}

Complaint check_origin(std::string_view text) {
    if (text == "*") return "must name each origin: any site could read answers meant for your users";
    bool secure = text.starts_with("https://");
    if (!secure && !text.starts_with("http://")) return "must be an origin such as https://campus.example";
    Authority authority = split_authority(text.substr(secure ? 8 : 7));
    if (authority.host.find_first_of("/?#") != text.npos)
        return "must be an origin: no path, no slash at the end";
    if (authority.host.find('*') != text.npos) return "must name one host: * may stand for a port only";
    if (!is_host(authority.host)) return "must have a host in lower case";
    if (!authority.port) return std::nullopt;
    if (*authority.port == "*") {
        return is_loopback(authority.host) ? Complaint() : "may have * for its port on localhost only";
    }
    auto port = port_from(*authority.port);
    if (!port) return "must be an origin: its port a number, no path, no slash at the end";
    return *port == (secure ? 443 : 80) ? "must leave out the default port, as browsers do" : Complaint();
}

Complaint check_header_name(std::string_view text) {
    return !text.empty() && text.size() <= 100 && only(text, token) ? Complaint() : "must be a header's name";
}

Complaint check_address(std::string_view text) {
    return is_ip(AF_INET, text) || is_ip(AF_INET6, text) ? Complaint()
                                                         : "must be an IP address such as 127.0.0.1 or ::";
}

Complaint check_network(std::string_view text) {
    std::size_t slash = text.find('/');
    std::string_view address = text.substr(0, slash);
    bool four = is_ip(AF_INET, address);
    bool sound = four || is_ip(AF_INET6, address);
    if (sound && slash != text.npos) {
        std::string_view prefix = text.substr(slash + 1);
        int length = -1;
        auto [end, error] = std::from_chars(prefix.data(), prefix.data() + prefix.size(), length);
        sound = error == std::errc() && end == prefix.data() + prefix.size() && length >= 0 &&
                length <= (four ? 32 : 128);
    }
    return sound ? Complaint() : "must be an IP address or a network such as 10.0.0.0/8";
}

UrlReading read_url(std::string_view text) {
    auto refuse = [](std::string complaint) { return UrlReading{{}, std::move(complaint)}; };
    Url url;
    url.secure = text.starts_with("https://");
    if (!url.secure && !text.starts_with("http://")) return refuse("must begin with http:// or https://");
    std::string_view rest = text.substr(url.secure ? 8 : 7);
    std::string_view before_path = rest.substr(0, rest.find_first_of("/?#"));
    if (before_path.find('@') != rest.npos) return refuse("must not hold a user or password");
    if (rest.find_first_of("?#") != rest.npos) return refuse("must not have a query or fragment");
    Authority authority = split_authority(before_path);
    url.host = in_lower_case(authority.host);
    if (url.host.empty()) return refuse("must name a host");
    if (!is_host(url.host)) return refuse("must name a valid host");
    if (url.host.starts_with('[')) url.host = url.host.substr(1, url.host.size() - 2);
    url.port = url.secure ? 443 : 80;
    if (authority.port) {
        auto port = port_from(*authority.port);
        if (!port) return refuse("must have a port from 1 to 65535");
        url.port = *port;
    }
    std::string_view path = rest.substr(before_path.size());
    url.path = path == "/" ? "" : path;
    return {url, check_base_path(url.path)};
}

Complaint check_url(std::string_view text) {
    return read_url(text).complaint;
}

Complaint check_trusted_url(std::string_view text) {
    // Its path may hold what a base path may not: securetoken@system.gserviceaccount.com.
    std::string_view base = text.substr(0, text.find('/', std::min(text.size(), text.find("://") + 3)));
    auto [url, complaint] = read_url(base);
    if (complaint) return complaint;
    bool visible =
        std::all_of(text.begin(), text.end(), [](unsigned char c) { return c > 0x20 && c < 0x7f; });
    if (!visible || text.find('#') != text.npos) return "must be a URL";
    return url.secure || is_loopback(url.host) ? Complaint()
                                               : "must be https: its answer decides who is believed";
}

Complaint check_database_url(std::string_view text) {
    bool url = text.starts_with("postgresql://") || text.starts_with("postgres://");
    bool pairs = !url && text.find('=') != text.npos;
    return url || pairs ? Complaint()
                        : "must be postgresql://USER:PASSWORD@HOST/DATABASE, or env:NAME of such a value";
}

Complaint check_path(std::string_view text) {
    if (!text.starts_with('/')) return "must begin with a slash";
    if (text.size() > path_length_max) return "must not be longer than 300 bytes";
    auto segments = segments_of(text);
    for (std::size_t i = 0; i < segments.size(); ++i) {
        if (auto complaint = check_segment(segments[i], i + 1 == segments.size())) return complaint;
    }
    auto names = parameters_of(text);
    std::sort(names.begin(), names.end());
    auto twice = std::adjacent_find(names.begin(), names.end());
    if (twice != names.end()) return "must not have the parameter {" + std::string(*twice) + "} twice";
    return std::nullopt;
}

Complaint check_target(std::string_view text) {
    return text == "/" ? Complaint() : check_path(text);
}

std::vector<std::string_view> parameters_of(std::string_view path) {
    std::vector<std::string_view> names;
    for (auto segment : segments_of(path)) {
        if (!segment.starts_with('{')) continue;
        std::string_view name = segment.substr(1, segment.find_first_of(".}") - 1);
        names.push_back(name);
    }
    return names;
}

std::string shape_of(std::string_view path) {
    std::string shape;
    for (auto segment : segments_of(path)) {
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
