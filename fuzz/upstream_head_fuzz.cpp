// SPDX-License-Identifier: Apache-2.0
// Fuzzes the head of an upstream's response. The first byte determines the request method and the size of the
// fragments. An accepted head must satisfy the invariants that the reverse proxy relies on, and the result
// must not depend on the fragments.
#include "base/assert.h"
#include "base/text/ascii.h"
#include "net/http1/response_parser.h"
#include "net/proxy/hop_headers.h"

namespace {

using namespace integreat;
using State = net::ResponseParseResult::State;

bool has_any(std::string_view text, std::string_view bytes) {
    return text.find_first_of(bytes) != std::string_view::npos;
}

void check_accepted(const net::ResponseHead& head) {
    using namespace std::string_view_literals;
    ASSERT(head.status >= 100 && head.status <= 599);
    ASSERT(!has_any(head.reason, "\r\n\0"sv));
    ASSERT(head.fields.size() <= net::response_fields_max);
    for (auto [name, value] : head.fields) {
        ASSERT(!name.empty() && !has_any(name, " :\r\n\t\0"sv));
        ASSERT(!has_any(value, "\r\n\0"sv));
        for (auto hop :
             {"connection", "content-length", "transfer-encoding", "keep-alive", "upgrade", "te"}) {
            ASSERT(!iequals(name, hop));
        }
    }
    ASSERT(head.body != net::ResponseBodyFraming::length || head.content_length);
    ASSERT(head.body != net::ResponseBodyFraming::chunked || !head.content_length);
    ASSERT(head.body != net::ResponseBodyFraming::close || !head.keep_alive);
}

// Checks that the head written to the client parses to the same response.
void check_round_trip(const net::ResponseHead& head, bool is_head_response) {
    std::string out;
    net::append_proxied_response_head(out, head, {},
                                      {.content_length = head.content_length, .keep_alive = true}, "now");
    net::ResponseHead again;
    auto parse = net::parse_response_head(out, is_head_response, again);
    ASSERT(parse.state == State::complete && parse.size == out.size());
    ASSERT(again.status == head.status && again.content_length == head.content_length);
    ASSERT(again.fields.size() == head.fields.size() + (head.has_date ? 0 : 1));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    if (size == 0) return 0;
    std::string_view text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
    bool is_head_response = (bytes[0] & 1) != 0;
    std::size_t step = 1 + bytes[0] / 2;

    net::ResponseHead head;
    auto whole = net::parse_response_head(text, is_head_response, head);
    for (std::size_t length = 0; length < text.size(); length += step) {
        net::ResponseHead part;
        auto parse = net::parse_response_head(text.substr(0, length), is_head_response, part);
        ASSERT(parse.state == State::incomplete || parse.state == whole.state);
        ASSERT(parse.state != State::complete || parse.size == whole.size);
    }
    if (whole.state != State::complete) return 0;
    ASSERT(whole.size <= text.size());
    check_accepted(head);
    check_round_trip(head, is_head_response);
    return 0;
}
