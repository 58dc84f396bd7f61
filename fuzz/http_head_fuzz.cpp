// SPDX-License-Identifier: Apache-2.0
// Fuzzes the bytes of a connection: a request head and, if announced, a chunked body. The first byte
// determines the size of the fragments, because the result must not depend on it. An accepted head must
// satisfy the invariants that the code behind the parser relies on.
#include "base/assert.h"
#include "net/http1/chunked_decoder.h"
#include "net/http1/request_parser.h"

namespace {

using namespace integreat;

struct Parsed {
    net::RequestParser::State state = net::RequestParser::State::incomplete;
    http::Request request;
    net::RequestParser parser{
        net::RequestHeadLimits{.max_bytes = 2048, .count_max = 16, .max_target_bytes = 256}};
};

Parsed parse(std::string_view bytes, std::size_t step) {
    Parsed parsed;
    parsed.parser.begin();
    for (std::size_t length = 0;
         length < bytes.size() && parsed.state == net::RequestParser::State::incomplete;) {
        length = std::min(length + step, bytes.size());
        parsed.state = parsed.parser.parse(bytes.substr(0, length), parsed.request);
    }
    return parsed;
}

bool has_any(std::string_view text, std::string_view bytes) {
    return text.find_first_of(bytes) != std::string_view::npos;
}

void check_accepted(const Parsed& parsed) {
    using namespace std::string_view_literals;
    const auto& request = parsed.request;
    const auto& framing = parsed.parser.framing();
    ASSERT(request.target.starts_with('/') && !has_any(request.target, " \r\n\t\0"sv));
    ASSERT(request.headers.size() <= 16 + 1);  // The authority of an absolute target becomes a Host field.
    for (auto [name, value] : request.headers) {
        ASSERT(!name.empty() && !has_any(name, " :\r\n\t\0"sv));
        ASSERT(!has_any(value, "\r\n\0"sv));
    }
    ASSERT(request.headers.count("Host") == 1 || (framing.http_1_0 && request.headers.count("Host") == 0));
    ASSERT(request.headers.count("Content-Length") + request.headers.count("Transfer-Encoding") <= 1);
    ASSERT((framing.body == net::BodyFraming::chunked) == request.headers.contains("Transfer-Encoding"));
    ASSERT((framing.body == net::BodyFraming::length) == request.headers.contains("Content-Length"));
}

void check_chunks(std::string_view bytes) {
    auto unread = bytes;
    net::ChunkedDecoder decoder;
    std::size_t body = 0;
    while (!unread.empty() && !decoder.finished() && decoder.error().empty()) {
        auto before = unread.size();
        body += decoder.decode(unread).size();
        ASSERT(unread.size() < before);
    }
    ASSERT(body <= bytes.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* begin, std::size_t size) {
    if (size == 0) return 0;
    std::string_view bytes(reinterpret_cast<const char*>(begin) + 1, size - 1);

    auto whole = parse(bytes, bytes.size());
    auto cut = parse(bytes, std::size_t{begin[0]} % 32 + 1);
    ASSERT(whole.state == cut.state);
    if (whole.state == net::RequestParser::State::failed) {
        auto problem = net::problem_from(whole.parser.error());
        ASSERT(problem.status >= 400 && !problem.slug().empty() && !problem.detail.empty());
    }
    if (whole.state != net::RequestParser::State::complete) return 0;
    ASSERT(whole.parser.length() == cut.parser.length() && whole.parser.length() <= bytes.size());
    ASSERT(whole.request.target == cut.request.target &&
           whole.request.headers.size() == cut.request.headers.size());
    check_accepted(whole);
    if (whole.parser.framing().body == net::BodyFraming::chunked) {
        check_chunks(bytes.substr(whole.parser.length()));
    }
    return 0;
}
