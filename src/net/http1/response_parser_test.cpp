// SPDX-License-Identifier: Apache-2.0
#include "net/http1/response_parser.h"

#include <string>

#include <gtest/gtest.h>

namespace integreat::net {

namespace {

using State = HeadParse::State;

struct Parsed {  // `head` points into `text`.
    std::string text;
    UpstreamHead head;
    HeadParse parse;
};

Parsed read(std::string text, bool answers_head = false) {
    Parsed parsed{.text = std::move(text)};
    parsed.parse = parse_upstream_head(parsed.text, answers_head, parsed.head);
    return parsed;
}

std::string mistake_in(const std::string& text) {
    auto parsed = read(text);
    EXPECT_EQ(parsed.parse.state, State::malformed) << text;
    return parsed.parse.mistake;
}

std::string names(const UpstreamHead& head) {
    std::string all;
    for (const auto& field : head.fields)
        all.append(field.name).append(" ");
    return all;
}

TEST(UpstreamHead, ReadsStatusFieldsAndLength) {
    auto parsed =
        read("HTTP/1.1 201 Made here\r\nServer: x\r\nDate: d\r\nContent-Length: 5\r\nA:  b \r\n\r\nhello");
    ASSERT_EQ(parsed.parse.state, State::complete);
    EXPECT_EQ(parsed.parse.size, parsed.text.size() - 5);
    EXPECT_EQ(parsed.head.status, 201);
    EXPECT_EQ(parsed.head.reason, "Made here");
    EXPECT_EQ(parsed.head.end, BodyEnd::length);
    EXPECT_EQ(parsed.head.content_length, 5u);
    EXPECT_TRUE(parsed.head.keep_alive);
    EXPECT_TRUE(parsed.head.dated);
    EXPECT_EQ(names(parsed.head), "Server Date A ");
    EXPECT_EQ(parsed.head.fields[2].value, "b");
}

TEST(UpstreamHead, IsIncompleteUntilTheLastByte) {
    std::string whole = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n";
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_EQ(read(whole.substr(0, size)).parse.state, State::incomplete) << size;
    }
    EXPECT_EQ(read(whole).parse.state, State::complete);
}

TEST(UpstreamHead, LeavesOutWhatConcernsTheHop) {
    auto parsed = read(
        "HTTP/1.1 200 OK\r\nX-Private: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\nTE: "
        "trailers\r\n"
        "Trailer: X\r\nUpgrade: h2c\r\nConnection: keep-alive, x-private\r\nTransfer-Encoding: chunked\r\n"
        "Connection: Also\r\nAlso: 2\r\nKept: 3\r\n\r\n");
    ASSERT_EQ(parsed.parse.state, State::complete) << parsed.parse.mistake;
    EXPECT_EQ(names(parsed.head), "Kept ");
    EXPECT_EQ(parsed.head.upgrade, "");
}

TEST(UpstreamHead, KnowsAnswersWithoutBody) {
    EXPECT_EQ(read("HTTP/1.1 204 No Content\r\n\r\n").head.end, BodyEnd::none);
    EXPECT_EQ(read("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n").head.end, BodyEnd::none);
    auto head = read("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", true).head;
    EXPECT_EQ(head.end, BodyEnd::none);
    EXPECT_EQ(head.content_length, 9u) << "told, not sent";
    EXPECT_TRUE(head.keep_alive);
    EXPECT_FALSE(read("HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n").head.keep_alive)
        << "nine bytes may follow that nobody asked for";
}

TEST(UpstreamHead, ReadsUntilCloseWithoutLength) {
    auto head = read("HTTP/1.1 200 OK\r\n\r\n").head;
    EXPECT_EQ(head.end, BodyEnd::close);
    EXPECT_FALSE(head.keep_alive);
}

TEST(UpstreamHead, KeepsAliveByVersionAndConnection) {
    auto kept = [](const std::string& start, const std::string& connection) {
        return read(start + " 200 OK\r\nContent-Length: 0\r\n" + connection + "\r\n").head.keep_alive;
    };
    EXPECT_TRUE(kept("HTTP/1.1", ""));
    EXPECT_FALSE(kept("HTTP/1.1", "Connection: Close\r\n"));
    EXPECT_FALSE(kept("HTTP/1.0", ""));
    EXPECT_TRUE(kept("HTTP/1.0", "Connection: Keep-Alive\r\n"));
}

TEST(UpstreamHead, TellsTheProtocolOfAnUpgrade) {
    auto parsed = read("HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
    EXPECT_EQ(parsed.head.upgrade, "websocket");
}

TEST(UpstreamHead, TellsHowLongAnIdleConnectionIsKept) {
    auto idle = [](const std::string& value) {
        return read("HTTP/1.1 200 OK\r\nKeep-Alive: " + value + "\r\n\r\n").head.idle_seconds;
    };
    EXPECT_EQ(idle("timeout=5"), 5);
    EXPECT_EQ(idle("max=100, Timeout=7"), 7);
    EXPECT_EQ(idle("timeout=-1"), std::nullopt);
    EXPECT_EQ(idle("timeout=99999999999999"), std::nullopt);
    EXPECT_EQ(idle("max=1"), std::nullopt);
}

TEST(UpstreamHead, AcceptsTheSameLengthTwiceAndSpaceBeforeTheColon) {
    auto parsed = read("HTTP/1.1 200\r\nContent-Length: 5\r\nContent-Length : 5\r\n\r\n");
    ASSERT_EQ(parsed.parse.state, State::complete) << parsed.parse.mistake;
    EXPECT_EQ(parsed.head.content_length, 5u);
}

TEST(UpstreamHead, RefusesDoubtfulFraming) {
    const std::string ok = "HTTP/1.1 200 OK\r\n";
    EXPECT_EQ(mistake_in(ok + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
              "both Content-Length and Transfer-Encoding");
    EXPECT_EQ(mistake_in(ok + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n"),
              "two fields Content-Length disagree");
    for (const auto* length : {"", "-1", "+5", "5, 5", "0x5", "1234567890123456789"}) {
        EXPECT_EQ(mistake_in(ok + "Content-Length: " + length + "\r\n\r\n"),
                  "Content-Length is not a number of at most 18 digits");
    }
    for (const auto* coding : {"gzip, chunked", "identity", "chunked, chunked", "xchunked", ""}) {
        EXPECT_EQ(mistake_in(ok + "Transfer-Encoding: " + coding + "\r\n\r\n"),
                  "Transfer-Encoding is not exactly \"chunked\"");
    }
    EXPECT_EQ(mistake_in("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
              "Transfer-Encoding in an HTTP/1.0 answer");
}

TEST(UpstreamHead, RefusesMalformedLines) {
    const std::string ok = "HTTP/1.1 200 OK\r\n";
    EXPECT_EQ(mistake_in("HTTP/1.1 200 OK\nA: b\r\n\r\n"), "a line does not end with CR LF");
    EXPECT_EQ(mistake_in(ok + "A: b\r\n folded\r\n\r\n"), "a header line is folded");
    EXPECT_EQ(mistake_in(ok + "no colon\r\n\r\n"), "a header line has no colon");
    EXPECT_EQ(mistake_in(ok + ": empty\r\n\r\n"), "a field name has characters that are not allowed");
    EXPECT_EQ(mistake_in(ok + "A b: c\r\n\r\n"), "a field name has characters that are not allowed");
    EXPECT_EQ(mistake_in(ok + "A: b\rX: y\r\n\r\n"), "a field value has control characters");
    EXPECT_EQ(mistake_in("HTTP/2 200 OK\r\n\r\n"),
              "the status line does not begin with HTTP/1.x and a space");
    EXPECT_EQ(mistake_in("HTTP/1.1 2x0 OK\r\n\r\n"), "the status is not a number");
    EXPECT_EQ(mistake_in("HTTP/1.1 600 OK\r\n\r\n"), "the status is not between 100 and 599");
    EXPECT_EQ(mistake_in("HTTP/1.1 2000 OK\r\n\r\n"), "the status is not three digits");
    EXPECT_EQ(mistake_in(std::string("HTTP/1.1 200 O\x01K\r\n\r\n")),
              "the reason phrase has control characters");
}

TEST(UpstreamHead, RefusesMoreFieldsThanTheLimit) {
    std::string text = "HTTP/1.1 200 OK\r\n";
    for (std::size_t i = 0; i < upstream_fields_max; ++i)
        text += "A: b\r\n";
    EXPECT_EQ(read(text + "\r\n").parse.state, State::complete);
    EXPECT_EQ(mistake_in(text + "A: b\r\n\r\n"), "there are more than 256 header fields");
}

}  // namespace

}  // namespace integreat::net
