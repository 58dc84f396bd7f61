// SPDX-License-Identifier: Apache-2.0
// Test support for net/: a server on a free port whose application consists of lambdas, and a client that
// sends arbitrary bytes over a blocking socket.
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
#include "base/system_clock.h"
#include "net/http1/chunked_decoder.h"
#include "net/proxy/upstream_pool.h"
#include "net/server/server.h"

namespace integreat::net {

inline constexpr std::string_view get_request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

struct TestResponse {
    int status = 0;  // 0: the connection ended before a complete response.
    std::string head;
    std::string body;

    // Returns the value of a field; empty if it is absent.
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
        timeval timeout{.tv_sec = 10,
                        .tv_usec = 0};  // A hanging server fails the test instead of hanging it.
        setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
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

    // Sends all bytes. Returns false once the server has closed the connection.
    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }
    void finish_sending() { shutdown(socket_, SHUT_WR); }

    // Reads the next response; `has_no_body` for a response to HEAD.
    TestResponse receive(bool has_no_body = false) {
        TestResponse response;
        auto end = find("\r\n\r\n");
        if (end == std::string::npos) return response;
        response.head = buffered_.substr(0, end + 4);
        buffered_.erase(0, end + 4);
        int status = std::stoi(response.head.substr(9, 3));
        if (!has_no_body && response.field("Transfer-Encoding") == "chunked") {
            ChunkedDecoder decoder;
            do {
                std::string_view remaining = buffered_;
                while (!remaining.empty() && !decoder.finished() && decoder.error().empty())
                    response.body += decoder.decode(remaining);
                buffered_.erase(0, buffered_.size() - remaining.size());
            } while (!decoder.finished() && decoder.error().empty() && receive_more());
            if (!decoder.finished()) return response;
        } else if (!has_no_body && !response.field("Content-Length").empty()) {
            auto length = std::stoul(response.field("Content-Length"));
            while (buffered_.size() < length && receive_more()) {
            }
            if (buffered_.size() < length) return response;
            response.body = buffered_.substr(0, length);
            buffered_.erase(0, length);
        }
        response.status = status;
        return response;
    }
    TestResponse fetch(std::string_view bytes) {
        send(bytes);
        return receive();
    }

    // Reads up to and including `text`, without decoding chunks; empty if it does not arrive.
    std::string read_until(std::string_view text) {
        auto at = find(text);
        if (at == std::string::npos) return {};
        auto read = buffered_.substr(0, at + text.size());
        buffered_.erase(0, read.size());
        return read;
    }
    bool was_reset() const { return reset_; }

    // Reads everything until the server ends the connection.
    std::string read_rest() {
        while (receive_more()) {
        }
        return std::move(buffered_);
    }
    // Returns whether the server ends the connection without sending anything before.
    bool at_end() { return read_rest().empty() && !reset_; }

private:
    std::size_t find(std::string_view text) {
        for (;;) {
            if (auto at = buffered_.find(text); at != std::string::npos) return at;
            if (!receive_more()) return std::string::npos;
        }
    }
    bool receive_more() {
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

// A finished request, as reported to the application.
struct FinishedRequest {
    std::string target;
    std::string type;  // Problem type, if the server rejected the request.
    http::RequestSummary summary;
};

// Echoes each request in the response, unless a test replaces a lambda before start().
class ServerTest : public testing::Test {
protected:
    ServerTest() {
        settings.threads = 1;
        settings.blocking_threads = 1;
        settings.sweep_tick = std::chrono::milliseconds(5);
        application.admit = [](const http::Request& request, http::RequestContext&) -> http::Admission {
            if (request.path() == "/direct") return http::FullResponse{.body = "direct"};
            return http::ReadBody{.max_bytes = 1000,
                                  .execution = request.path() == "/wait" ? http::Execution::blocking
                                                                         : http::Execution::on_io_thread};
        };
        application.handle = [](const http::Request& request, http::RequestContext&) -> http::Response {
            return http::FullResponse{
                .headers = {{"Target", request.target}},
                .body = std::string(http::to_string(request.method)) + " " + request.body};
        };
        application.reject = [](const http::Request&, http::RequestContext& call,
                                const http::Problem& problem) {
            call.decision.type = problem.slug();
            auto reply = http::to_response(problem, "req_test");
            reply.headers.add("Detail", problem.detail);
            return reply;
        };
        application.finish = [this](const http::Request& request, const http::RequestContext& call,
                                    const http::RequestSummary& summary) {
            finished_.lock()->push_back({request.target, call.decision.type, summary});
            request_finished_.notify_all();
        };
    }

    void start() {
        auto started = Server::start(settings, application, upstreams, registry, clock);
        ASSERT_TRUE(started) << started.error().message;
        server = *std::move(started);
    }
    std::uint16_t port() const { return server->port(); }

    // Waits until `count` requests are finished.
    std::vector<FinishedRequest> finished(std::size_t count) {
        auto all = finished_.lock();
        request_finished_.wait_for(all.lock(), std::chrono::seconds(10),
                                   [&] { return all->size() >= count; });
        return *all;
    }

    SystemClock clock;
    metrics::Registry registry;
    UpstreamRegistry upstreams;
    http::Application application;
    ServerSettings settings;
    Synchronized<std::vector<FinishedRequest>> finished_;
    std::condition_variable request_finished_;
    std::unique_ptr<Server> server;  // Last member, so that it is destroyed first.
};

}  // namespace integreat::net
