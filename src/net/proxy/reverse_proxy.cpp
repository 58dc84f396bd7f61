// SPDX-License-Identifier: Apache-2.0
#include "net/proxy/reverse_proxy.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>

#include "net/proxy/proxy_exchange.h"

namespace integreat::net {

namespace {

Awaitable<void> connect(ProxyExchange& exchange) {
    if (!exchange.create_connection()) co_return;
    auto& stream = exchange.connection->stream;
    const auto& upstream = *exchange.proxy_request.upstream;
    auto deadline = std::min(exchange.pools.now() + upstream.connect_timeout, exchange.context.call.deadline);
    error_code error;
    auto endpoints = co_await exchange.pools.resolve(exchange.pool, upstream, deadline, error);
    if (error) co_return exchange.on_connect_failure(error, "looking up its address");

    stream.expire_at(deadline);
    for (const auto& endpoint : endpoints) {
        if (stream.expired() || exchange.watch.disconnected()) break;
        stream.close();
        error.clear();
        co_await stream.connect(endpoint, error);
        if (!error) break;
    }
    if (exchange.watch.disconnected()) error = asio::error::operation_aborted;
    if (error) co_return exchange.on_connect_failure(error, "connecting");
    if (!upstream.secure) co_return;

    auto* context = exchange.pools.upstreams().tls_context();
    std::string host = upstream.host;
    if (context) {
        co_await stream.connect_tls(context, host, error);
    } else {
        error = asio::error::no_protocol_option;
    }
    if (error)
        exchange.on_connect_failure(error, context ? "TLS handshake" : "reading the trusted certificates");
}

// Sends the rest of the request body while the response may already be arriving. The upstream has its
// idle_timeout to read each chunk; while the next one is awaited, only the body's own deadlines apply.
Awaitable<void> pump_request(ProxyExchange& exchange) {
    auto& stream = exchange.connection->stream;
    auto& body = exchange.context.body;
    auto idle_timeout = exchange.proxy_request.upstream->idle_timeout;
    error_code error;
    while (!exchange.pump_stopping && !body.finished()) {
        stream.expire_never();
        auto chunk = co_await body.read();
        if (exchange.pump_stopping) co_return;
        if (chunk.problem) {
            exchange.body_problem = std::move(chunk.problem);
            // Cancelling is not enough: it would miss a read that has not started yet, and a connection on
            // which half a request was sent must never carry another.
            co_return stream.close();
        }
        auto buffers = exchange.frame_chunk(chunk);
        stream.expire_at(exchange.pools.now() + idle_timeout);
        co_await stream.write(buffers, error);
        if (error) co_return exchange.on_request_sent(error);
    }
    auto buffers = exchange.frame_body_end();
    co_await stream.write(buffers, error);
    exchange.on_request_sent(error);
}

// Runs `work` concurrently with this exchange, which must not end before it: see wait_for_pump.
void spawn_pump(ProxyExchange& exchange, Awaitable<void> work) {
    auto executor = exchange.pools.sweeper().context().get_executor();
    exchange.pump_running = true;
    exchange.pump_ended.emplace(executor);
    exchange.pump_ended->expires_at(Timer::time_point::max());
    asio::co_spawn(executor, std::move(work), [&exchange](std::exception_ptr failure) {
        exchange.pump_running = false;
        if (failure) exchange.connection->stream.close();
        exchange.pump_ended->cancel();
    });
}

Awaitable<void> wait_for_pump(ProxyExchange& exchange) {
    error_code cancelled;
    while (exchange.pump_running) {
        co_await exchange.pump_ended->async_wait(asio::redirect_error(use_awaitable, cancelled));
    }
}

Awaitable<void> stop_pump(ProxyExchange& exchange) {
    exchange.pump_stopping = true;
    exchange.context.client.cancel();
    exchange.connection->stream.close();
    co_await wait_for_pump(exchange);
}

Awaitable<void> send_rest_of_request(ProxyExchange& exchange) {
    auto buffers = exchange.unsent();
    error_code error;
    exchange.connection->stream.expire_at(exchange.pools.now() +
                                          exchange.proxy_request.upstream->idle_timeout);
    co_await exchange.connection->stream.write(buffers, error);
    exchange.on_request_sent(error);
    if (!error && exchange.has_more_body()) spawn_pump(exchange, pump_request(exchange));
}

Awaitable<void> send_rest_to_client(ProxyExchange& exchange, Buffers buffers, std::size_t sent) {
    auto& client = exchange.context.client;
    for (auto& buffer : buffers) {
        auto skipped = std::min(sent, buffer.size());
        buffer += skipped;
        sent -= skipped;
    }
    if (!exchange.context.hold_memory(ReadBuffer::streaming_bytes)) co_return exchange.abort();
    auto& rate = exchange.context.rate;
    auto began = exchange.pools.now();
    client.expire_at(rate.deadline(began));
    error_code error;
    co_await client.write(buffers, error);
    rate.add_wait(exchange.pools.now() - began);
    if (error) exchange.abort();
}

// Returns true if all bytes were written without blocking, or if writing failed.
bool send_to_client(ProxyExchange& exchange, const Buffers& buffers, std::size_t& sent) {
    auto size = buffers[0].size() + buffers[1].size();
    error_code error;
    sent = size == 0 ? 0 : exchange.context.client.try_write(buffers, error);
    exchange.context.rate.add(size);
    if (error) exchange.abort();
    return error || sent == size;
}

Awaitable<void> stream_response(ProxyExchange& exchange) {
    auto& stream = exchange.connection->stream;
    auto idle_timeout = exchange.proxy_request.upstream->idle_timeout;
    while (exchange.is_streaming()) {
        if (exchange.watch.disconnected()) co_return exchange.abort();
        auto buffer = exchange.prepare_body_read();
        stream.expire_at(exchange.pools.now() + idle_timeout);
        error_code error;
        auto size = co_await stream.read_some(buffer, error);
        auto buffers = exchange.on_body_read(size, error);
        std::size_t sent = 0;
        if (!send_to_client(exchange, buffers, sent)) co_await send_rest_to_client(exchange, buffers, sent);
    }
}

// One direction of a tunnel.
struct TunnelDirection {
    SocketStream* from;
    SocketStream* to;
    asio::mutable_buffer buffer;
    std::string_view initial;  // Bytes that were already read.
    std::uint64_t* bytes;
};

// Copies bytes until `from` ends, and passes the end on to `to`; the other direction may continue. An error
// ends both directions.
Awaitable<void> copy_direction(ProxyExchange& exchange, TunnelDirection direction) {
    auto idle_timeout = exchange.proxy_request.upstream->idle_timeout;
    auto extend_deadlines = [&] {
        auto deadline = exchange.pools.now() + idle_timeout;
        direction.from->expire_at(deadline);
        direction.to->expire_at(deadline);
    };
    error_code error;
    Buffers buffers{asio::buffer(direction.initial), {}};
    for (;;) {
        extend_deadlines();
        if (buffers[0].size() > 0) co_await direction.to->write(buffers, error);
        if (error) break;
        *direction.bytes += buffers[0].size();
        extend_deadlines();
        auto size = co_await direction.from->read_some(direction.buffer, error);
        if (error) break;
        buffers[0] = asio::buffer(direction.buffer, size);
    }
    if (error == asio::error::eof) co_return direction.to->finish_sending();
    exchange.abort();
    direction.from->close();
    direction.to->close();
}

// Copies the bytes of the upgraded protocol in both directions after a 101 response.
Awaitable<void> tunnel(ProxyExchange& exchange) {
    exchange.watch.set_tunnel();
    auto& outcome = exchange.result.outcome;
    auto& read_buffer = exchange.context.body.read_buffer();
    std::string early(read_buffer.unread());
    read_buffer.consume(early.size());
    std::vector<char> buffer(ProxyBuffers::in_bytes);
    TunnelDirection up{&exchange.context.client, &exchange.connection->stream, asio::buffer(buffer), early,
                       &outcome.request_body_bytes};
    TunnelDirection down{&exchange.connection->stream,
                         &exchange.context.client,
                         exchange.prepare_body_read(),
                         {},
                         &outcome.response_body_bytes};
    spawn_pump(exchange, copy_direction(exchange, up));
    co_await copy_direction(exchange, down);
    co_await wait_for_pump(exchange);
}

}  // namespace

Awaitable<ProxyResult> forward_request(ProxyContext& context, const http::ProxyRequest& proxy_request,
                                       UpstreamPools& pools) {
    ProxyExchange exchange(context, proxy_request, pools);
    if (exchange.begin() && !context.body.finished()) {
        auto chunk = co_await context.body.read();
        exchange.set_first_chunk(std::move(chunk));
    }
    while (exchange.awaits_head()) {
        if (!exchange.reuse_connection()) co_await connect(exchange);
        if (!exchange.failed() && !exchange.send_request()) co_await send_rest_of_request(exchange);
        while (exchange.awaits_head()) {
            auto buffer = exchange.prepare_read();
            error_code error;
            auto size = co_await exchange.connection->stream.read_some(buffer, error);
            exchange.on_read(size, error);
        }
        if (!exchange.retry()) break;
    }
    if (exchange.failed()) {
        exchange.reject();
    } else {
        auto buffers = exchange.begin_response();
        std::size_t sent = 0;
        if (!send_to_client(exchange, buffers, sent)) co_await send_rest_to_client(exchange, buffers, sent);
        if (exchange.is_upgraded()) {
            co_await tunnel(exchange);
        } else if (exchange.is_streaming()) {
            co_await stream_response(exchange);
        }
    }
    if (exchange.pump_running) co_await stop_pump(exchange);
    if (!exchange.failed()) exchange.finish();
    co_return std::move(exchange.result);
}

}  // namespace integreat::net
