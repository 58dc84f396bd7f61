// SPDX-License-Identifier: Apache-2.0
#include "net/http1/response_writer.h"

#include <array>

#include "base/text/ascii.h"
#include "http/message/message.h"

namespace integreat::net {

namespace {

constexpr std::array<std::string_view, 6> transport_fields{
    "Connection", "Content-Length", "Date", "Keep-Alive", "Trailer", "Transfer-Encoding"};

bool is_transport_field(std::string_view name) {
    switch (name.empty() ? 0 : name.front() | 0x20) {
        case 'c':
        case 'd':
        case 'k':
        case 't': break;
        default: return false;
    }
    for (auto field : transport_fields) {
        if (iequals(name, field)) return true;
    }
    return false;
}

int append_fields(std::string& out, const http::Headers& fields) {
    int dropped = 0;
    for (auto [name, value] : fields) {
        if (is_transport_field(name)) continue;
        if (name.empty() || http::has_crlf_or_nul(name) || http::has_crlf_or_nul(value)) {
            ++dropped;
            continue;
        }
        out.append(name).append(": ").append(value).append("\r\n");
    }
    return dropped;
}

}  // namespace

std::string_view DateHeader::at(Time now) {
    if (auto second = unix_seconds(now); second != second_) {
        second_ = second;
        text_ = format_http_date(now);
    }
    return text_;
}

int append_response_head(std::string& out, int status, const http::Headers& fields, const http::Headers& more,
                         const ResponseFraming& framing, std::string_view date) {
    out.append("HTTP/1.1 ");
    append_number(out, static_cast<std::uint64_t>(status));
    out.append(" ").append(http::reason_phrase(status)).append("\r\nDate: ").append(date).append("\r\n");
    int dropped = append_fields(out, fields) + append_fields(out, more);
    if (framing.chunked) {
        out.append("Transfer-Encoding: chunked\r\n");
    } else if (framing.content_length) {
        out.append("Content-Length: ");
        append_number(out, *framing.content_length);
        out.append("\r\n");
    }
    if (!framing.keep_alive) {
        out.append("Connection: close\r\n");
    } else if (framing.http_1_0) {
        out.append("Connection: keep-alive\r\n");
    }
    out.append("\r\n");
    return dropped;
}

}  // namespace integreat::net
