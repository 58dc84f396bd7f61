// SPDX-License-Identifier: Apache-2.0
#include "gateway/routing/upstream_request.h"

#include <algorithm>
#include <array>

#include "base/text/ascii.h"
#include "gateway/routing/request_ids.h"

namespace integreat::gateway {

namespace {

// Hop-by-hop headers (RFC 9110 section 7.6.1), framing and Host, which the transport sets itself.
bool is_hop_header(std::string_view name) {
    auto is = [&](std::string_view other) { return iequals(name, other); };
    switch (name.size()) {
        case 2: return is("TE");
        case 4: return is("Host");
        case 6: return is("Expect");
        case 7: return is("Trailer") || is("Upgrade");
        case 10: return is("Connection") || is("Keep-Alive");
        case 14: return is("Content-Length");
        case 16: return is("Proxy-Connection");
        case 17: return is("Transfer-Encoding");
        case 18: return is("Proxy-Authenticate");
        case 19: return is("Proxy-Authorization");
        default: return false;
    }
}

// Compares as servers do that map names to variables: for CGI "Integreat-Subject", "integreat_subject" and,
// with some servers, "Integreat.Subject" are all HTTP_INTEGREAT_SUBJECT. Each byte of `name` that is neither
// a letter nor a digit equals the dash.
bool has_folded_prefix(std::string_view name, std::string_view prefix) {
    if (name.size() < prefix.size()) return false;
    for (std::size_t i = 0; i < prefix.size(); ++i) {
        char c = is_alnum(name[i]) ? to_lower(name[i]) : '-';
        if (c != prefix[i]) return false;
    }
    return true;
}

// Fields through which a client makes frameworks see another method, URL, host or client address than the
// gateway checked.
constexpr std::array<std::string_view, 15> override_headers{
    "x-http-method",   "x-http-method-override", "x-method-override",
    "x-original-url",  "x-original-uri",         "x-original-method",
    "x-original-host", "x-rewrite-url",          "x-host",
    "x-client-ip",     "x-cluster-client-ip",    "x-forwarded",
    "x-remote-user",   "x-envoy-original-path",  "x-middleware-subrequest"};

bool is_override_header(std::string_view name) {
    return std::ranges::any_of(override_headers, [&](std::string_view known) {
        return name.size() == known.size() && has_folded_prefix(name, known);
    });
}

// Headers that only a gateway may set: identity, client address, trace, and overrides. "Proxy" would be the
// variable HTTP_PROXY (https://httpoxy.org).
bool is_gateway_header(std::string_view name) {
    auto is = [&](std::string_view known) {
        return name.size() == known.size() && has_folded_prefix(name, known);
    };
    switch (name.empty() ? 0 : name.front() | 0x20) {
        case 'c': return is("client-ip") || is("cf-connecting-ip");
        case 'f': return is("forwarded") || is("front-end-https");
        case 'i': return has_folded_prefix(name, "integreat-");
        case 'p': return is("proxy");
        case 'r': return is("remote-user");
        case 't': return is("traceparent") || is("true-client-ip");
        case 'x':
            return has_folded_prefix(name, "x-forwarded-") || has_folded_prefix(name, "x-real-ip") ||
                   is_override_header(name);
        default: return false;
    }
}

// True if the Connection header names other headers.
bool names_other_headers(std::string_view value) {
    return !iequals(value, "keep-alive") && !iequals(value, "close") && !iequals(value, "upgrade");
}

// Removes the headers that a Connection header lists.
void remove_listed(http::Headers& headers, std::string_view list) {
    while (!list.empty()) {
        auto end = std::min(list.find(','), list.size());
        auto name = list.substr(0, end);
        list.remove_prefix(std::min(end + 1, list.size()));
        while (!name.empty() && (name.front() == ' ' || name.front() == '\t'))
            name.remove_prefix(1);
        while (!name.empty() && (name.back() == ' ' || name.back() == '\t'))
            name.remove_suffix(1);
        if (!name.empty()) headers.remove(name);
    }
}

template <class Predicate>
void append_end_to_end_if(http::Headers& to, const http::Headers& from, Predicate is_forwarded) {
    bool has_listed = false;
    for (auto [name, value] : from) {
        if (!is_hop_header(name)) {
            if (is_forwarded(name)) to.add(name, value);
        } else if (name.size() == 10 && iequals(name, "Connection")) {
            has_listed |= names_other_headers(value);
        }
    }
    if (!has_listed) return;
    for (auto [name, value] : from) {
        if (iequals(name, "Connection")) remove_listed(to, value);
    }
}

// Percent-encodes "%" and the bytes that a header cannot contain: a subject with a line break must not become
// a second header.
void add_encoded(http::Headers& to, std::string_view name, std::string_view value) {
    auto is_safe = [](char c) { return c > 0x20 && c < 0x7f && c != '%'; };
    if (std::all_of(value.begin(), value.end(), is_safe)) return to.add(name, value);
    std::string encoded;
    for (char character : value) {
        if (is_safe(character)) {
            encoded += character;
        } else {
            auto byte = static_cast<unsigned char>(character);
            encoded += '%';
            encoded += upper_hex_digits[byte >> 4];
            encoded += upper_hex_digits[byte & 15];
        }
    }
    to.add(name, encoded);
}

// Usual number and size in bytes of the headers that add_identity adds.
constexpr std::size_t identity_headers = 5;
constexpr std::size_t identity_bytes = 256;

void add_identity(http::Headers& to, const http::RequestContext& context) {
    to.add("Integreat-Request-Id", context.id.text);
    to.add("traceparent", format_traceparent(context.trace));
    to.add("Integreat-Tenant", context.tenant.text);
    if (!context.principal || context.principal->kind == PrincipalKind::anonymous) return;
    add_encoded(to, "Integreat-Subject", context.principal->subject);
    if (!context.principal->role.empty()) add_encoded(to, "Integreat-Role", context.principal->role);
}

// Returns the segment of `path` with this index; with `rest`, all of the path from there.
std::string_view segment_at(std::string_view path, int index, bool rest) {
    std::size_t start = 1;
    for (; index > 0; --index)
        start = std::min(path.find('/', start), path.size() - 1) + 1;
    start = std::min(start, path.size());
    auto end = rest ? path.size() : std::min(path.find('/', start), path.size());
    return path.substr(start, end - start);
}

struct SegmentPosition {
    int segment = -1;  // -1: not found.
    bool rest = false;
};

// Finds the segment of `pattern` that is the parameter, written with its braces.
SegmentPosition find_parameter(std::string_view pattern, std::string_view parameter) {
    int index = 0;
    for (std::size_t start = 1; start < pattern.size(); ++index) {
        auto end = std::min(pattern.find('/', start), pattern.size());
        auto segment = pattern.substr(start, end - start);
        if (segment == parameter) return {index, segment.ends_with("...}")};
        start = end + 1;
    }
    return {};
}

}  // namespace

Result<TargetTemplate> compile_target(const http::Route& route) {
    TargetTemplate target;
    std::string_view text = route.upstream_target;
    if (text.empty() || text == route.pattern) return target;
    if (!text.starts_with('/')) {
        return Error{Fault::invalid, "route " + route.name + ": its target must start with a slash", ""};
    }
    while (!text.empty()) {
        auto open = std::min(text.find('{'), text.size());
        TargetTemplate::Part part{.literal = std::string(text.substr(0, open))};
        text.remove_prefix(open);
        if (!text.empty()) {
            auto parameter = text.substr(0, std::min(text.find('}'), text.size() - 1) + 1);
            auto position = find_parameter(route.pattern, parameter);
            if (position.segment < 0) {
                return Error{Fault::invalid,
                             "route " + route.name + ": its target uses " + std::string(parameter) +
                                 ", which the path " + route.pattern + " does not have",
                             ""};
            }
            part.segment = position.segment;
            part.rest = position.rest;
            text.remove_prefix(parameter.size());
        }
        target.parts.push_back(std::move(part));
    }
    return target;
}

std::string fill_target(const TargetTemplate& target, const http::Request& request) {
    if (target.parts.empty()) return request.target;
    auto path = request.path();
    std::string filled;
    filled.reserve(request.target.size() + 16);
    for (const auto& part : target.parts) {
        filled += part.literal;
        if (part.segment >= 0) filled += segment_at(path, part.segment, part.rest);
    }
    return filled.append(std::string_view(request.target).substr(path.size()));
}

void append_end_to_end_headers(http::Headers& to, const http::Headers& from) {
    append_end_to_end_if(to, from, [](std::string_view) { return true; });
}

http::ProxyRequest make_proxy_request(const TargetTemplate& target, const http::Request& request,
                                      const http::RequestContext& context) {
    http::ProxyRequest proxy_request{.upstream = context.route->upstream,
                                     .target = fill_target(target, request),
                                     .max_body_bytes = context.route->max_body_bytes};
    bool forward_authorization = context.route->upstream->forward_authorization;
    auto removed_bytes = forward_authorization ? 0 : request.headers.value("Authorization").size();
    proxy_request.headers.reserve(request.headers.size() + identity_headers,
                                  request.headers.bytes() - removed_bytes + identity_bytes);
    append_end_to_end_if(proxy_request.headers, request.headers, [&](std::string_view name) {
        if (is_gateway_header(name)) return false;
        return forward_authorization || name.size() != 13 || !iequals(name, "Authorization");
    });
    add_identity(proxy_request.headers, context);
    return proxy_request;
}

}  // namespace integreat::gateway
