// SPDX-License-Identifier: Apache-2.0
#include "net/proxy/hop_headers.h"

#include <algorithm>

#include "base/text/ascii.h"
#include "http/message/proxy_headers.h"

namespace integreat::net {

namespace {

void append_field(std::string& out, std::string_view name, std::string_view value) {
    out.append(name).append(": ", 2).append(value).append("\r\n", 2);
}

void append_checked_field(std::string& out, std::string_view name, std::string_view value) {
    if (name.empty() || http::has_crlf_or_nul(name) || http::has_crlf_or_nul(value)) return;
    append_field(out, name, value);
}

bool starts_with(std::string_view name, std::string_view start) {
    return name.size() >= start.size() && iequals(name.substr(0, start.size()), start);
}

// Returns whether a field of the request is hop-by-hop or written by the proxy itself, so that the client's
// value is not forwarded.
bool is_hop_header(std::string_view name) {
    auto is = [name](std::string_view known) { return iequals(name, known); };
    switch (name.empty() ? 0 : name.front() | 0x20) {
        case 'c': return is("connection") || is("content-length");
        case 'e': return is("expect");
        case 'f': return is("forwarded");
        case 'h': return is("host") || is("http2-settings");
        case 'k': return is("keep-alive");
        case 'p': return starts_with(name, "proxy-");
        case 't': return is("te") || is("trailer") || is("transfer-encoding");
        case 'u': return is("upgrade");
        case 'x': return starts_with(name, "x-forwarded-");
        default: return false;
    }
}

bool list_contains(std::string_view list, std::string_view name) {
    while (!list.empty()) {
        auto comma = list.find(',');
        auto member = list.substr(0, comma);
        while (!member.empty() && (member.front() == ' ' || member.front() == '\t'))
            member.remove_prefix(1);
        while (!member.empty() && (member.back() == ' ' || member.back() == '\t'))
            member.remove_suffix(1);
        if (iequals(member, name)) return true;
        if (comma == std::string_view::npos) return false;
        list.remove_prefix(comma + 1);
    }
    return false;
}

// Returns whether the client listed the field in its Connection field, which makes it hop-by-hop. Applies to
// values sent by the client only: a client must not be able to remove a field that the gateway adds (the
// caller's identity) by listing it there.
bool is_named_by_client(std::string_view connection, const http::Request& request, std::string_view name,
                        std::string_view value) {
    return !connection.empty() && list_contains(connection, name) && request.headers.get(name) == value;
}

void append_host(std::string& out, const http::Upstream& upstream) {
    bool ipv6 = upstream.host.find(':') != std::string::npos;
    out.append("Host: ");
    if (ipv6) out.push_back('[');
    out.append(upstream.host);
    if (ipv6) out.push_back(']');
    if (upstream.port != (upstream.secure ? 443 : 80)) {
        out.push_back(':');
        append_number(out, upstream.port);
    }
    out.append("\r\n");
}

}  // namespace

bool is_websocket_upgrade(const http::Request& request) {
    return request.upgrade && request.method == http::Method::get &&
           iequals(request.headers.value("Upgrade"), "websocket");
}

void append_request_head(std::string& out, const http::Request& request,
                         const http::ProxyRequest& proxy_request, const RequestFraming& framing) {
    const auto& upstream = *proxy_request.upstream;
    out.append(to_string(request.method)).push_back(' ');
    out.append(upstream.path_prefix).append(proxy_request.target).append(" HTTP/1.1\r\n");
    append_host(out, upstream);
    auto connection = request.headers.value("Connection");
    for (auto [name, value] : proxy_request.headers) {
        if (is_hop_header(name) || is_named_by_client(connection, request, name, value)) continue;
        append_checked_field(out, name, value);
    }
    append_field(out, "X-Forwarded-For", request.peer.address);
    append_field(out, "X-Forwarded-Proto", request.secure ? "https" : "http");
    append_checked_field(out, "X-Forwarded-Host", request.headers.value("Host"));
    if (is_websocket_upgrade(request)) out.append("Connection: Upgrade\r\nUpgrade: websocket\r\n");
    if (framing.chunked) {
        out.append("Transfer-Encoding: chunked\r\n");
    } else if (framing.content_length) {
        out.append("Content-Length: ");
        append_number(out, *framing.content_length);
        out.append("\r\n");
    }
    out.append("\r\n");
}

void append_proxied_response_head(std::string& out, const ResponseHead& head,
                                  const http::RequestContext& context, const ResponseFraming& framing,
                                  std::string_view date) {
    out.append("HTTP/1.1 ");
    append_number(out, static_cast<std::uint64_t>(head.status));
    out.append(" ").append(head.reason).append("\r\n");
    http::forward_response_fields(
        head.fields, context.response_headers, context.tenant,
        [&](std::string_view name, std::string_view value) { append_field(out, name, value); });
    for (auto [name, value] : context.response_headers)
        append_checked_field(out, name, value);
    if (!head.has_date) append_field(out, "Date", date);
    if (framing.chunked) {
        out.append("Transfer-Encoding: chunked\r\n");
    } else if (framing.content_length) {
        out.append("Content-Length: ");
        append_number(out, *framing.content_length);
        out.append("\r\n");
    }
    if (head.status == 101) {
        out.append("Connection: Upgrade\r\n");
        append_field(out, "Upgrade", head.upgrade);
    } else if (!framing.keep_alive) {
        out.append("Connection: close\r\n");
    } else if (framing.http_1_0) {
        out.append("Connection: keep-alive\r\n");
    }
    out.append("\r\n");
}

void append_chunk_size(std::string& out, std::size_t size) {
    append_number(out, size, 16);
    out.append("\r\n");
}

}  // namespace integreat::net
