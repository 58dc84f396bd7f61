// SPDX-License-Identifier: Apache-2.0
// Test fixture: a minimal session around forward_request() on a separate thread, between a client played by
// the test and a scripted upstream. The clock advances only when the test advances it.
#pragma once

#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/http1/request_parser.h"
#include "net/proxy/reverse_proxy.h"
#include "net/proxy/upstream_pool.h"
#include "net/testing/loopback_server.h"

namespace integreat::net {

class ReverseProxyTest : public testing::Test {
protected:
    using tcp_endpoint = tcp::endpoint;

    ReverseProxyTest() {
        upstream.tenant = TenantId{"campus"};
        upstream.name = "portal";
        upstream.host = "127.0.0.1";
        upstream.path_prefix = "/base";
        // A field without meaning to either side.
        response_headers.add("Integreat-Request-Id", "req_1");
    }

    ~ReverseProxyTest() override {
        auto stop = [this] {
            pools.stop();
            sweeper.stop();
            acceptor.close();
        };
        asio::post(io_context, stop);
        if (thread.joinable()) thread.join();
    }

    // Starts accepting clients; `upstream` and the other settings must not change afterwards.
    void start(LoopbackServer::Script script) {
        server = std::make_unique<LoopbackServer>(std::move(script));
        start_with_port(server->port());
    }
    void start_with_port(std::uint16_t port) {
        upstream.port = port;
        upstream.key = "campus/portal http://127.0.0.1:" + std::to_string(port);
        definition = std::make_shared<http::Upstream>(upstream);
        acceptor.listen();
        sweeper.start();
        pools.start();
        asio::co_spawn(io_context, accept(*this), asio::detached);
        thread = std::thread([this] { io_context.run(); });
    }

    int connect() { return TestConnection::connect(acceptor.local_endpoint().port()); }
    // Sends a request and reads until the connection ends.
    std::string fetch(std::string_view request) {
        TestConnection client(connect());
        client.send(request);
        return client.read_all();
    }
    ProxyResult last_result() {
        for (;;) {
            if (auto all = results.lock(); !all->empty()) return all->back();
            std::this_thread::yield();
        }
    }

    // Advances the clock until the request has timed out.
    ProxyResult result_after_timeout() {
        while (results.lock()->empty()) {
            clock.advance(std::chrono::seconds(61));
            std::this_thread::yield();
        }
        return last_result();
    }

    static Awaitable<void> accept(ReverseProxyTest& test) {
        for (;;) {
            error_code error;
            auto socket = co_await test.acceptor.async_accept(asio::redirect_error(use_awaitable, error));
            if (error) co_return;
            asio::co_spawn(test.io_context, serve_connection(test, std::move(socket)), asio::detached);
        }
    }

    static Awaitable<bool> read_head(SocketStream& stream, ReadBuffer& read_buffer, RequestParser& parser,
                                     http::Request& request) {
        parser.begin();
        while (read_buffer.unread().empty() ||
               parser.parse(read_buffer.unread(), request) == RequestParser::State::incomplete) {
            auto buffer = read_buffer.prepare(ReadBuffer::idle_bytes);
            error_code error;
            auto size = co_await stream.read_some(buffer, error);
            if (error) co_return false;
            read_buffer.commit(size);
        }
        read_buffer.consume(parser.length());
        co_return true;
    }

    static Awaitable<void> serve_connection(ReverseProxyTest& test, Socket socket) {
        SocketStream stream(std::move(socket), test.sweeper);
        ReadBuffer read_buffer;
        RequestParser parser{RequestHeadLimits{}};
        MinimumRate rate(std::chrono::seconds(5), 0);
        RequestBody body(stream, read_buffer, rate);
        for (bool open = true; open;) {
            http::Request request;
            request.peer = {"192.0.2.7", 1};
            stream.expire_never();
            if (!co_await read_head(stream, read_buffer, parser, request)) co_return;
            body.begin(parser.framing());
            http::RequestContext call;
            call.response_headers = test.response_headers;
            call.deadline = test.deadline;
            http::ProxyRequest proxy_request{.upstream = test.definition,
                                             .target = request.target,
                                             .headers = request.headers,
                                             .max_body_bytes = test.max_body_bytes};
            ProxyContext proxy_context{.client = stream,
                                       .body = body,
                                       .request = request,
                                       .call = call,
                                       .http_1_0 = parser.framing().http_1_0,
                                       .keep_alive = parser.framing().keep_alive,
                                       .draining = test.draining,
                                       .date = test.date,
                                       .rate = rate,
                                       .hold_memory = test.hold_memory};
            auto result = co_await forward_request(proxy_context, proxy_request, test.pools);
            if (result.problem) {
                auto reply = http::to_response(*result.problem, "req_1");
                std::string head;
                ResponseFraming framing{.content_length = reply.body.size(), .keep_alive = result.keep_alive};
                static_cast<void>(
                    append_response_head(head, reply.status, reply.headers, {}, framing, "now"));
                Buffers buffers{asio::buffer(head), asio::buffer(reply.body)};
                error_code error;
                co_await stream.write(buffers, error);
            }
            open = result.keep_alive;
            test.causes.lock()->push_back(call.cause);
            test.results.lock()->push_back(std::move(result));
        }
        stream.finish_sending();
        char rest[4096];
        asio::mutable_buffer buffer(rest, sizeof rest);
        for (error_code error; !error;)
            co_await stream.read_some(buffer, error);
    }

    FixedClock clock;
    asio::io_context io_context;
    DeadlineSweeper sweeper{io_context, clock, std::chrono::milliseconds(2)};
    UpstreamRegistry upstreams;
    UpstreamPools pools{sweeper, upstreams, std::chrono::milliseconds(2)};
    Acceptor acceptor{io_context, tcp_endpoint(asio::ip::address_v4::loopback(), 0)};
    DateHeader date;
    http::Upstream upstream;
    std::shared_ptr<const http::Upstream> definition;
    http::Headers response_headers;
    Monotonic deadline = Monotonic::max();
    const bool draining = false;
    const std::function<bool(std::size_t)> hold_memory = [](std::size_t) { return true; };
    std::size_t max_body_bytes = 64 * 1024 * 1024;
    Synchronized<std::vector<ProxyResult>> results;
    Synchronized<std::vector<std::string>> causes;
    std::unique_ptr<LoopbackServer> server;
    std::thread thread;
};

}  // namespace integreat::net
