// SPDX-License-Identifier: Apache-2.0
#include "net/io/socket_stream.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <openssl/ssl.h>

namespace integreat::net {

struct SocketStream::Tls {
    Tls(Socket& socket, ssl_ctx_st* context) : stream(socket, SSL_new(context)) {}

    asio::ssl::stream<Socket&> stream;
};

SocketStream::SocketStream(DeadlineSweeper& sweeper)
    : SocketStream(Socket(sweeper.context().get_executor()), sweeper) {}

SocketStream::SocketStream(Socket socket, DeadlineSweeper& sweeper)
    : sweeper_(&sweeper), next_(sweeper.first_), socket_(std::move(socket)) {
    if (next_) next_->previous_ = this;
    sweeper.first_ = this;
    if (!socket_.is_open()) return;
    error_code ignored;  // A socket that rejects these options fails the first read as well.
    socket_.non_blocking(true, ignored);
    socket_.set_option(tcp::no_delay(true), ignored);
}

SocketStream::~SocketStream() {
    (previous_ ? previous_->next_ : sweeper_->first_) = next_;
    if (next_) next_->previous_ = previous_;
}

Awaitable<void> SocketStream::connect(tcp::endpoint endpoint, error_code& error) {
    co_await socket_.async_connect(endpoint, asio::redirect_error(use_awaitable, error));
    if (error) co_return;
    socket_.non_blocking(true, error);
    if (!error) socket_.set_option(tcp::no_delay(true), error);
}

Awaitable<void> SocketStream::accept_tls(ssl_ctx_st* context, error_code& error) {
    tls_ = std::make_unique<Tls>(socket_, context);
    return tls_->stream.async_handshake(asio::ssl::stream_base::server,
                                        asio::redirect_error(use_awaitable, error));
}

Awaitable<void> SocketStream::connect_tls(ssl_ctx_st* context, std::string host, error_code& error) {
    tls_ = std::make_unique<Tls>(socket_, context);
    auto* handle = tls_->stream.native_handle();
    error_code not_an_address;
    asio::ip::make_address(host, not_an_address);
    auto* verify_params = SSL_get0_param(handle);
    bool configured = not_an_address ? SSL_set_tlsext_host_name(handle, host.c_str()) == 1 &&
                                           SSL_set1_host(handle, host.c_str()) == 1
                                     : X509_VERIFY_PARAM_set1_ip_asc(verify_params, host.c_str()) == 1;
    if (!configured) {
        error = asio::error::invalid_argument;
        co_return;
    }
    SSL_set_verify(handle, SSL_VERIFY_PEER, nullptr);
    co_await tls_->stream.async_handshake(asio::ssl::stream_base::client,
                                          asio::redirect_error(use_awaitable, error));
}

Awaitable<void> SocketStream::finish_tls(error_code& error) {
    return tls_->stream.async_shutdown(asio::redirect_error(use_awaitable, error));
}

Awaitable<std::size_t> SocketStream::read_some(asio::mutable_buffer buffer, error_code& error) {
    if (tls_) return tls_->stream.async_read_some(buffer, asio::redirect_error(use_awaitable, error));
    return socket_.async_read_some(buffer, asio::redirect_error(use_awaitable, error));
}

std::size_t SocketStream::try_write(const Buffers& buffers, error_code& error) {
    error.clear();
    if (tls_) return 0;
    auto written = socket_.write_some(buffers, error);
    if (error == asio::error::would_block || error == asio::error::try_again) error.clear();
    return written;
}

Awaitable<void> SocketStream::write(Buffers buffers, error_code& error) {
    auto written = try_write(buffers, error);
    for (auto& buffer : buffers) {
        auto skipped = std::min(written, buffer.size());
        buffer += skipped;
        written -= skipped;
    }
    if (error || buffers[0].size() + buffers[1].size() == 0) co_return;
    if (tls_) {
        co_await asio::async_write(tls_->stream, buffers, asio::redirect_error(use_awaitable, error));
    } else {
        co_await asio::async_write(socket_, buffers, asio::redirect_error(use_awaitable, error));
    }
}

Awaitable<void> SocketStream::wait_writable(error_code& error) {
    return socket_.async_wait(Socket::wait_write, asio::redirect_error(use_awaitable, error));
}

bool SocketStream::readable() const {
    error_code error;
    return socket_.available(error) > 0 && !error;
}

void SocketStream::cancel() {
    error_code ignored;  // A closed socket has nothing to cancel.
    socket_.cancel(ignored);
}

void SocketStream::finish_sending() {
    error_code ignored;  // The peer may have disconnected first.
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
}

void SocketStream::close() {
    error_code ignored;  // The descriptor is released even if close() reports an error.
    socket_.close(ignored);
}

void SocketStream::reset() {
    error_code ignored;  // The peer may have disconnected first.
    socket_.set_option(asio::socket_base::linger(true, 0), ignored);
    socket_.close(ignored);
}

}  // namespace integreat::net
