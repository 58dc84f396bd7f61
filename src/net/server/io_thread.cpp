// SPDX-License-Identifier: Apache-2.0
#include "net/server/io_thread.h"

#include <exception>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <sys/socket.h>

#include "base/log.h"
#include "http/message/problem.h"
#include "net/server/session.h"

namespace integreat::net {

namespace {

// After a failed accept (no descriptors left): others may be closed meanwhile.
constexpr std::chrono::milliseconds accept_pause{50};

using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

// Memory ran out, most likely: the session is gone, the others live on.
void report(const std::exception_ptr& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (const std::exception& exception) {
        log({.level = Level::error,
             .message = "a connection ended in an exception",
             .fields = {{"cause", exception.what()}}});
    }
}

}  // namespace

// The hint: all input and output of this context is on one thread, so its descriptors need no locks.
Worker::Worker(const ServerParts& server)
    : parts(server),
      context(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO),
      sweeper(context, server.clock, server.settings.sweep_tick),
      upstreams(sweeper, server.upstreams),
      acceptor_(context.get_executor()),
      accept_pause_(context.get_executor()) {}

Worker::~Worker() {
    ASSERT(!thread_.joinable());
}

Result<std::uint16_t> Worker::listen(std::uint16_t port) {
    const auto& settings = parts.settings;
    error_code error;
    auto address = asio::ip::make_address(settings.address, error);
    if (error)
        return Error{Fault::invalid, "\"" + settings.address + "\" is not an IP address to listen on", ""};
    tcp::endpoint endpoint(address, port);
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.set_option(ReusePort(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(settings.backlog, error);
    if (!error) endpoint = acceptor_.local_endpoint(error);
    if (error) {
        return Error{
            Fault::unavailable,
            "cannot listen on " + settings.address + " port " + std::to_string(port) + ": " + error.message(),
            ""};
    }
    return endpoint.port();
}

void Worker::start() {
    accepting_ = true;
    sweeper.start([this] { tick(); });
    upstreams.start();
    if (parts.application.make_lane) {
        lane_ = parts.application.make_lane();
        lane_watch_.emplace(context.get_executor(), lane_.descriptor);
        watch_lane();
    }
    asio::co_spawn(context, accept(*this), [](std::exception_ptr failure) {
        if (failure) std::rethrow_exception(failure);
    });
    thread_ = std::thread([this] { context.run(); });
}

Awaitable<void> Worker::accept(Worker& worker) {
    while (!worker.draining) {
        tcp::endpoint peer;
        error_code error;
        auto socket =
            co_await worker.acceptor_.async_accept(peer, asio::redirect_error(use_awaitable, error));
        if (!error) {
            worker.admit(std::move(socket), peer);
        } else if (!worker.draining && error != asio::error::connection_aborted) {
            worker.parts.metrics.accepts_failed.add();
            worker.accept_pause_.expires_after(accept_pause);
            co_await worker.accept_pause_.async_wait(asio::redirect_error(use_awaitable, error));
        }
    }
    worker.accepting_ = false;
    worker.report_quiet();
}

void Worker::admit(Socket socket, const tcp::endpoint& peer) {
    auto address = without_mapping(peer.address());
    auto entry = parts.clients.enter(address, parts.proxies.trusts(address));
    if (entry != Clients::Entry::admitted) {
        bool server_full = entry == Clients::Entry::server_full;
        (server_full ? parts.metrics.refused_server_full : parts.metrics.refused_client_full).add();
        refuse(std::move(socket));
        return;
    }
    parts.metrics.connections_accepted.add();
    auto session = std::make_unique<Session>(*this, std::move(socket), peer);
    asio::co_spawn(context, Session::run(std::move(session)), [](std::exception_ptr failure) {
        if (failure) report(failure);
    });
}

// One write that may fail, then the end: overload must not cost us more. Inside TLS there is no place for it.
void Worker::refuse(Socket socket) {
    if (parts.certificates) return;
    auto reply = http::to_reply({.status = 503,
                                 .type = "overloaded",
                                 .title = "Too much is going on here",
                                 .detail = "Too many connections are open; try again later.",
                                 .retry_after = std::chrono::seconds(1)},
                                "");
    std::string bytes;
    ResponseFraming framing{.content_length = reply.body.size(), .keep_alive = false};
    ASSERT(append_response_head(bytes, reply.status, reply.headers, {}, framing,
                                date.at(parts.clock.now())) == 0);
    bytes += reply.body;
    error_code ignored;  // Whoever does not read it learns as much from the end of the connection.
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(bytes), ignored);
    socket.shutdown(tcp::socket::shutdown_send, ignored);
}

void Worker::entered(Session& session) {
    session.next_ = first_;
    if (first_) first_->previous_ = &session;
    first_ = &session;
    parts.metrics.connections_open.add(1);
}

void Worker::left(Session& session) {
    (session.previous_ ? session.previous_->next_ : first_) = session.next_;
    if (session.next_) session.next_->previous_ = session.previous_;
    parts.metrics.connections_open.add(-1);
    report_quiet();
}

bool Worker::reserve_body(std::size_t bytes) {
    auto share = parts.settings.body_bytes_in_flight_max / static_cast<std::size_t>(parts.threads);
    if (body_bytes_in_flight + bytes > share) return false;
    body_bytes_in_flight += bytes;
    return true;
}

void Worker::watch_lane() {
    lane_watch_->async_wait(asio::posix::descriptor_base::wait_read, [this](const error_code& error) {
        if (error) return;
        lane_.advance();
        watch_lane();
    });
}

void Worker::tick() {
    if (lane_watch_) lane_.expire();
    parts.metrics.bytes_in.add(std::exchange(bytes_in, 0));
    parts.metrics.bytes_out.add(std::exchange(bytes_out, 0));
}

// Draining, and the last connection is gone.
void Worker::report_quiet() {
    if (!draining || accepting_ || first_ || std::exchange(reported_quiet_, true)) return;
    --*parts.workers_busy.lock();
    parts.quiet.notify_all();
}

void Worker::drain() {
    asio::post(context, [this] {
        if (std::exchange(draining, true)) return;
        accept_waiting();
        acceptor_.close();
        accept_pause_.cancel();
        for (auto* session = first_; session; session = session->next_)
            session->drain();
        report_quiet();
    });
}

// Connections the kernel has taken on our behalf, with a request in them: the client believes it is on its
// way.
void Worker::accept_waiting() {
    error_code error;
    acceptor_.non_blocking(true, error);
    while (!error) {
        tcp::endpoint peer;
        Socket socket(context.get_executor());
        acceptor_.accept(socket, peer, error);
        if (!error && socket.available(error) > 0 && !error) admit(std::move(socket), peer);
    }
}

void Worker::abort() {
    asio::post(context, [this] {
        upstreams.stop();
        sweeper.close_all();
        if (lane_watch_) lane_.abandon();
    });
}

void Worker::join() {
    if (!thread_.joinable()) return;
    context.stop();
    thread_.join();
    // Sessions are coroutines that end by themselves once their streams are closed.
    upstreams.stop();
    while (first_) {
        sweeper.close_all();
        if (lane_watch_) lane_.abandon();
        context.restart();
        context.run_for(std::chrono::milliseconds(50));
    }
    tick();
    if (lane_watch_) lane_watch_->release();  // It is the lane's to close.
}

}  // namespace integreat::net
