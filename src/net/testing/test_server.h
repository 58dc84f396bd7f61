// SPDX-License-Identifier: Apache-2.0
// For tests of net/: a server on a free port whose application is made of lambdas, and a client that sends
// exactly the bytes it is told to, over a blocking socket.
#pragma once

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <memory>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/concurrency/synchronized.h"
#include "net/http1/chunked_decoder.h"
#include "net/proxy/upstream_pool.h"
#include "net/server/server.h"

namespace integreat::net {

class SystemClock final : public Clock {
public:
    Time now() const override {
        return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    }
    Monotonic monotonic() const override { return std::chrono::steady_clock::now(); }
};

struct Answer {
    int status = 0;  // 0: the connection ended before a whole answer came.
    std::string head;
    std::string body;

    // The value of a field; empty if it is absent.
    std::string field(const std::string& name) const {
        auto at = head.find("\r\n" + name + ": ");
        if (at == std::string::npos) return {};
        at += name.size() + 4;
        return head.substr(at, head.find("\r\n", at) - at);
    }
};

class TestClient {
public:
    explicit TestClient(std::uint16_t port, const char* from = "127.0.0.1") {
        timeval patience{.tv_sec = 10,
                         .tv_usec = 0};  // A hanging server fails the test instead of hanging it.
        setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        sockaddr_in local{.sin_family = AF_INET};
        inet_pton(AF_INET, from, &local.sin_addr);
        EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&local), sizeof local), 0);
        sockaddr_in server{.sin_family = AF_INET, .sin_port = htons(port)};
        inet_pton(AF_INET, "127.0.0.1", &server.sin_addr);
        connected_ = connect(socket_, reinterpret_cast<sockaddr*>(&server), sizeof server) == 0;
    }
    TestClient(const TestClient&) = delete;
    TestClient& operator=(const TestClient&) = delete;
    ~TestClient() { ::close(socket_); }

    bool connected() const { return connected_; }
    int socket() const { return socket_; }

    // False once the server has closed the connection.
    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }
    void finish_sending() { shutdown(socket_, SHUT_WR); }

    // The next answer; `bodyless` for the answer to HEAD.
    Answer receive(bool bodyless = false) {
        Answer answer;
        auto end = find("\r\n\r\n");
        if (end == std::string::npos) return answer;
        answer.head = buffered_.substr(0, end + 4);
        buffered_.erase(0, end + 4);
        int status = std::stoi(answer.head.substr(9, 3));
        if (!bodyless && answer.field("Transfer-Encoding") == "chunked") {
            ChunkDecoder chunks;
            do {
                std::string_view rest = buffered_;
                while (!rest.empty() && !chunks.finished() && chunks.mistake().empty())
                    answer.body += chunks.take(rest);
                buffered_.erase(0, buffered_.size() - rest.size());
            } while (!chunks.finished() && chunks.mistake().empty() && more());
            if (!chunks.finished()) return answer;
        } else if (!bodyless && !answer.field("Content-Length").empty()) {
            auto length = std::stoul(answer.field("Content-Length"));
            while (buffered_.size() < length && more()) {
            }
            if (buffered_.size() < length) return answer;
            answer.body = buffered_.substr(0, length);
            buffered_.erase(0, length);
        }
        answer.status = status;
        return answer;
    }
    Answer ask(std::string_view bytes) {
        send(bytes);
        return receive();
    }

    // What comes up to and with `text`, chunk sizes included; empty if it does not come.
    std::string read_until(std::string_view text) {
        auto at = find(text);
        if (at == std::string::npos) return {};
        auto read = buffered_.substr(0, at + text.size());
        buffered_.erase(0, read.size());
        return read;
    }
    bool was_reset() const { return reset_; }

    // Everything until the server ends the connection.
    std::string rest() {
        while (more()) {
        }
        return std::move(buffered_);
    }
    // The server has ended the connection, and sent nothing before.
    bool at_end() { return rest().empty() && !reset_; }

private:
    std::size_t find(std::string_view text) {
        for (;;) {
            if (auto at = buffered_.find(text); at != std::string::npos) return at;
            if (!more()) return std::string::npos;
        }
    }
    bool more() {
        char bytes[16 * 1024];
        auto received = recv(socket_, bytes, sizeof bytes, 0);
        if (received < 0) reset_ = true;
        if (received > 0) buffered_.append(bytes, static_cast<std::size_t>(received));
        return received > 0;
    }

    int socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    bool connected_ = false;
    bool reset_ = false;
    std::string buffered_;
};

// What the server told the application of finished requests.
struct Finished {
    std::string target;
    std::string type;  // Of the problem, when the server refused.
    http::Outcome outcome;
};

// Answers each request with what it saw of it, unless a test puts another lambda in before start().
class ServerTest : public testing::Test {
protected:
    ServerTest() {
        settings.threads = 1;
        settings.waiting_threads = 1;
        settings.sweep_tick = std::chrono::milliseconds(5);
        application.admit = [](const http::Request& request, http::Call&) -> http::Admission {
            if (request.path() == "/direct") return http::Reply{.body = "direct"};
            return http::ReadBody{.bytes_max = 1000, .waits = request.path() == "/wait"};
        };
        application.answer = [](const http::Request& request, http::Call&) -> http::Response {
            return http::Reply{.headers = {{"Seen-Target", request.target}},
                               .body = std::string(http::to_string(request.method)) + " " + request.body};
        };
        application.reject = [](const http::Request&, http::Call& call, const http::Problem& problem) {
            call.decision.type = problem.type;
            auto reply = http::to_reply(problem, "req_test");
            reply.headers.add("Detail", problem.detail);
            return reply;
        };
        application.finish = [this](const http::Request& request, const http::Call& call,
                                    const http::Outcome& outcome) {
            finished_.lock()->push_back({request.target, call.decision.type, outcome});
            one_finished_.notify_all();
        };
    }

    void start() {
        auto started = Server::start(settings, application, upstreams, registry, clock);
        ASSERT_TRUE(started) << started.error().message;
        server = *std::move(started);
    }
    std::uint16_t port() const { return server->port(); }

    // Waits until the application was told of `count` requests.
    std::vector<Finished> finished(std::size_t count) {
        auto all = finished_.lock();
        one_finished_.wait_for(all.lock(), std::chrono::seconds(10), [&] { return all->size() >= count; });
        return *all;
    }

    SystemClock clock;
    metrics::Registry registry;
    Upstreams upstreams;
    http::Application application;
    ServerSettings settings;
    Guarded<std::vector<Finished>> finished_;
    std::condition_variable one_finished_;
    std::unique_ptr<Server> server;  // Last: it goes first.
};

}  // namespace integreat::net
