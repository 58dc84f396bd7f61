// SPDX-License-Identifier: Apache-2.0
// Serializes the status line and fields of a response (RFC 9112 section 4), including those that only the
// transport knows: Date, Content-Length, Transfer-Encoding, Connection.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "http/message/headers.h"

namespace integreat::net {

// A cached Date value, "Sun, 06 Nov 1994 08:49:37 GMT", formatted once a second. One per I/O thread.
class DateHeader {
public:
    std::string_view at(Time now);

private:
    std::int64_t second_ = -1;
    std::string text_;
};

// Returns whether a response of this status may have a body. Others end with their head, regardless of their
// fields (RFC 9112 section 6.3).
constexpr bool allows_body(int status) {
    return status >= 200 && status != 204 && status != 304;
}

struct ResponseFraming {
    std::optional<std::uint64_t> content_length;
    bool chunked = false;
    bool keep_alive = true;
    bool http_1_0 = false;  // The client speaks HTTP/1.0, so keep-alive must be stated.
};

// Appends a response head with `fields` and `more`, without the fields that the transport writes itself.
// Fields that contain CR, LF or NUL are a bug of the caller: they are dropped, and their number is returned.
[[nodiscard]] int append_response_head(std::string& out, int status, const http::Headers& fields,
                                       const http::Headers& more, const ResponseFraming& framing,
                                       std::string_view date);

}  // namespace integreat::net
