// SPDX-License-Identifier: Apache-2.0
// Invalid requests over a real connection: a 4xx that states the reason, and the end of the connection,
// regardless of the bytes sent after it. request_parser_test.cpp and chunked_decoder_test.cpp have every
// case.
#include "net/testing/test_server.h"

namespace integreat::net {
namespace {

class StrictnessTest : public ServerTest {};

struct Case {
    std::string bytes;
    int status;
    std::string_view detail;
};

TEST_F(StrictnessTest, RejectsRequestSmugglingAndClosesTheConnection) {
    start();
    const std::string post = "POST / HTTP/1.1\r\nHost: h\r\n";
    const std::string chunked = post + "Transfer-Encoding: chunked\r\n\r\n";
    for (const auto& [bytes, status, detail] : std::vector<Case>{
             {post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400,
              "Content-Length is given twice"},
             {post + "Content-Length: 5, 6\r\n\r\nhello", 400, "decimal digits"},
             {post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
              "exclude each other"},
             {post + "Transfer-Encoding: gzip\r\n\r\n", 400, "is chunked"},
             {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "HTTP/1.0 has no"},
             {"GET / HTTP/1.1\nHost: h\n\n", 400, "LF without CR"},
             {post + "A: b\rc\r\n\r\n", 400, "bare CR"},
             {post + "A: b\r\n folded\r\n\r\n", 400, "obs-fold"},
             {post + "Content-Length : 5\r\n\r\nhello", 400, "white space"},
             {post + "Host: i\r\n\r\n", 400, "Host is given twice"},
             {"GET / HTTP/1.1\r\n\r\n", 400, "Host is missing"},
             {post + std::string("A: \0\r\n\r\n", 9), 400, "NUL"},
             {chunked + "g\r\n", 400, "chunked body"},
             {chunked + "5\nhello\r\n0\r\n\r\n", 400, "chunked body"},
             {chunked + "5\r\nhelloX0\r\n\r\n", 400, "chunked body"},
             {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "HTTP/1.1"},
             {"\x16\x03\x01\x02\x00\x01", 400, "look like TLS"},
             {"BREW / HTTP/1.1\r\nHost: h\r\n\r\n", 501, "must be GET, HEAD"},
             {post + "Expect: miracles\r\n\r\n", 417, "100-continue"},
         }) {
        TestClient client(port());
        client.send(bytes + "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n");
        auto response = client.receive();
        EXPECT_EQ(response.status, status) << bytes;
        EXPECT_NE(response.field("Detail").find(detail), std::string::npos)
            << bytes << response.field("Detail");
        EXPECT_EQ(response.field("Connection"), "close") << bytes;
        EXPECT_TRUE(client.at_end()) << bytes;
    }
    for (const auto& request : finished(19))
        EXPECT_NE(request.target, "/smuggled");
}

TEST_F(StrictnessTest, RejectsHeadsOverTheLimits) {
    settings.max_header_bytes = 1000;
    settings.max_header_count = 10;
    settings.max_target_bytes = 100;
    start();
    auto status = [&](const std::string& bytes) { return TestClient(port()).fetch(bytes).status; };
    EXPECT_EQ(status("GET /" + std::string(99, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n"), 200);
    EXPECT_EQ(status("GET /" + std::string(100, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n"), 414);
    EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: h\r\nA: " + std::string(1000, 'a') + "\r\n\r\n"), 431);
    std::string fields;
    for (int i = 0; i < 10; ++i)
        fields += "A: b\r\n";
    EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n"), 431);
    EXPECT_EQ(finished(4)[1].type, "target-too-long");
    EXPECT_EQ(finished(4)[2].type, "header-too-large");
}

TEST_F(StrictnessTest, CountsRejectedHeads) {
    start();
    TestClient(port()).fetch("GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n");
    EXPECT_EQ(registry.counter("integreat_http_malformed_total", "", {{"part", "host"}}).value(), 1u);
}

TEST_F(StrictnessTest, PassesTheClientAddressToTheApplication) {
    application.admit = [](const http::Request& request, http::RequestContext&) -> http::Admission {
        return http::FullResponse{.body = request.peer.address + (request.peer.port ? "" : " without port")};
    };
    settings.trusted_proxies = {"127.0.0.2", "10.0.0.0/8"};
    start();
    std::string get =
        "GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 192.0.2.1, 198.51.100.7\r\nX-Forwarded-For: "
        "10.1.2.3\r\n\r\n";
    EXPECT_EQ(TestClient(port(), "127.0.0.3").fetch(get).body, "127.0.0.3");  // Not a trusted proxy.
    TestClient proxy(port(), "127.0.0.2");
    EXPECT_EQ(proxy.fetch(get).body, "198.51.100.7");
    EXPECT_EQ(proxy.fetch("GET / HTTP/1.1\r\nHost: h\r\n\r\n").body, "127.0.0.2");
    EXPECT_EQ(proxy.fetch("GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 192.0.2.1, _hidden\r\n\r\n").body,
              "127.0.0.2");
}

}  // namespace
}  // namespace integreat::net
