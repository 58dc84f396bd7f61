// SPDX-License-Identifier: Apache-2.0
#include "net/http1/response_parser.h"

#include <string>

#include <gtest/gtest.h>

namespace integreat::net {

namespace {

using State = ResponseParseResult::State;

struct ParsedResponse {  // `head` points into `text`.
    std::string text;
    ResponseHead head;
    ResponseParseResult result;
};

ParsedResponse parse_response(std::string text, bool is_head_response = false) {
    ParsedResponse parsed{.text = std::move(text)};
    parsed.result = parse_response_head(parsed.text, is_head_response, parsed.head);
    return parsed;
}

std::string error_in(const std::string& text) {
    auto parsed = parse_response(text);
    EXPECT_EQ(parsed.result.state, State::malformed) << text;
    return parsed.result.error;
}

std::string names(const ResponseHead& head) {
    std::string all;
    for (const auto& field : head.fields)
        all.append(field.name).append(" ");
    return all;
}

TEST(ResponseParser, ReadsStatusFieldsAndLength) {
    auto parsed = parse_response(
        "HTTP/1.1 201 Made here\r\nServer: x\r\nDate: d\r\nContent-Length: 5\r\nA:  b \r\n\r\nhello");
    ASSERT_EQ(parsed.result.state, State::complete);
    EXPECT_EQ(parsed.result.size, parsed.text.size() - 5);
    EXPECT_EQ(parsed.head.status, 201);
    EXPECT_EQ(parsed.head.reason, "Made here");
    EXPECT_EQ(parsed.head.body, ResponseBodyFraming::length);
    EXPECT_EQ(parsed.head.content_length, 5u);
    EXPECT_TRUE(parsed.head.keep_alive);
    EXPECT_TRUE(parsed.head.has_date);
    EXPECT_EQ(names(parsed.head), "Server Date A ");
    EXPECT_EQ(parsed.head.fields[2].value, "b");
}

TEST(ResponseParser, IsIncompleteUntilTheLastByte) {
    std::string whole = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n";
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_EQ(parse_response(whole.substr(0, size)).result.state, State::incomplete) << size;
    }
    EXPECT_EQ(parse_response(whole).result.state, State::complete);
}

TEST(ResponseParser, RemovesHopByHopFields) {
    auto parsed = parse_response(
        "HTTP/1.1 200 OK\r\nX-Private: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\nTE: "
        "trailers\r\n"
        "Trailer: X\r\nUpgrade: h2c\r\nConnection: keep-alive, x-private\r\nTransfer-Encoding: chunked\r\n"
        "Connection: Also\r\nAlso: 2\r\nKept: 3\r\n\r\n");
    ASSERT_EQ(parsed.result.state, State::complete) << parsed.result.error;
    EXPECT_EQ(names(parsed.head), "Kept ");
    EXPECT_EQ(parsed.head.upgrade, "");
}

TEST(ResponseParser, KnowsResponsesWithoutBody) {
    EXPECT_EQ(parse_response("HTTP/1.1 204 No Content\r\n\r\n").head.body, ResponseBodyFraming::none);
    EXPECT_EQ(parse_response("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n").head.body,
              ResponseBodyFraming::none);
    auto head = parse_response("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", true).head;
    EXPECT_EQ(head.body, ResponseBodyFraming::none);
    EXPECT_EQ(head.content_length, 9u) << "announced, not sent";
    EXPECT_TRUE(head.keep_alive);
    EXPECT_FALSE(parse_response("HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n").head.keep_alive)
        << "nine unexpected bytes may follow";
}

TEST(ResponseParser, ReadsUntilCloseWithoutLength) {
    auto head = parse_response("HTTP/1.1 200 OK\r\n\r\n").head;
    EXPECT_EQ(head.body, ResponseBodyFraming::close);
    EXPECT_FALSE(head.keep_alive);
}

TEST(ResponseParser, KeepsAliveByVersionAndConnection) {
    auto kept = [](const std::string& start, const std::string& connection) {
        return parse_response(start + " 200 OK\r\nContent-Length: 0\r\n" + connection + "\r\n")
            .head.keep_alive;
    };
    EXPECT_TRUE(kept("HTTP/1.1", ""));
    EXPECT_FALSE(kept("HTTP/1.1", "Connection: Close\r\n"));
    EXPECT_FALSE(kept("HTTP/1.0", ""));
    EXPECT_TRUE(kept("HTTP/1.0", "Connection: Keep-Alive\r\n"));
}

TEST(ResponseParser, ReturnsTheProtocolOfAnUpgrade) {
    auto parsed =
        parse_response("HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
    EXPECT_EQ(parsed.head.upgrade, "websocket");
}

TEST(ResponseParser, ReturnsTheIdleTimeoutOfTheUpstream) {
    auto idle = [](const std::string& value) {
        return parse_response("HTTP/1.1 200 OK\r\nKeep-Alive: " + value + "\r\n\r\n").head.idle_seconds;
    };
    EXPECT_EQ(idle("timeout=5"), 5);
    EXPECT_EQ(idle("max=100, Timeout=7"), 7);
    EXPECT_EQ(idle("timeout=-1"), std::nullopt);
    EXPECT_EQ(idle("timeout=99999999999999"), std::nullopt);
    EXPECT_EQ(idle("max=1"), std::nullopt);
}

TEST(ResponseParser, AcceptsTheSameLengthTwiceAndSpaceBeforeTheColon) {
    auto parsed = parse_response("HTTP/1.1 200\r\nContent-Length: 5\r\nContent-Length : 5\r\n\r\n");
    ASSERT_EQ(parsed.result.state, State::complete) << parsed.result.error;
    EXPECT_EQ(parsed.head.content_length, 5u);
}

TEST(ResponseParser, RejectsAmbiguousFraming) {
    const std::string ok = "HTTP/1.1 200 OK\r\n";
    EXPECT_EQ(error_in(ok + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
              "both Content-Length and Transfer-Encoding");
    EXPECT_EQ(error_in(ok + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n"),
              "two fields Content-Length disagree");
    for (const auto* length : {"", "-1", "+5", "5, 5", "0x5", "1234567890123456789"}) {
        EXPECT_EQ(error_in(ok + "Content-Length: " + length + "\r\n\r\n"),
                  "Content-Length is not a number of at most 18 digits");
    }
    for (const auto* coding : {"gzip, chunked", "identity", "chunked, chunked", "xchunked", ""}) {
        EXPECT_EQ(error_in(ok + "Transfer-Encoding: " + coding + "\r\n\r\n"),
                  "Transfer-Encoding is not exactly \"chunked\"");
    }
    EXPECT_EQ(error_in("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
              "Transfer-Encoding in an HTTP/1.0 response");
}

TEST(ResponseParser, RejectsMalformedLines) {
    const std::string ok = "HTTP/1.1 200 OK\r\n";
    EXPECT_EQ(error_in("HTTP/1.1 200 OK\nA: b\r\n\r\n"), "a line does not end with CR LF");
    EXPECT_EQ(error_in(ok + "A: b\r\n folded\r\n\r\n"), "a header line is folded");
    EXPECT_EQ(error_in(ok + "no colon\r\n\r\n"), "a header line has no colon");
    EXPECT_EQ(error_in(ok + ": empty\r\n\r\n"), "a field name has characters that are not allowed");
    EXPECT_EQ(error_in(ok + "A b: c\r\n\r\n"), "a field name has characters that are not allowed");
    EXPECT_EQ(error_in(ok + "A: b\rX: y\r\n\r\n"), "a field value has control characters");
    EXPECT_EQ(error_in("HTTP/2 200 OK\r\n\r\n"), "the status line does not begin with HTTP/1.x and a space");
    EXPECT_EQ(error_in("HTTP/1.1 2x0 OK\r\n\r\n"), "the status is not a number");
    EXPECT_EQ(error_in("HTTP/1.1 600 OK\r\n\r\n"), "the status is not between 100 and 599");
    EXPECT_EQ(error_in("HTTP/1.1 2000 OK\r\n\r\n"), "the status is not three digits");
    EXPECT_EQ(error_in(std::string("HTTP/1.1 200 O\x01K\r\n\r\n")),
              "the reason phrase has control characters");
}

TEST(ResponseParser, RejectsMoreFieldsThanTheLimit) {
    std::string text = "HTTP/1.1 200 OK\r\n";
    for (std::size_t i = 0; i < response_fields_max; ++i)
        text += "A: b\r\n";
    EXPECT_EQ(parse_response(text + "\r\n").result.state, State::complete);
    EXPECT_EQ(error_in(text + "A: b\r\n\r\n"), "there are more than 256 header fields");
}

}  // namespace

}  // namespace integreat::net
