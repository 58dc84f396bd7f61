// SPDX-License-Identifier: Apache-2.0
#include "net/http1/request_parser.h"

#include <gtest/gtest.h>

namespace integreat::net {
namespace {

struct ParsedRequest {
    RequestParser::State state = RequestParser::State::incomplete;
    http::Request request;
    Framing framing;
    ParseError error;
    std::size_t length = 0;
};

// Feeds `step` more bytes with each call, in memory of exactly that length.
ParsedRequest parse_request(std::string_view bytes, std::size_t step, const RequestHeadLimits& limits = {}) {
    ParsedRequest parsed;
    RequestParser parser(limits);
    parser.begin();
    for (std::size_t length = 0; length < bytes.size() && parsed.state == RequestParser::State::incomplete;) {
        length = std::min(length + step, bytes.size());
        std::string arrived(bytes.substr(0, length));
        parsed.state = parser.parse(arrived, parsed.request);
    }
    parsed.framing = parser.framing();
    parsed.error = parser.error();
    parsed.length = parser.length();
    return parsed;
}

ParsedRequest parse_request(std::string_view bytes) {
    return parse_request(bytes, bytes.size());
}

TEST(RequestParser, ParsesARequestInArbitraryFragments) {
    std::string_view head =
        "POST /v1/apps/campus?x=1 HTTP/1.1\r\nHost: api.example:8080\r\nX-Empty:\r\n"
        "X-Spaced: \t a b \t\r\ncontent-length: 12\r\nExpect: 100-Continue\r\n\r\n";
    std::string bytes(head);
    bytes.append("hello, world");
    for (std::size_t step = 1; step <= bytes.size(); ++step) {
        auto parsed = parse_request(bytes, step);
        ASSERT_EQ(parsed.state, RequestParser::State::complete) << step << parsed.error.detail;
        EXPECT_EQ(parsed.request.method, http::Method::post);
        EXPECT_EQ(parsed.request.target, "/v1/apps/campus?x=1");
        EXPECT_EQ(parsed.request.headers.value("HOST"), "api.example:8080");
        EXPECT_EQ(parsed.request.headers.get("X-Empty"), "");
        EXPECT_EQ(parsed.request.headers.value("X-Spaced"), "a b");
        EXPECT_EQ(parsed.framing.body, BodyFraming::length);
        EXPECT_EQ(parsed.framing.content_length, 12u);
        EXPECT_TRUE(parsed.framing.expects_continue);
        EXPECT_TRUE(parsed.framing.keep_alive);
        EXPECT_EQ(parsed.length, head.size());
    }
}

TEST(RequestParser, DeterminesKeepAlive) {
    EXPECT_TRUE(parse_request("GET / HTTP/1.1\r\nHost: a\r\n\r\n").framing.keep_alive);
    EXPECT_FALSE(
        parse_request("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n").framing.keep_alive);
    EXPECT_FALSE(parse_request("GET / HTTP/1.0\r\n\r\n").framing.keep_alive);
    EXPECT_TRUE(parse_request("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").framing.keep_alive);
    EXPECT_TRUE(parse_request("GET / HTTP/1.0\r\n\r\n").framing.http_1_0);
}

TEST(RequestParser, RecognisesChunksAndUpgrades) {
    auto chunked = parse_request("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n");
    EXPECT_EQ(chunked.framing.body, BodyFraming::chunked);

    std::string upgrade = "Host: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n";
    EXPECT_TRUE(parse_request("GET /live HTTP/1.1\r\n" + upgrade + "\r\n").request.upgrade);
    EXPECT_FALSE(parse_request("POST /live HTTP/1.1\r\n" + upgrade + "\r\n").request.upgrade);
    EXPECT_FALSE(
        parse_request("GET /live HTTP/1.1\r\n" + upgrade + "Content-Length: 1\r\n\r\n").request.upgrade);
    EXPECT_FALSE(parse_request("GET /live HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\n").request.upgrade);
}

TEST(RequestParser, UsesTheHostOfAnAbsoluteTarget) {
    auto parsed = parse_request("GET http://real.example:81/a?b HTTP/1.1\r\nHost: other.example\r\n\r\n");
    ASSERT_EQ(parsed.state, RequestParser::State::complete);
    EXPECT_EQ(parsed.request.target, "/a?b");
    EXPECT_EQ(parsed.request.headers.value("Host"), "real.example:81");
    EXPECT_EQ(parsed.request.headers.count("Host"), 1u);
    EXPECT_EQ(parse_request("GET HTTPS://h?q HTTP/1.1\r\nHost: h\r\n\r\n").request.target, "/?q");
}

TEST(RequestParser, SkipsOneEmptyLine) {
    EXPECT_EQ(parse_request("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").state, RequestParser::State::complete);
    EXPECT_EQ(parse_request("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").error.part, HeadPart::request_line);
}

struct Bad {
    std::string bytes;
    int status;
    HeadPart part;
    std::string_view detail;
};

std::string with_host(std::string_view fields) {
    return "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n\r\n";
}

void expect_rejected(const std::vector<Bad>& heads) {
    for (const auto& [bytes, status, part, detail] : heads) {
        for (std::size_t step : {std::size_t{1}, bytes.size()}) {
            auto parsed = parse_request(bytes, step);
            ASSERT_EQ(parsed.state, RequestParser::State::failed) << bytes;
            EXPECT_EQ(parsed.error.status, status) << bytes;
            EXPECT_EQ(parsed.error.part, part) << bytes << " → " << to_string(parsed.error.part);
            EXPECT_NE(parsed.error.detail.find(detail), std::string::npos)
                << bytes << " → " << parsed.error.detail;
        }
    }
}

TEST(RequestParser, RejectsInvalidRequestLines) {
    using enum HeadPart;
    expect_rejected({
        {"\x16\x03\x01\x02", 400, request_line, "look like TLS"},
        {std::string(1, '\0'), 400, request_line, "does not begin with a method"},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, version, "HTTP/1.1 and HTTP/1.0"},
        {"GET /\r\n\r\n", 400, request_line, "a method, a target and a version"},
        {"GET  / HTTP/1.1\r\n\r\n", 400, target, "spaces"},
        {"GET /a b HTTP/1.1\r\n\r\n", 400, target, "spaces"},
        {"GET /\x01 HTTP/1.1\r\n\r\n", 400, target, "visible ASCII"},
        {"GET /\xc3\xa9 HTTP/1.1\r\n\r\n", 400, target, "visible ASCII"},
        {"GET / HTTP/1.1 \r\n\r\n", 400, version, "does not end in a version"},
        {"GET / http/1.1\r\n\r\n", 400, version, "does not end in a version"},
        {"GET / HTTP/1.1\r\r\n\r\n", 400, version, "does not end in a version"},
        {"GET / HTTP/0.9\r\n\r\n", 505, version, "HTTP/1.1 and HTTP/1.0"},
        {"GET / HTTP/1.2\r\n\r\n", 505, version, "HTTP/1.1 and HTTP/1.0"},
        {"BREW / HTTP/1.1\r\n\r\n", 501, method, "must be GET, HEAD"},
        {"get / HTTP/1.1\r\n\r\n", 501, method, "must be GET, HEAD"},
        {"G(T / HTTP/1.1\r\n\r\n", 400, method, "cannot have"},
        {"CONNECT a.example:443 HTTP/1.1\r\n\r\n", 501, method, "must be GET, HEAD"},
        {"GET a.example:443 HTTP/1.1\r\n\r\n", 400, target, "must begin with a slash"},
        {"OPTIONS * HTTP/1.1\r\n\r\n", 400, target, "must begin with a slash"},
        {"GET ftp://a/ HTTP/1.1\r\n\r\n", 400, target, "must begin with a slash"},
        {"GET http:///a HTTP/1.1\r\n\r\n", 400, target, "no valid host"},
        {"GET http://user@a/ HTTP/1.1\r\n\r\n", 400, target, "no valid host"},
        {"GET / HTTP/1.1\nHost: a\r\n\r\n", 400, line_ending, "LF without CR"},
    });
}

TEST(RequestParser, ReadsHostByItsGrammar) {
    auto state = [](std::string_view host) {
        return parse_request("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n").state;
    };
    for (const char* valid :
         {"a", "a:1", "a:65535", "a:", "[::1]", "[::1]:80", "[v1.a:b]", "a%2Fb", "x=y!", "1.2.3.4"})
        EXPECT_EQ(state(valid), RequestParser::State::complete) << valid;
    for (const char* invalid : {"h:abc", "a:1:2", "[::1", "[]", "[::1]x", "a%2", "a%zz", ":80", "a:65536",
                                "a:99999", "u@a", "a b", "a:-1", "[::1]:abc", "a[b]"})
        EXPECT_EQ(state(invalid), RequestParser::State::failed) << invalid;
    EXPECT_EQ(parse_request("GET http://a:abc/ HTTP/1.1\r\nHost: a\r\n\r\n").state,
              RequestParser::State::failed);
}

TEST(RequestParser, NamesTheMethodOfAnEndlessRequestLine) {
    auto endless = parse_request(std::string(100'000, 'A'));
    EXPECT_EQ(endless.error.status, 400);
    EXPECT_EQ(endless.error.part, HeadPart::method);
}

TEST(RequestParser, RejectsInvalidFields) {
    using enum HeadPart;
    expect_rejected({
        {with_host("A: b\nC: d"), 400, line_ending, "LF without CR"},
        {"GET / HTTP/1.1\r\nHost: a\r\n\n", 400, line_ending, "LF without CR"},
        {with_host("A: b\rC: d"), 400, field, "bare CR"},
        {with_host(std::string("A: b\0c", 6)), 400, field, "NUL"},
        {with_host("A: b\x7f"), 400, field, "control byte"},
        {with_host("A: b\r\n c"), 400, field, "obs-fold"},
        {with_host("A: b\r\n\tc"), 400, field, "obs-fold"},
        {"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400, field, "obs-fold"},
        {with_host("A : b"), 400, field, "white space between"},
        {with_host("Content-Length\t: 5"), 400, field, "white space between"},
        {with_host(": b"), 400, field, "no name"},
        {with_host("A(b: c"), 400, field, "cannot have"},
        {with_host("A\xc3\xa9: c"), 400, field, "cannot have"},
        {with_host("no colon"), 400, field, "no colon"},
        {"GET / HTTP/1.1\r\nA: b\r\n\r\n", 400, host, "Host is missing"},
        {with_host("HOST: a"), 400, host, "Host is given twice"},
        {with_host("Authorization: Bearer a\r\nauthorization: Bearer b"), 400, field,
         "Authorization is given"},
        {with_host("Content-Type: a/b\r\nContent-Type: a/b"), 400, field, "Content-Type is given twice"},
        {with_host("Origin: http://a\r\nOrigin: http://a"), 400, field, "Origin is given twice"},
        {"GET / HTTP/1.1\r\nHost:\r\n\r\n", 400, host, "Host is not a host name"},
        {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, host, "Host is not a host name"},
        {"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400, host, "Host is not a host name"},
        {with_host("Expect: the-unexpected"), 417, expect, "100-continue"},
    });
}

TEST(RequestParser, RejectsAmbiguousBodyFraming) {
    using enum HeadPart;
    expect_rejected({
        {with_host("Content-Length: 5\r\nContent-Length: 6"), 400, content_length, "given twice"},
        {with_host("Content-Length: 5\r\ncontent-length: 5"), 400, content_length, "given twice"},
        {with_host("Content-Length: 5, 5"), 400, content_length, "decimal digits"},
        {with_host("Content-Length: +5"), 400, content_length, "decimal digits"},
        {with_host("Content-Length: 0x5"), 400, content_length, "decimal digits"},
        {with_host("Content-Length: "), 400, content_length, "empty or has more than 18 digits"},
        {with_host("Content-Length: 1000000000000000000"), 400, content_length,
         "empty or has more than 18 digits"},
        {with_host("Content-Length: 5\r\nTransfer-Encoding: chunked"), 400, transfer_encoding, "exclude"},
        {with_host("Transfer-Encoding: chunked\r\nContent-Length: 5"), 400, transfer_encoding, "exclude"},
        {with_host("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), 400, transfer_encoding,
         "twice"},
        {with_host("Transfer-Encoding: gzip, chunked"), 400, transfer_encoding, "chunked"},
        {with_host("Transfer-Encoding: chunked, identity"), 400, transfer_encoding, "chunked"},
        {with_host("Transfer-Encoding: \"chunked\""), 400, transfer_encoding, "chunked"},
        {with_host("Transfer-Encoding: xchunked"), 400, transfer_encoding, "chunked"},
        {with_host("Transfer-Encoding:"), 400, transfer_encoding, "chunked"},
        {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, transfer_encoding, "HTTP/1.0"},
    });
}

TEST(RequestParser, RejectsHeadsOverEachLimit) {
    RequestHeadLimits limits{.max_bytes = 300, .count_max = 3, .max_target_bytes = 20};
    auto error = [&](const std::string& bytes) { return parse_request(bytes, 1, limits).error; };
    auto get = [](std::size_t target) { return "GET /" + std::string(target - 1, 'a') + " HTTP/1.1\r\n"; };

    EXPECT_EQ(parse_request(get(20) + "Host: a\r\nB: b\r\nC: c\r\n\r\n", 1, limits).state,
              RequestParser::State::complete);
    EXPECT_EQ(error(get(21)).status, 414);
    EXPECT_EQ(error("GET /" + std::string(200, 'a')).status, 414);
    EXPECT_EQ(error(get(1) + "Host: a\r\nB: b\r\nC: c\r\nD: d\r\n\r\n").status, 431);
    EXPECT_EQ(error(get(1) + "Host: a\r\nB: " + std::string(300, 'b')).status, 431);
    EXPECT_EQ(parse_request(get(1) + "Host: a\r\nB: " + std::string(300, 'b') + "\r\n\r\n", 1000, limits)
                  .error.part,
              HeadPart::size);

    auto problem = problem_from(error(get(21)));
    EXPECT_EQ(problem.status, 414);
    EXPECT_EQ(problem.slug(), "target-too-long");
    EXPECT_EQ(problem.detail, "The target is longer than the limit.");
}

}  // namespace
}  // namespace integreat::net
