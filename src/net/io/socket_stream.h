// SPDX-License-Identifier: Apache-2.0
// A connection's bytes, plain TCP or TLS behind the same functions: what sessions and relays read and write.
// Used on the thread of its sweeper only; at most one read and one write are under way at a time. Errors
// come as codes. A deadline that passes ends operations with operation_aborted; ask expired() for the reason.
#pragma once

#include <array>
#include <memory>
#include <string>

#include <boost/asio/buffer.hpp>

#include "net/io/deadline_sweeper.h"

struct ssl_ctx_st;

namespace integreat::net {

using Buffers = std::array<asio::const_buffer, 2>;  // Written as one; either may be empty.

class Stream {
public:
    explicit Stream(Sweeper& sweeper);        // To be connected.
    Stream(Socket socket, Sweeper& sweeper);  // Accepted.
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    ~Stream();

    // When operations under way, or begun from now on, are cancelled.
    void expire_at(Monotonic deadline) {
        deadline_ = deadline;
        expired_ = false;
    }
    void expire_never() { expire_at(Monotonic::max()); }
    bool expired() const { return expired_; }
    Sweeper& sweeper() const { return *sweeper_; }

    Awaitable<void> connect(tcp::endpoint endpoint, error_code& error);

    // From here on the bytes are those inside TLS.
    Awaitable<void> accept_tls(ssl_ctx_st* context, error_code& error);
    // `host` is sent as SNI unless it is an address, and the peer's certificate must be for it.
    Awaitable<void> connect_tls(ssl_ctx_st* context, std::string host, error_code& error);

    // Says goodbye inside TLS (close_notify) and waits for the peer's, so that a cut can be told from an end.
    Awaitable<void> finish_tls(error_code& error);

    // At least one byte, or an error (asio::error::eof at the end). Not a coroutine itself: awaiting it costs
    // no more than awaiting the socket.
    Awaitable<std::size_t> read_some(asio::mutable_buffer buffer, error_code& error);

    // What the kernel takes without waiting, as one gathering system call; 0 if it takes nothing now.
    // Always 0 for TLS.
    std::size_t try_write(const Buffers& buffers, error_code& error);
    // Everything, or an error.
    Awaitable<void> write(Buffers buffers, error_code& error);

    // The kernel takes bytes again, for those who write to socket() themselves.
    Awaitable<void> wait_writable(error_code& error);

    void cancel();          // Operations under way end with operation_aborted.
    void finish_sending();  // The peer reads the end of the stream; we still read.
    void close();           // At once; a peer that still sends gets a reset.
    void reset();           // At once, and so that the peer cannot take it for a proper end.
    bool open() const { return socket_.is_open(); }
    bool readable() const;  // The kernel holds bytes that were not read.
    bool secure() const { return tls_ != nullptr; }
    Socket& socket() { return socket_; }

private:
    friend class Sweeper;
    struct Tls;

    Sweeper* sweeper_;
    Stream* previous_ = nullptr;
    Stream* next_ = nullptr;
    Monotonic deadline_ = Monotonic::max();
    bool expired_ = false;
    Socket socket_;
    std::unique_ptr<Tls> tls_;
};

}  // namespace integreat::net
