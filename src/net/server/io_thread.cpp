// SPDX-License-Identifier: Apache-2.0
#include "net/server/io_thread.h"

#include <exception>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <sys/socket.h>

#include "base/log.h"
#include "http/message/problem.h"
#include "net/server/pending_wait.h"
#include "net/server/session.h"

namespace integreat::net {

namespace {

// Pause after a failed accept (no descriptors left), during which other connections may be closed.
constexpr std::chrono::milliseconds accept_pause{50};

using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

// Logs an exception that ended a session, most likely std::bad_alloc; the other sessions continue.
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

// The concurrency hint says that all I/O of this context is on one thread, so its descriptors need no locks.
IoThread::IoThread(const ServerContext& server_context)
    : server(server_context),
      io_context(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO),
      sweeper(io_context, server_context.clock, server_context.settings.sweep_tick),
      upstreams(sweeper, server_context.upstreams),
      acceptor_(io_context.get_executor()),
      accept_pause_(io_context.get_executor()) {}

IoThread::~IoThread() {
    ASSERT(!thread_.joinable());
}

Result<std::uint16_t> IoThread::listen(std::uint16_t port) {
    const auto& settings = server.settings;
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

void IoThread::start() {
    accepting_ = true;
    sweeper.start([this] { tick(); });
    upstreams.start();
    if (server.application.make_completion_source) {
        completions_ = server.application.make_completion_source();
        completions_watch_.emplace(io_context.get_executor(), completions_.descriptor);
        watch_completions();
    }
    asio::co_spawn(io_context, accept(*this), [](std::exception_ptr failure) {
        if (failure) std::rethrow_exception(failure);
    });
    thread_ = std::thread([this] { io_context.run(); });
}

Awaitable<void> IoThread::accept(IoThread& io_thread) {
    while (!io_thread.draining) {
        tcp::endpoint peer;
        error_code error;
        auto socket =
            co_await io_thread.acceptor_.async_accept(peer, asio::redirect_error(use_awaitable, error));
        if (!error) {
            io_thread.accept_connection(std::move(socket), peer);
        } else if (!io_thread.draining && error != asio::error::connection_aborted) {
            io_thread.server.metrics.accepts_failed.add();
            io_thread.accept_pause_.expires_after(accept_pause);
            co_await io_thread.accept_pause_.async_wait(asio::redirect_error(use_awaitable, error));
        }
    }
    io_thread.accepting_ = false;
    io_thread.report_idle();
}

void IoThread::accept_connection(Socket socket, const tcp::endpoint& peer) {
    auto address = unmap_v4(peer.address());
    auto decision = server.connection_limiter.acquire(address, server.trusted_proxies.trusts(address));
    if (decision != ConnectionLimiter::Decision::admitted) {
        bool server_full = decision == ConnectionLimiter::Decision::server_full;
        (server_full ? server.metrics.refused_server_full : server.metrics.refused_client_full).add();
        reject(std::move(socket));
        return;
    }
    server.metrics.connections_accepted.add();
    auto session = std::make_unique<Session>(*this, std::move(socket), peer);
    asio::co_spawn(io_context, Session::run(std::move(session)), [](std::exception_ptr failure) {
        if (failure) report(failure);
    });
}

// Sends a 503 with a single write that may fail, and closes the connection: rejecting a connection must be
// cheap. A TLS connection is closed without a response, since that would need a handshake.
void IoThread::reject(Socket socket) {
    if (server.certificates) return;
    auto response = http::to_response(
        http::problem(http::ProblemType::overloaded, "Too many connections are open. Try again later.",
                      std::chrono::seconds(1)),
        "", server.settings.problem_base_url);
    std::string bytes;
    ResponseFraming framing{.content_length = response.bytes().size(), .keep_alive = false};
    ASSERT(append_response_head(bytes, response.status, response.headers, {}, framing,
                                date.at(server.clock.now())) == 0);
    bytes += response.bytes();
    error_code ignored;  // A client that does not read the response sees the end of the connection.
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(bytes), ignored);
    socket.shutdown(tcp::socket::shutdown_send, ignored);
}

void IoThread::add_session(Session& session) {
    session.next_ = first_;
    if (first_) first_->previous_ = &session;
    first_ = &session;
    server.metrics.connections_open.add(1);
}

void IoThread::remove_session(Session& session) {
    (session.previous_ ? session.previous_->next_ : first_) = session.next_;
    if (session.next_) session.next_->previous_ = session.previous_;
    server.metrics.connections_open.add(-1);
    report_idle();
}

Session* IoThread::find_slowest_reader(const TenantId& tenant, std::uint64_t caller) {
    Session* slowest = nullptr;
    double slowest_rate = 0;
    for (auto* session = first_; session; session = session->next_) {
        auto rate = session->reading_rate(tenant, caller);
        if (!rate || (slowest && *rate >= slowest_rate)) continue;
        slowest = session;
        slowest_rate = *rate;
    }
    return slowest;
}

void IoThread::add_wait(PendingWait& wait) {
    wait.previous_ = nullptr;
    wait.next_ = first_wait_;
    if (first_wait_) first_wait_->previous_ = &wait;
    first_wait_ = &wait;
}

void IoThread::remove_wait(PendingWait& wait) {
    (wait.previous_ ? wait.previous_->next_ : first_wait_) = wait.next_;
    if (wait.next_) wait.next_->previous_ = wait.previous_;
}

bool IoThread::attach_completions(http::RequestContext& context) const {
    if (!completions_watch_) return false;
    completions_.attach(context);
    return true;
}

void IoThread::detach_completions(http::RequestContext& context) const {
    completions_.detach(context);
}

void IoThread::watch_completions() {
    completions_watch_->async_wait(asio::posix::descriptor_base::wait_read, [this](const error_code& error) {
        if (error) return;
        run_completions(completions_.advance);
        watch_completions();
    });
}

void IoThread::run_completions(const std::function<void()>& run) const {
    completing_ = this;
    run();
    completing_ = nullptr;
}

void IoThread::tick() {
    if (completions_watch_) run_completions(completions_.expire);
    // A session that continues may begin another wait, at the front of the list, but ends no other session.
    for (auto* wait = first_wait_; wait;) {
        auto* suspended = std::exchange(wait, wait->next_);
        suspended->tick();
    }
    server.metrics.bytes_in.add(std::exchange(bytes_in, 0));
    server.metrics.bytes_out.add(std::exchange(bytes_out, 0));
}

// Reports this thread as idle if it is draining and has no connection left.
void IoThread::report_idle() {
    if (!draining || accepting_ || first_ || std::exchange(reported_idle_, true)) return;
    --*server.io_threads_busy.lock();
    server.all_idle.notify_all();
}

void IoThread::drain() {
    asio::post(io_context, [this] {
        if (std::exchange(draining, true)) return;
        accept_backlog();
        acceptor_.close();
        accept_pause_.cancel();
        for (auto* session = first_; session;) {
            auto* current = std::exchange(session, session->next_);  // May end.
            current->drain();
        }
        report_idle();
    });
}

// Accepts the connections in the listen backlog that already carry a request, since the client has sent it
// successfully.
void IoThread::accept_backlog() {
    error_code error;
    acceptor_.non_blocking(true, error);
    while (!error) {
        tcp::endpoint peer;
        Socket socket(io_context.get_executor());
        acceptor_.accept(socket, peer, error);
        if (!error && socket.available(error) > 0 && !error) accept_connection(std::move(socket), peer);
    }
}

void IoThread::abort() {
    asio::post(io_context, [this] {
        upstreams.stop();
        sweeper.close_all();
        if (completions_watch_) run_completions(completions_.abandon);
    });
}

void IoThread::join() {
    if (!thread_.joinable()) return;
    io_context.stop();
    thread_.join();
    // Sessions are coroutines that end once their streams are closed.
    upstreams.stop();
    while (first_) {
        sweeper.close_all();
        if (completions_watch_) completions_.abandon();
        io_context.restart();
        io_context.run_for(std::chrono::milliseconds(50));
    }
    tick();
    if (completions_watch_)
        completions_watch_->release();  // The descriptor is owned by the completion source.
}

}  // namespace integreat::net
