// SPDX-License-Identifier: Apache-2.0
// An upstream's answer: its head. The first byte says whether it answers HEAD and how the rest is cut. What
// is accepted must hold what the relay relies on, and must not depend on how the bytes arrived.
#include "base/assert.h"
#include "net/proxy/hop_headers.h"
#include "net/http1/response_parser.h"

namespace {

using namespace integreat;
using State = net::HeadParse::State;

bool has_any(std::string_view text, std::string_view bytes) {
    return text.find_first_of(bytes) != std::string_view::npos;
}

void check_accepted(const net::UpstreamHead& head) {
    using namespace std::string_view_literals;
    ASSERT(head.status >= 100 && head.status <= 599);
    ASSERT(!has_any(head.reason, "\r\n\0"sv));
    ASSERT(head.fields.size() <= net::upstream_fields_max);
    for (auto [name, value] : head.fields) {
        ASSERT(!name.empty() && !has_any(name, " :\r\n\t\0"sv));
        ASSERT(!has_any(value, "\r\n\0"sv));
        for (auto hop :
             {"connection", "content-length", "transfer-encoding", "keep-alive", "upgrade", "te"}) {
            ASSERT(!http::equal_ignoring_case(name, hop));
        }
    }
    ASSERT(head.end != net::BodyEnd::length || head.content_length);
    ASSERT(head.end != net::BodyEnd::chunked || !head.content_length);
    ASSERT(head.end != net::BodyEnd::close || !head.keep_alive);
}

// What we write to the client must read back as the same answer.
void check_round_trip(const net::UpstreamHead& head, bool answers_head) {
    std::string out;
    net::append_answer_head(out, head, {}, {.content_length = head.content_length, .keep_alive = true},
                            "now");
    net::UpstreamHead again;
    auto parse = net::parse_upstream_head(out, answers_head, again);
    ASSERT(parse.state == State::complete && parse.size == out.size());
    ASSERT(again.status == head.status && again.content_length == head.content_length);
    ASSERT(again.fields.size() == head.fields.size() + (head.dated ? 0 : 1));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    if (size == 0) return 0;
    std::string_view text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
    bool answers_head = (bytes[0] & 1) != 0;
    std::size_t step = 1 + bytes[0] / 2;

    net::UpstreamHead head;
    auto whole = net::parse_upstream_head(text, answers_head, head);
    for (std::size_t length = 0; length < text.size(); length += step) {
        net::UpstreamHead part;
        auto parse = net::parse_upstream_head(text.substr(0, length), answers_head, part);
        ASSERT(parse.state == State::incomplete || parse.state == whole.state);
        ASSERT(parse.state != State::complete || parse.size == whole.size);
    }
    if (whole.state != State::complete) return 0;
    ASSERT(whole.size <= text.size());
    check_accepted(head);
    check_round_trip(head, answers_head);
    return 0;
}
