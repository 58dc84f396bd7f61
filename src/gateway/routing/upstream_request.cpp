// SPDX-License-Identifier: Apache-2.0
#include "gateway/routing/upstream_request.h"

#include <algorithm>

#include "gateway/routing/request_ids.h"

namespace integreat::gateway {

namespace {

using http::equal_ignoring_case;

constexpr std::string_view hex_digits = "0123456789ABCDEF";

// RFC 9110 section 7.6.1, framing and Host, which the transport makes anew.
bool of_this_hop(std::string_view name) {
    auto is = [&](std::string_view other) { return equal_ignoring_case(name, other); };
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

// "Integreat-Subject", also as "integreat_subject": to CGI both are HTTP_INTEGREAT_SUBJECT.
bool starts_like(std::string_view name, std::string_view prefix) {
    if (name.size() < prefix.size()) return false;
    for (std::size_t i = 0; i < prefix.size(); ++i) {
        char c = name[i] == '_' ? '-' : name[i];
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
        if (c != prefix[i]) return false;
    }
    return true;
}

// What only a gateway may say: who asks, where from, which hop of the trace.
bool ours_to_say(std::string_view name) {
    if (name.size() < 7) return false;
    switch (name.front() | 0x20) {
        case 'i': return starts_like(name, "integreat-");
        case 'x': return starts_like(name, "x-forwarded-") || starts_like(name, "x-real-ip");
        case 'f': return equal_ignoring_case(name, "Forwarded");
        case 't': return equal_ignoring_case(name, "traceparent");
        default: return false;
    }
}

// Whether a Connection field names anything beyond the usual words.
bool unusual_connection(std::string_view value) {
    return !equal_ignoring_case(value, "keep-alive") && !equal_ignoring_case(value, "close") &&
           !equal_ignoring_case(value, "upgrade");
}

void remove_named(http::Headers& fields, std::string_view list) {
    while (!list.empty()) {
        auto end = std::min(list.find(','), list.size());
        auto name = list.substr(0, end);
        list.remove_prefix(std::min(end + 1, list.size()));
        while (!name.empty() && (name.front() == ' ' || name.front() == '\t'))
            name.remove_prefix(1);
        while (!name.empty() && (name.back() == ' ' || name.back() == '\t'))
            name.remove_suffix(1);
        if (!name.empty()) fields.remove(name);
    }
}

template <class Wanted>
void append_end_to_end_if(http::Headers& to, const http::Headers& from, Wanted wanted) {
    bool names_others = false;
    for (auto [name, value] : from) {
        if (!of_this_hop(name)) {
            if (wanted(name)) to.add(name, value);
        } else if (name.size() == 10 && equal_ignoring_case(name, "Connection")) {
            names_others |= unusual_connection(value);
        }
    }
    if (!names_others) return;
    for (auto [name, value] : from) {
        if (equal_ignoring_case(name, "Connection")) remove_named(to, value);
    }
}

// Bytes that a header field cannot hold, and "%", as percent escapes: a subject with a line break in it must
// not become a second field.
void add_safely(http::Headers& to, std::string_view name, std::string_view value) {
    auto harmless = [](char c) { return c > 0x20 && c < 0x7f && c != '%'; };
    if (std::all_of(value.begin(), value.end(), harmless)) return to.add(name, value);
    std::string safe;
    for (char character : value) {
        if (harmless(character)) {
            safe += character;
        } else {
            auto byte = static_cast<unsigned char>(character);
            safe += '%';
            safe += hex_digits[byte >> 4];
            safe += hex_digits[byte & 15];
        }
    }
    to.add(name, safe);
}

// What add_identity adds, usually.
constexpr std::size_t identity_fields = 5;
constexpr std::size_t identity_bytes = 256;

void add_identity(http::Headers& to, const http::Call& call) {
    to.add("Integreat-Request-Id", call.id.text);
    to.add("traceparent", traceparent_of(call.trace));
    to.add("Integreat-Tenant", call.tenant.text);
    if (!call.principal || call.principal->kind == PrincipalKind::anonymous) return;
    add_safely(to, "Integreat-Subject", call.principal->subject);
    if (!call.principal->role.empty()) add_safely(to, "Integreat-Role", call.principal->role);
}

// The start of each segment of `path`, from its first slash on.
std::string_view segment_at(std::string_view path, int index, bool rest) {
    std::size_t start = 1;
    for (; index > 0; --index)
        start = std::min(path.find('/', start), path.size() - 1) + 1;
    start = std::min(start, path.size());
    auto end = rest ? path.size() : std::min(path.find('/', start), path.size());
    return path.substr(start, end - start);
}

struct Place {
    int segment = -1;
    bool rest = false;
};

// Where in `pattern` the parameter is.
Place place_of(std::string_view pattern, std::string_view braced) {
    int index = 0;
    for (std::size_t start = 1; start < pattern.size(); ++index) {
        auto end = std::min(pattern.find('/', start), pattern.size());
        auto segment = pattern.substr(start, end - start);
        if (segment == braced) return {index, segment.ends_with("...}")};
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
        TargetTemplate::Piece piece{.literal = std::string(text.substr(0, open))};
        text.remove_prefix(open);
        if (!text.empty()) {
            auto braced = text.substr(0, std::min(text.find('}'), text.size() - 1) + 1);
            auto place = place_of(route.pattern, braced);
            if (place.segment < 0) {
                return Error{Fault::invalid,
                             "route " + route.name + ": its target uses " + std::string(braced) +
                                 ", which the path " + route.pattern + " does not have",
                             ""};
            }
            piece.segment = place.segment;
            piece.rest = place.rest;
            text.remove_prefix(braced.size());
        }
        target.pieces.push_back(std::move(piece));
    }
    return target;
}

std::string fill_target(const TargetTemplate& target, const http::Request& request) {
    if (target.pieces.empty()) return request.target;
    auto path = request.path();
    std::string filled;
    filled.reserve(request.target.size() + 16);
    for (const auto& piece : target.pieces) {
        filled += piece.literal;
        if (piece.segment >= 0) filled += segment_at(path, piece.segment, piece.rest);
    }
    return filled.append(std::string_view(request.target).substr(path.size()));
}

void append_end_to_end(http::Headers& to, const http::Headers& from) {
    append_end_to_end_if(to, from, [](std::string_view) { return true; });
}

http::Relay make_relay(const TargetTemplate& target, const http::Request& request, const http::Call& call) {
    http::Relay relay{.upstream = call.route->upstream,
                      .target = fill_target(target, request),
                      .body_bytes_max = call.route->body_bytes_max};
    bool forward_authorization = call.route->upstream->forward_authorization;
    auto withheld = forward_authorization ? 0 : request.headers.value("Authorization").size();
    relay.headers.reserve(request.headers.size() + identity_fields,
                          request.headers.bytes() - withheld + identity_bytes);
    append_end_to_end_if(relay.headers, request.headers, [&](std::string_view name) {
        if (ours_to_say(name)) return false;
        return forward_authorization || name.size() != 13 || !equal_ignoring_case(name, "Authorization");
    });
    add_identity(relay.headers, call);
    return relay;
}

}  // namespace integreat::gateway
