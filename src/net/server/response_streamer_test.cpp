// SPDX-License-Identifier: Apache-2.0
// Streamed responses: each framing, and each kind of failure.
#include <latch>
#include <thread>

#include "net/testing/stream_fixture.h"

namespace integreat::net {
namespace {

using namespace std::chrono_literals;
using http::ReadStatus;

std::string request(std::string_view method, std::string_view version = "HTTP/1.1") {
    return std::string(method) + " /stream " + std::string(version) + "\r\nHost: h\r\n\r\n";
}

TEST_F(StreamTest, SendsChunksAndKeepsTheConnectionAlive) {
    std::string large(300'000, 'x');
    set_chunks({"one ", large, "", " three"});
    start();
    TestClient client(port());
    auto response = client.fetch(get);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.field("Transfer-Encoding"), "chunked");
    EXPECT_EQ(response.field("Content-Length"), "");
    EXPECT_EQ(response.field("Content-Type"), "text/plain");
    EXPECT_EQ(response.body, "one " + large + " three");
    EXPECT_EQ(client.fetch("GET /direct HTTP/1.1\r\nHost: h\r\n\r\n").body, "direct");
    auto summary = finished(1)[0].summary;
    EXPECT_EQ(summary.response_body_bytes, 300'010u);
    EXPECT_EQ(summary.status, 200);
    EXPECT_TRUE(summary.complete);
    EXPECT_EQ(live_streams, 0);
    EXPECT_EQ(gauge("integreat_streams_open"), 0);
}

TEST_F(StreamTest, SendsContentLengthIfTheLengthIsKnown) {
    set_chunks({"0123", "456789"}, ReadStatus::ready);  // The announced length ends the stream.
    length = 10;
    start();
    TestClient client(port());
    for (int i = 0; i < 2; ++i) {
        auto response = client.fetch(get);
        EXPECT_EQ(response.field("Content-Length"), "10");
        EXPECT_EQ(response.field("Transfer-Encoding"), "");
        EXPECT_EQ(response.body, "0123456789");
    }
}

TEST_F(StreamTest, IsDelimitedByTheConnectionForHttp10) {
    set_chunks({"one ", "two"});
    start();
    TestClient client(port());
    client.send(request("GET", "HTTP/1.0"));
    auto response = client.receive();
    EXPECT_EQ(response.field("Connection"), "close");
    EXPECT_EQ(response.field("Transfer-Encoding"), "");
    EXPECT_EQ(client.read_rest(), "one two");
    EXPECT_FALSE(client.was_reset());
}

TEST_F(StreamTest, SendsOnlyTheHeadWithoutABody) {
    produce = [](std::string&, const http::ReadRequest&) {
        ADD_FAILURE() << "read";
        return ReadStatus::eof;
    };
    application.handle = [this](const http::Request& received, http::RequestContext&) -> http::Response {
        auto response = stream();
        if (received.method == http::Method::post) response.status = 304;
        return response;
    };
    start();
    TestClient client(port());
    client.send(request("HEAD"));
    EXPECT_EQ(client.receive(true).field("Transfer-Encoding"), "chunked");
    auto not_modified = client.fetch(request("POST"));
    EXPECT_EQ(not_modified.status, 304);
    EXPECT_EQ(not_modified.field("Transfer-Encoding"), "");
    length = 5;
    client.send(request("HEAD"));
    EXPECT_EQ(client.receive(true).field("Content-Length"), "5");
    EXPECT_EQ(finished(3)[2].summary.response_body_bytes, 0u);
    EXPECT_EQ(live_streams, 0);
}

TEST_F(StreamTest, RespondsWith500WhenTheFirstChunkFails) {
    produce = [](std::string&, const http::ReadRequest&) -> ReadStatus {
        throw std::runtime_error("no table");
    };
    start();
    TestClient client(port());
    EXPECT_EQ(client.fetch(get).status, 500);
    EXPECT_EQ(client.fetch("GET /direct HTTP/1.1\r\nHost: h\r\n\r\n").body, "direct");
    EXPECT_EQ(count("integreat_streams_aborted_total"), 1u);
    EXPECT_EQ(live_streams, 0);
}

// A client must never mistake an incomplete body for a complete one.
TEST_F(StreamTest, ResetsTheConnectionOnFailure) {
    start();
    auto expect_reset = [&](std::string_view version, std::optional<std::uint64_t> promised,
                            LambdaSource::Produce source) {
        produce = std::move(source);
        length = promised;
        TestClient client(port());
        client.send(request("GET", version));
        auto rest = client.read_rest();
        EXPECT_TRUE(client.was_reset());
        EXPECT_FALSE(rest.ends_with("0\r\n\r\n"));
        EXPECT_EQ(rest.find("dropped"), std::string::npos);
    };
    auto make_half = [](http::ReadStatus then) {
        return [then, calls = 0](std::string& to, const http::ReadRequest&) mutable {
            if (++calls == 1) {
                to += "half";
                return ReadStatus::ready;
            }
            to += "dropped";
            return then;
        };
    };
    expect_reset("HTTP/1.1", std::nullopt, make_half(ReadStatus::error));
    expect_reset("HTTP/1.0", std::nullopt, make_half(ReadStatus::error));
    expect_reset("HTTP/1.1", 100, make_half(ReadStatus::eof));
    expect_reset("HTTP/1.1", 5, make_half(ReadStatus::ready));
    for (const auto& request : finished(4)) {
        EXPECT_FALSE(request.summary.complete);
        EXPECT_EQ(request.summary.status, 200);
        EXPECT_EQ(request.summary.response_body_bytes, 4u);
    }
    EXPECT_EQ(count("integreat_streams_aborted_total"), 4u);
    EXPECT_EQ(live_streams, 0);
}

TEST_F(StreamTest, ReadsBlockingStreamsOnTheBlockingPool) {
    Synchronized<std::thread::id> io;
    application.admit = [&](const http::Request&, http::RequestContext&) -> http::Admission {
        *io.lock() = std::this_thread::get_id();
        return stream();  // Responds to the head of the request.
    };
    produce = [&](std::string& to, const http::ReadRequest&) {
        to += std::this_thread::get_id() == *io.lock() ? "here" : "elsewhere";
        return to.empty() ? ReadStatus::ready : ReadStatus::eof;
    };
    start();
    TestClient client(port());
    EXPECT_EQ(client.fetch(get).body, "here");
    blocking = true;
    EXPECT_EQ(client.fetch(get).body, "elsewhere");
}

TEST_F(StreamTest, AppliesBackpressureAndAbortsWhenTheClientStopsReading) {
    settings.write_timeout = 50ms;
    std::atomic<std::uint64_t> made{0};
    std::atomic<std::size_t> requested{0};
    produce = [&](std::string& to, const http::ReadRequest& request) {
        requested = request.bytes;
        to.append(request.bytes, 'x');
        made += request.bytes;
        return ReadStatus::ready;
    };
    start();
    TestClient client(port());
    int room = 64 * 1024;
    setsockopt(client.socket(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    client.send(get);
    auto summary = finished(1)[0].summary;
    EXPECT_FALSE(summary.complete);
    EXPECT_EQ(live_streams, 0);
    EXPECT_EQ(requested, 64u * 1024);
    EXPECT_LT(made, 20u * 1024 * 1024);  // Kernel buffers, and one chunk.
    EXPECT_LE(made - summary.response_body_bytes, requested);
    EXPECT_EQ(registry.counter("integreat_http_timeouts_total", "", {{"stage", "write"}}).value(), 1u);
}

TEST_F(StreamTest, DestroysTheBodyStreamWhenTheClientDisconnects) {
    blocking = true;
    produce = [](std::string& to, const http::ReadRequest& request) {
        to.append(request.bytes, 'x');
        return ReadStatus::ready;
    };
    start();
    {
        TestClient client(port());
        client.send(get);
        EXPECT_FALSE(client.read_until("xxxx").empty());
    }
    EXPECT_FALSE(finished(1)[0].summary.complete);
    EXPECT_EQ(live_streams, 0);
    EXPECT_EQ(count("integreat_streams_aborted_total"), 0u);
}

TEST_F(StreamTest, AbortsWhenTheBodyStreamStaysIdle) {
    settings.write_timeout = 20ms;
    set_chunks({"half"}, ReadStatus::pending);
    start();
    TestClient client(port());
    client.send(get);
    client.read_rest();
    EXPECT_TRUE(client.was_reset());
    EXPECT_FALSE(finished(1)[0].summary.complete);
    EXPECT_EQ(count("integreat_streams_aborted_total"), 1u);
}

TEST_F(StreamTest, FinishesDuringADrain) {
    http::Waker wake;
    std::latch idle(1);
    produce = [&, calls = 0](std::string& to, const http::ReadRequest& request) mutable {
        if (calls++ > 0) {
            to += " and the rest";
            return ReadStatus::eof;
        }
        wake = request.waker;
        to += "half";
        idle.count_down();
        return ReadStatus::pending;
    };
    start();
    TestClient client(port());
    client.send(get);
    idle.wait();
    bool complete = false;
    std::thread draining([&] { complete = server->drain(); });
    while (TestClient(port()).connected())
        std::this_thread::yield();  // Until the listener is closed.
    wake();
    EXPECT_EQ(client.receive().body, "half and the rest");
    EXPECT_TRUE(client.at_end());
    draining.join();
    EXPECT_TRUE(complete);
}

TEST_F(StreamTest, IsAbortedAfterTheDrainTimeout) {
    settings.drain_timeout = 20ms;
    set_chunks({"half"}, ReadStatus::pending);
    start();
    TestClient client(port());
    client.send(get);
    client.read_until("half");
    EXPECT_FALSE(server->drain());
    EXPECT_EQ(client.read_rest().find("0\r\n\r\n"), std::string::npos);
    EXPECT_FALSE(finished(1)[0].summary.complete);
    EXPECT_EQ(live_streams, 0);
}

}  // namespace
}  // namespace integreat::net
