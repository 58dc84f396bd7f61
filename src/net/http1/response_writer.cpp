// SPDX-License-Identifier: Apache-2.0
#include "net/http1/response_writer.h"

#include <array>
#include <charconv>

#include "http/message/message.h"

namespace integreat::net {

namespace {

constexpr std::array<std::string_view, 6> written_by_us{"Connection", "Content-Length", "Date",
                                                        "Keep-Alive", "Trailer",        "Transfer-Encoding"};

bool is_written_by_us(std::string_view name) {
    switch (name.empty() ? 0 : name.front() | 0x20) {
        case 'c':
        case 'd':
        case 'k':
        case 't': break;
        default: return false;
    }
    for (auto ours : written_by_us) {
        if (http::equal_ignoring_case(name, ours)) return true;
    }
    return false;
}

int append_fields(std::string& out, const http::Headers& fields) {
    int left_out = 0;
    for (auto [name, value] : fields) {
        if (is_written_by_us(name)) continue;
        if (name.empty() || http::ends_early(name) || http::ends_early(value)) {
            ++left_out;
            continue;
        }
        out.append(name).append(": ").append(value).append("\r\n");
    }
    return left_out;
}

void append_number(std::string& out, std::uint64_t number) {
    std::array<char, 20> digits;
    auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), end);
}

}  // namespace

std::string_view DateField::at(Time now) {
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
    int left_out = append_fields(out, fields) + append_fields(out, more);
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
    return left_out;
}

}  // namespace integreat::net
