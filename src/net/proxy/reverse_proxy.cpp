// SPDX-License-Identifier: Apache-2.0
#include "net/proxy/reverse_proxy.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>

#include "net/proxy/proxy_exchange.h"

namespace integreat::net {

namespace {

Awaitable<void> connect(Relaying& relaying) {
    if (!relaying.make_connection()) co_return;
    auto& stream = relaying.link->stream;
    const auto& upstream = *relaying.what.upstream;
    auto deadline =
        std::min(relaying.pools.now() + upstream.connect_timeout, relaying.exchange.call.deadline);
    error_code error;
    auto endpoints = co_await relaying.pools.resolve(relaying.pool, upstream, deadline, error);
    if (error) co_return relaying.connect_failed(error, "looking up its address");

    stream.expire_at(deadline);
    for (const auto& endpoint : endpoints) {
        if (stream.expired() || relaying.watch.gone()) break;
        stream.close();
        error.clear();
        co_await stream.connect(endpoint, error);
        if (!error) break;
    }
    if (relaying.watch.gone()) error = asio::error::operation_aborted;
    if (error) co_return relaying.connect_failed(error, "connecting");
    if (!upstream.secure) co_return;

    auto* context = relaying.pools.upstreams().tls_context();
    std::string host = upstream.host;
    if (context) {
        co_await stream.connect_tls(context, host, error);
    } else {
        error = asio::error::no_protocol_option;
    }
    if (error) relaying.connect_failed(error, context ? "TLS handshake" : "reading the trusted certificates");
}

// Sends what of the body is still to come, while the answer may be on its way already.
Awaitable<void> pump_request(Relaying& relaying) {
    auto& stream = relaying.link->stream;
    auto& body = relaying.exchange.body;
    auto patience = relaying.what.upstream->idle_timeout;
    error_code error;
    while (!relaying.pump_stop && !body.finished()) {
        auto piece = co_await body.read();
        if (relaying.pump_stop) co_return;
        if (piece.problem) {
            relaying.body_problem = std::move(piece.problem);
            // Not just cancelled: that would miss a read that the relay has yet to begin, and a connection
            // on which half a request was sent must never carry another.
            co_return stream.close();
        }
        auto buffers = relaying.frame_piece(piece);
        stream.expire_at(relaying.pools.now() + patience);
        co_await stream.write(buffers, error);
        if (error) co_return relaying.request_sent(error);
    }
    auto buffers = relaying.end_of_body();
    co_await stream.write(buffers, error);
    relaying.request_sent(error);
}

// Lets `work` run beside this relay, which must not end before it: see wait_beside.
void spawn_beside(Relaying& relaying, Awaitable<void> work) {
    auto executor = relaying.pools.sweeper().context().get_executor();
    relaying.pump_running = true;
    relaying.pump_ended.emplace(executor);
    relaying.pump_ended->expires_at(Timer::time_point::max());
    asio::co_spawn(executor, std::move(work), [&relaying](std::exception_ptr failure) {
        relaying.pump_running = false;
        if (failure) relaying.link->stream.close();
        relaying.pump_ended->cancel();
    });
}

Awaitable<void> wait_beside(Relaying& relaying) {
    error_code cancelled;
    while (relaying.pump_running) {
        co_await relaying.pump_ended->async_wait(asio::redirect_error(use_awaitable, cancelled));
    }
}

Awaitable<void> stop_pump(Relaying& relaying) {
    relaying.pump_stop = true;
    relaying.exchange.client.cancel();
    relaying.link->stream.close();
    co_await wait_beside(relaying);
}

Awaitable<void> send_rest_of_request(Relaying& relaying) {
    auto buffers = relaying.unsent();
    error_code error;
    relaying.link->stream.expire_at(relaying.pools.now() + relaying.what.upstream->idle_timeout);
    co_await relaying.link->stream.write(buffers, error);
    relaying.request_sent(error);
    if (!error && relaying.more_body()) spawn_beside(relaying, pump_request(relaying));
}

Awaitable<void> send_rest_to_client(Relaying& relaying, Buffers buffers, std::size_t sent) {
    auto& client = relaying.exchange.client;
    for (auto& buffer : buffers) {
        auto skipped = std::min(sent, buffer.size());
        buffer += skipped;
        sent -= skipped;
    }
    client.expire_at(relaying.pools.now() + relaying.exchange.write_timeout);
    error_code error;
    co_await client.write(buffers, error);
    if (error) relaying.break_off();
}

// True if all of it could be written at once, or nothing more can be.
bool send_to_client(Relaying& relaying, const Buffers& buffers, std::size_t& sent) {
    auto size = buffers[0].size() + buffers[1].size();
    error_code error;
    sent = size == 0 ? 0 : relaying.exchange.client.try_write(buffers, error);
    if (error) relaying.break_off();
    return error || sent == size;
}

Awaitable<void> stream_answer(Relaying& relaying) {
    auto& stream = relaying.link->stream;
    auto patience = relaying.what.upstream->idle_timeout;
    while (relaying.streaming()) {
        if (relaying.watch.gone()) co_return relaying.break_off();
        auto room = relaying.whole_room();
        stream.expire_at(relaying.pools.now() + patience);
        error_code error;
        auto size = co_await stream.read_some(room, error);
        auto buffers = relaying.part(size, error);
        std::size_t sent = 0;
        if (!send_to_client(relaying, buffers, sent)) co_await send_rest_to_client(relaying, buffers, sent);
    }
}

// One way through a tunnel.
struct Way {
    Stream* from;
    Stream* to;
    asio::mutable_buffer room;
    std::string_view first;  // Read already.
    std::uint64_t* bytes;
};

// Until `from` ends, which `to` is told; the other way may go on. An error ends both.
Awaitable<void> carry(Relaying& relaying, Way way) {
    auto patience = relaying.what.upstream->idle_timeout;
    auto touch = [&] {
        auto deadline = relaying.pools.now() + patience;
        way.from->expire_at(deadline);
        way.to->expire_at(deadline);
    };
    error_code error;
    Buffers buffers{asio::buffer(way.first), {}};
    for (;;) {
        touch();
        if (buffers[0].size() > 0) co_await way.to->write(buffers, error);
        if (error) break;
        *way.bytes += buffers[0].size();
        touch();
        auto size = co_await way.from->read_some(way.room, error);
        if (error) break;
        buffers[0] = asio::buffer(way.room, size);
    }
    if (error == asio::error::eof) co_return way.to->finish_sending();
    relaying.break_off();
    way.from->close();
    way.to->close();
}

// The bytes of the other protocol, both ways, after 101.
Awaitable<void> tunnel(Relaying& relaying) {
    relaying.watch.tunnel();
    auto& outcome = relaying.end.outcome;
    auto& input = relaying.exchange.body.input();
    std::string early(input.unread());
    input.consume(early.size());
    std::vector<char> room(RelayBuffers::in_bytes);
    Way up{&relaying.exchange.client, &relaying.link->stream, asio::buffer(room), early,
           &outcome.request_body_bytes};
    Way down{&relaying.link->stream,
             &relaying.exchange.client,
             relaying.whole_room(),
             {},
             &outcome.response_body_bytes};
    spawn_beside(relaying, carry(relaying, up));
    co_await carry(relaying, down);
    co_await wait_beside(relaying);
}

}  // namespace

Awaitable<RelayEnd> relay(Exchange& exchange, const http::Relay& what, UpstreamPools& pools) {
    Relaying relaying(exchange, what, pools);
    if (relaying.begin() && !exchange.body.finished()) {
        auto piece = co_await exchange.body.read();
        relaying.first_piece(std::move(piece));
    }
    while (relaying.wants_head()) {
        if (!relaying.take_connection()) co_await connect(relaying);
        if (!relaying.failed() && !relaying.send_request()) co_await send_rest_of_request(relaying);
        while (relaying.wants_head()) {
            auto room = relaying.room();
            error_code error;
            auto size = co_await relaying.link->stream.read_some(room, error);
            relaying.received(size, error);
        }
        if (!relaying.try_again()) break;
    }
    if (relaying.failed()) {
        relaying.refuse();
    } else {
        auto buffers = relaying.answer();
        std::size_t sent = 0;
        if (!send_to_client(relaying, buffers, sent)) co_await send_rest_to_client(relaying, buffers, sent);
        if (relaying.upgraded()) {
            co_await tunnel(relaying);
        } else if (relaying.streaming()) {
            co_await stream_answer(relaying);
        }
    }
    if (relaying.pump_running) co_await stop_pump(relaying);
    if (!relaying.failed()) relaying.finish();
    co_return std::move(relaying.end);
}

}  // namespace integreat::net
