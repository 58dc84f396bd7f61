// SPDX-License-Identifier: Apache-2.0
// Documents that stream: each framing, and every way not to come to the end.
#include <latch>
#include <thread>

#include "net/testing/stream_fixture.h"

namespace integreat::net {
namespace {

using namespace std::chrono_literals;
using http::Pace;

std::string request(std::string_view method, std::string_view version = "HTTP/1.1") {
    return std::string(method) + " /stream " + std::string(version) + "\r\nHost: h\r\n\r\n";
}

TEST_F(StreamTest, SendsPiecesAsChunksAndKeepsTheConnection) {
    std::string large(300'000, 'x');
    say({"one ", large, "", " three"});
    start();
    TestClient client(port());
    auto answer = client.ask(get);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.field("Transfer-Encoding"), "chunked");
    EXPECT_EQ(answer.field("Content-Length"), "");
    EXPECT_EQ(answer.field("Content-Type"), "text/plain");
    EXPECT_EQ(answer.body, "one " + large + " three");
    EXPECT_EQ(client.ask("GET /direct HTTP/1.1\r\nHost: h\r\n\r\n").body, "direct");
    auto outcome = finished(1)[0].outcome;
    EXPECT_EQ(outcome.response_body_bytes, 300'010u);
    EXPECT_EQ(outcome.status, 200);
    EXPECT_TRUE(outcome.complete);
    EXPECT_EQ(alive, 0);
    EXPECT_EQ(gauge("integreat_streams_open"), 0);
}

TEST_F(StreamTest, SaysTheLengthThatIsKnown) {
    say({"0123", "456789"}, Pace::more);  // Never asked again: all of it was sent.
    length = 10;
    start();
    TestClient client(port());
    for (int i = 0; i < 2; ++i) {
        auto answer = client.ask(get);
        EXPECT_EQ(answer.field("Content-Length"), "10");
        EXPECT_EQ(answer.field("Transfer-Encoding"), "");
        EXPECT_EQ(answer.body, "0123456789");
    }
}

TEST_F(StreamTest, EndsWithTheConnectionForHttp10) {
    say({"one ", "two"});
    start();
    TestClient client(port());
    client.send(request("GET", "HTTP/1.0"));
    auto answer = client.receive();
    EXPECT_EQ(answer.field("Connection"), "close");
    EXPECT_EQ(answer.field("Transfer-Encoding"), "");
    EXPECT_EQ(client.rest(), "one two");
    EXPECT_FALSE(client.was_reset());
}

TEST_F(StreamTest, SendsOnlyTheHeadWhereThereIsNoBody) {
    produce = [](std::string&, const http::Demand&) {
        ADD_FAILURE() << "asked";
        return Pace::end;
    };
    application.answer = [this](const http::Request& asked, http::Call&) -> http::Response {
        auto answer = stream();
        if (asked.method == http::Method::post) answer.status = 304;
        return answer;
    };
    start();
    TestClient client(port());
    client.send(request("HEAD"));
    EXPECT_EQ(client.receive(true).field("Transfer-Encoding"), "chunked");
    auto not_modified = client.ask(request("POST"));
    EXPECT_EQ(not_modified.status, 304);
    EXPECT_EQ(not_modified.field("Transfer-Encoding"), "");
    length = 5;
    client.send(request("HEAD"));
    EXPECT_EQ(client.receive(true).field("Content-Length"), "5");
    EXPECT_EQ(finished(3)[2].outcome.response_body_bytes, 0u);
    EXPECT_EQ(alive, 0);
}

TEST_F(StreamTest, AnswersHonestlyWhenNotEvenTheFirstPieceCanBeMade) {
    produce = [](std::string&, const http::Demand&) -> Pace { throw std::runtime_error("no table"); };
    start();
    TestClient client(port());
    EXPECT_EQ(client.ask(get).status, 500);
    EXPECT_EQ(client.ask("GET /direct HTTP/1.1\r\nHost: h\r\n\r\n").body, "direct");
    EXPECT_EQ(count("integreat_streams_broken_total"), 1u);
    EXPECT_EQ(alive, 0);
}

// The client must never take half a document for a whole one.
TEST_F(StreamTest, BreaksOffVisibly) {
    start();
    auto broken_answer = [&](std::string_view version, std::optional<std::uint64_t> promised,
                             LambdaSource::Produce source) {
        produce = std::move(source);
        length = promised;
        TestClient client(port());
        client.send(request("GET", version));
        auto rest = client.rest();
        EXPECT_TRUE(client.was_reset());
        EXPECT_FALSE(rest.ends_with("0\r\n\r\n"));
        EXPECT_EQ(rest.find("dropped"), std::string::npos);
    };
    auto half_of_it = [](http::Pace then) {
        return [then, calls = 0](std::string& to, const http::Demand&) mutable {
            if (++calls == 1) {
                to += "half";
                return Pace::more;
            }
            to += "dropped";
            return then;
        };
    };
    broken_answer("HTTP/1.1", std::nullopt, half_of_it(Pace::broken));
    broken_answer("HTTP/1.0", std::nullopt, half_of_it(Pace::broken));
    broken_answer("HTTP/1.1", 100, half_of_it(Pace::end));
    broken_answer("HTTP/1.1", 5, half_of_it(Pace::more));
    for (const auto& request : finished(4)) {
        EXPECT_FALSE(request.outcome.complete);
        EXPECT_EQ(request.outcome.status, 200);
        EXPECT_EQ(request.outcome.response_body_bytes, 4u);
    }
    EXPECT_EQ(count("integreat_streams_broken_total"), 4u);
    EXPECT_EQ(alive, 0);
}

TEST_F(StreamTest, AsksWhereWaitingIsAllowedOnlyThoseThatWait) {
    Guarded<std::thread::id> io;
    application.admit = [&](const http::Request&, http::Call&) -> http::Admission {
        *io.lock() = std::this_thread::get_id();
        return stream();  // Right from the head of the request.
    };
    produce = [&](std::string& to, const http::Demand&) {
        to += std::this_thread::get_id() == *io.lock() ? "here" : "elsewhere";
        return to.empty() ? Pace::more : Pace::end;
    };
    start();
    TestClient client(port());
    EXPECT_EQ(client.ask(get).body, "here");
    waits = true;
    EXPECT_EQ(client.ask(get).body, "elsewhere");
}

TEST_F(StreamTest, HoldsBackTheSourceOfASlowReaderAndGivesUpOnOneThatStops) {
    settings.write_timeout = 50ms;
    std::atomic<std::uint64_t> made{0};
    std::atomic<std::size_t> wanted{0};
    produce = [&](std::string& to, const http::Demand& demand) {
        wanted = demand.bytes;
        to.append(demand.bytes, 'x');
        made += demand.bytes;
        return Pace::more;
    };
    start();
    TestClient client(port());
    int room = 64 * 1024;
    setsockopt(client.socket(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    client.send(get);
    auto outcome = finished(1)[0].outcome;
    EXPECT_FALSE(outcome.complete);
    EXPECT_EQ(alive, 0);
    EXPECT_EQ(wanted, 64u * 1024);
    EXPECT_LT(made, 20u * 1024 * 1024);  // What the kernel takes, and one piece.
    EXPECT_LE(made - outcome.response_body_bytes, wanted);
    EXPECT_EQ(registry.counter("integreat_http_timeouts_total", "", {{"stage", "write"}}).value(), 1u);
}

TEST_F(StreamTest, ForgetsTheSourceOfAClientThatLeaves) {
    waits = true;
    produce = [](std::string& to, const http::Demand& demand) {
        to.append(demand.bytes, 'x');
        return Pace::more;
    };
    start();
    {
        TestClient client(port());
        client.send(get);
        EXPECT_FALSE(client.read_until("xxxx").empty());
    }
    EXPECT_FALSE(finished(1)[0].outcome.complete);
    EXPECT_EQ(alive, 0);
    EXPECT_EQ(count("integreat_streams_broken_total"), 0u);
}

TEST_F(StreamTest, GivesUpOnASourceThatStaysIdle) {
    settings.write_timeout = 20ms;
    say({"half"}, Pace::idle);
    start();
    TestClient client(port());
    client.send(get);
    client.rest();
    EXPECT_TRUE(client.was_reset());
    EXPECT_FALSE(finished(1)[0].outcome.complete);
    EXPECT_EQ(count("integreat_streams_broken_total"), 1u);
}

TEST_F(StreamTest, DrainsToTheirEnd) {
    http::Wake wake;
    std::latch idle(1);
    produce = [&, calls = 0](std::string& to, const http::Demand& demand) mutable {
        if (calls++ > 0) {
            to += " and the rest";
            return Pace::end;
        }
        wake = demand.wake;
        to += "half";
        idle.count_down();
        return Pace::idle;
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

TEST_F(StreamTest, AreCutOffByADrainThatTakesTooLong) {
    settings.drain_timeout = 20ms;
    say({"half"}, Pace::idle);
    start();
    TestClient client(port());
    client.send(get);
    client.read_until("half");
    EXPECT_FALSE(server->drain());
    EXPECT_EQ(client.rest().find("0\r\n\r\n"), std::string::npos);
    EXPECT_FALSE(finished(1)[0].outcome.complete);
    EXPECT_EQ(alive, 0);
}

}  // namespace
}  // namespace integreat::net
