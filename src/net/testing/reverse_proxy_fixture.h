// SPDX-License-Identifier: Apache-2.0
// For tests: a bare session around relay(), on a thread of its own, between a client that the test plays and
// a scripted upstream. Time stands still until the test moves it.
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

class RelayTest : public testing::Test {
protected:
    using tcp_endpoint = tcp::endpoint;

    RelayTest() {
        upstream.tenant = TenantId{"campus"};
        upstream.name = "portal";
        upstream.host = "127.0.0.1";
        upstream.path_prefix = "/base";
        // As is each head below: one that means nothing to either side.
        response_headers.add("Integreat-Request-Id", "req_1");
    }

    ~RelayTest() override {
        auto stop = [this] {
            pools.stop();
            sweeper.stop();
            acceptor.close();
        };
        asio::post(context, stop);
        if (thread.joinable()) thread.join();
    }

    // From here on clients may come; `upstream` and the like stay as they are.
    void start(LoopbackServer::Script script) {
        server = std::make_unique<LoopbackServer>(std::move(script));
        start_towards(server->port());
    }
    void start_towards(std::uint16_t port) {
        upstream.port = port;
        upstream.key = "campus/portal http://127.0.0.1:" + std::to_string(port);
        described = std::make_shared<http::Upstream>(upstream);
        acceptor.listen();
        sweeper.start();
        pools.start();
        asio::co_spawn(context, accept(*this), asio::detached);
        thread = std::thread([this] { context.run(); });
    }

    int connect() { return Line::connect(acceptor.local_endpoint().port()); }
    // A whole conversation: sends, and reads until we are hung up on.
    std::string ask(std::string_view request) {
        Line client(connect());
        client.send(request);
        return client.read_all();
    }
    RelayEnd last_end() {
        for (;;) {
            if (auto all = ends.lock(); !all->empty()) return all->back();
            std::this_thread::yield();
        }
    }

    // Whenever the relay begins to wait, its time is over soon.
    RelayEnd end_when_time_passes() {
        while (ends.lock()->empty()) {
            clock.advance(std::chrono::seconds(61));
            std::this_thread::yield();
        }
        return last_end();
    }

    static Awaitable<void> accept(RelayTest& test) {
        for (;;) {
            error_code error;
            auto socket = co_await test.acceptor.async_accept(asio::redirect_error(use_awaitable, error));
            if (error) co_return;
            asio::co_spawn(test.context, converse(test, std::move(socket)), asio::detached);
        }
    }

    static Awaitable<bool> read_head(Stream& stream, Input& input, HeadParser& parser,
                                     http::Request& request) {
        parser.begin();
        while (input.unread().empty() ||
               parser.parse(input.unread(), request) == HeadParser::State::incomplete) {
            auto room = input.room(Input::idle_bytes);
            error_code error;
            auto size = co_await stream.read_some(room, error);
            if (error) co_return false;
            input.received(size);
        }
        input.consume(parser.length());
        co_return true;
    }

    static Awaitable<void> converse(RelayTest& test, Socket socket) {
        Stream stream(std::move(socket), test.sweeper);
        Input input;
        HeadParser parser{HeadLimits{}};
        RequestBody body(stream, input, std::chrono::seconds(5));
        for (bool open = true; open;) {
            http::Request request;
            request.peer = {"192.0.2.7", 1};
            stream.expire_never();
            if (!co_await read_head(stream, input, parser, request)) co_return;
            body.begin(parser.framing());
            http::Call call;
            call.response_headers = test.response_headers;
            call.deadline = test.deadline;
            http::Relay what{.upstream = test.described,
                             .target = request.target,
                             .headers = request.headers,
                             .body_bytes_max = test.body_bytes_max};
            Exchange exchange{.client = stream,
                              .body = body,
                              .request = request,
                              .call = call,
                              .http_1_0 = parser.framing().http_1_0,
                              .keep_alive = parser.framing().keep_alive,
                              .draining = test.draining,
                              .date = test.date,
                              .write_timeout = std::chrono::seconds(5)};
            auto end = co_await relay(exchange, what, test.pools);
            if (end.problem) {
                auto reply = http::to_reply(*end.problem, "req_1");
                std::string head;
                ResponseFraming framing{.content_length = reply.body.size(), .keep_alive = end.keep_alive};
                static_cast<void>(
                    append_response_head(head, reply.status, reply.headers, {}, framing, "now"));
                Buffers buffers{asio::buffer(head), asio::buffer(reply.body)};
                error_code error;
                co_await stream.write(buffers, error);
            }
            open = end.keep_alive;
            test.causes.lock()->push_back(call.cause);
            test.ends.lock()->push_back(std::move(end));
        }
        stream.finish_sending();
        char rest[4096];
        asio::mutable_buffer room(rest, sizeof rest);
        for (error_code error; !error;)
            co_await stream.read_some(room, error);
    }

    FixedClock clock;
    asio::io_context context;
    Sweeper sweeper{context, clock, std::chrono::milliseconds(2)};
    Upstreams upstreams;
    UpstreamPools pools{sweeper, upstreams, std::chrono::milliseconds(2)};
    Acceptor acceptor{context, tcp_endpoint(asio::ip::address_v4::loopback(), 0)};
    DateField date;
    http::Upstream upstream;
    std::shared_ptr<const http::Upstream> described;
    http::Headers response_headers;
    Monotonic deadline = Monotonic::max();
    const bool draining = false;
    std::size_t body_bytes_max = 64 * 1024 * 1024;
    Guarded<std::vector<RelayEnd>> ends;
    Guarded<std::vector<std::string>> causes;
    std::unique_ptr<LoopbackServer> server;
    std::thread thread;
};

}  // namespace integreat::net
