// SPDX-License-Identifier: Apache-2.0
// A byte stream over plain TCP or TLS, used by sessions and by the reverse proxy. It is used on the thread of
// its sweeper only, with at most one read and one write in flight. Errors are returned as codes. An expired
// deadline ends operations with operation_aborted; expired() distinguishes this from other cancellations.
#pragma once

#include <array>
#include <memory>
#include <string>

#include <boost/asio/buffer.hpp>

#include "net/io/deadline_sweeper.h"

struct ssl_ctx_st;

namespace integreat::net {

using Buffers = std::array<asio::const_buffer, 2>;  // One gathering write; either buffer may be empty.

class SocketStream {
public:
    explicit SocketStream(DeadlineSweeper& sweeper);        // For an outgoing connection; call connect().
    SocketStream(Socket socket, DeadlineSweeper& sweeper);  // For an accepted connection.
    SocketStream(const SocketStream&) = delete;
    SocketStream& operator=(const SocketStream&) = delete;
    ~SocketStream();

    // Sets the time at which current and future operations are cancelled.
    void expire_at(Monotonic deadline) {
        deadline_ = deadline;
        expired_ = false;
    }
    void expire_never() { expire_at(Monotonic::max()); }
    bool expired() const { return expired_; }
    DeadlineSweeper& sweeper() const { return *sweeper_; }

    Awaitable<void> connect(tcp::endpoint endpoint, error_code& error);

    // Performs the TLS handshake as a server; afterwards reads and writes are encrypted.
    Awaitable<void> accept_tls(ssl_ctx_st* context, error_code& error);
    // Performs the TLS handshake as a client. `host` is sent as SNI unless it is an address, and the peer's
    // certificate must be valid for it.
    Awaitable<void> connect_tls(ssl_ctx_st* context, std::string host, error_code& error);

    // Sends close_notify and waits for the peer's, so that a truncation is distinguishable from a proper end.
    Awaitable<void> finish_tls(error_code& error);

    // Reads at least one byte, or sets an error (asio::error::eof at the end). Not a coroutine itself, so
    // that awaiting it costs no more than awaiting the socket.
    Awaitable<std::size_t> read_some(asio::mutable_buffer buffer, error_code& error);

    // Writes as much as the kernel accepts without blocking, in one gathering system call. Returns the number
    // of bytes written; always 0 for TLS.
    std::size_t try_write(const Buffers& buffers, error_code& error);
    // Writes all bytes, or sets an error.
    Awaitable<void> write(Buffers buffers, error_code& error);

    // Waits until socket() is writable, for callers that write to it directly (sendfile).
    Awaitable<void> wait_writable(error_code& error);

    void cancel();          // Ends current operations with operation_aborted.
    void finish_sending();  // Sends FIN; reading stays possible.
    void close();           // Closes the socket immediately; a peer that still sends gets a reset.
    void reset();           // Closes the socket with a TCP reset, so that the peer sees no proper end.
    bool open() const { return socket_.is_open(); }
    bool readable() const;  // Returns whether the kernel holds unread bytes.
    bool secure() const { return tls_ != nullptr; }
    Socket& socket() { return socket_; }

private:
    friend class DeadlineSweeper;
    struct Tls;

    DeadlineSweeper* sweeper_;
    SocketStream* previous_ = nullptr;
    SocketStream* next_ = nullptr;
    Monotonic deadline_ = Monotonic::max();
    bool expired_ = false;
    Socket socket_;
    std::unique_ptr<Tls> tls_;
};

}  // namespace integreat::net
