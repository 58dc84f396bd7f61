// SPDX-License-Identifier: Apache-2.0
// Status line and fields of an answer as bytes (RFC 9112 section 4), with what only the transport knows:
// Date, Content-Length, Transfer-Encoding, Connection.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "http/message/headers.h"

namespace integreat::net {

// "Sun, 06 Nov 1994 08:49:37 GMT", written once a second. One per I/O thread.
class DateField {
public:
    std::string_view at(Time now);

private:
    std::int64_t second_ = -1;
    std::string text_;
};

// Others end with their head, whatever the fields say (RFC 9112 section 6.3).
constexpr bool allows_body(int status) {
    return status >= 200 && status != 204 && status != 304;
}

struct ResponseFraming {
    std::optional<std::uint64_t> content_length;
    bool chunked = false;
    bool keep_alive = true;
    bool http_1_0 = false;  // Of the request: keep-alive must then be said.
};

// `fields` and `more` without those the transport writes itself; fields with bytes that would end them early
// (CR, LF, NUL) are left out, and counted in the result: whoever made them has a bug.
[[nodiscard]] int append_response_head(std::string& out, int status, const http::Headers& fields,
                                       const http::Headers& more, const ResponseFraming& framing,
                                       std::string_view date);

}  // namespace integreat::net
