// SPDX-License-Identifier: Apache-2.0
#include "net/server/server.h"

#include <algorithm>
#include <csignal>
#include <thread>

#include <sys/resource.h>

#include "base/log.h"
#include "net/io/tls_certificates.h"
#include "net/server/blocking_pool.h"
#include "net/server/connection_limiter.h"
#include "net/server/io_thread.h"
#include "net/server/port_owner.h"

namespace integreat::net {

namespace {

// Raises the limit of open files, whose default is often 1,024: two descriptors per connection, for proxied
// requests, and some for files and databases.
void raise_descriptor_limit(int max_connections) {
    constexpr rlim_t others = 256;
    auto needed = 2 * static_cast<rlim_t>(max_connections) + others;
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed) return;
    limit.rlim_cur = std::min(needed, limit.rlim_max);
    bool raised = setrlimit(RLIMIT_NOFILE, &limit) == 0;
    if (raised && limit.rlim_cur >= static_cast<rlim_t>(max_connections) + others) return;
    log({.level = Level::warning,
         .message = "the limit of open files is too low for max_connections; raise it (ulimit -n)",
         .fields = {{"limit", std::to_string(limit.rlim_cur)}, {"needed", std::to_string(needed)}}});
}

// SO_REUSEPORT, which the I/O threads need, would let a second process share the port, and a forgotten one
// would keep answering a part of the requests. A bind without it fails if a process listens there.
Result<> check_port_is_free(const ServerSettings& settings) {
    if (settings.port == 0) return {};
    error_code error;
    auto address = asio::ip::make_address(settings.address, error);
    if (error) return {};  // Reported by IoThread::listen.
    tcp::endpoint endpoint(address, settings.port);
    asio::io_context io_context;
    boost::asio::basic_socket_acceptor<tcp> acceptor(io_context);
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (error != asio::error::address_in_use) return {};
    auto owner = find_port_owner(settings.port);
    auto name = owner ? owner->name + " (process " + std::to_string(owner->pid) + ")" : "another process";
    return Error{Fault::unavailable,
                 "cannot listen on " + settings.address + " port " + std::to_string(settings.port) + ": " +
                     name + " listens there; stop it, or choose another port",
                 ""};
}

}  // namespace

Server::Server(ServerSettings settings, const http::Application& application, UpstreamRegistry& upstreams,
               metrics::Registry& registry, const Clock& clock)
    : settings_(std::move(settings)),
      application_(application),
      upstreams_(upstreams),
      registry_(registry),
      clock_(clock) {}

Result<std::unique_ptr<Server>> Server::start(ServerSettings settings, const http::Application& application,
                                              UpstreamRegistry& upstreams, metrics::Registry& registry,
                                              const Clock& clock) {
    // Writing to a disconnected peer is an error of the write, not of the process; sendfile(2) has no
    // MSG_NOSIGNAL.
    std::signal(SIGPIPE, SIG_IGN);
    std::unique_ptr<Server> server(new Server(std::move(settings), application, upstreams, registry, clock));
    TRY(server->listen());
    for (auto& io_thread : server->io_threads_)
        io_thread->start();
    return server;
}

Result<> Server::listen() {
    trusted_proxies_ =
        std::make_unique<TrustedProxies>(TRY(TrustedProxies::parse(settings_.trusted_proxies)));
    if (!settings_.tls_certificate_file.empty()) {
        certificates_ = TRY(TlsCertificates::load(settings_.tls_certificate_file, settings_.tls_key_file));
    }
    raise_descriptor_limit(settings_.max_connections);
    metrics_ = std::make_unique<ServerMetrics>(server_metrics(registry_));
    connection_limiter_ =
        std::make_unique<ConnectionLimiter>(settings_.max_connections, settings_.max_connections_per_client);

    int threads = settings_.threads > 0 ? settings_.threads
                                        : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    std::vector<std::unique_ptr<IoThread>> io_threads;
    pool_ = std::make_unique<BlockingPool>(settings_.blocking_threads, settings_.max_blocking_queue_length,
                                           clock_, registry_);
    bodies_ = std::make_unique<Bulkhead>(limit_bytes(settings_.body_bytes_in_flight_max));
    responses_ = std::make_unique<Bulkhead>(limit_bytes(settings_.max_response_bytes_in_flight));
    ServerContext context{.settings = settings_,
                          .application = application_,
                          .clock = clock_,
                          .metrics = *metrics_,
                          .connection_limiter = *connection_limiter_,
                          .trusted_proxies = *trusted_proxies_,
                          .certificates = certificates_.get(),
                          .upstreams = upstreams_,
                          .pool = *pool_,
                          .bodies = *bodies_,
                          .responses = *responses_,
                          .io_threads_busy = io_threads_busy_,
                          .all_idle = all_idle_,
                          .threads = threads};
    port_ = settings_.port;
    TRY(check_port_is_free(settings_));
    for (int i = 0; i < threads; ++i) {
        auto io_thread = std::make_unique<IoThread>(context);
        port_ = TRY(io_thread->listen(port_));
        io_threads.push_back(std::move(io_thread));
    }
    *io_threads_busy_.lock() = threads;
    io_threads_ = std::move(io_threads);
    return {};
}

Server::~Server() {
    drain();
    if (pool_) pool_->stop();
    for (auto& io_thread : io_threads_)
        io_thread->join();
}

bool Server::wait_until_idle(std::chrono::milliseconds timeout) {
    auto busy = io_threads_busy_.lock();
    return all_idle_.wait_for(busy.lock(), timeout, [&] { return *busy == 0; });
}

bool Server::drain() {
    constexpr std::chrono::milliseconds abort_timeout{1'000};
    if (drained_) return *drained_;
    for (auto& io_thread : io_threads_)
        io_thread->drain();
    drained_ = wait_until_idle(settings_.drain_timeout);
    if (*drained_) return true;
    for (auto& io_thread : io_threads_)
        io_thread->abort();
    if (!wait_until_idle(abort_timeout)) {
        log({.level = Level::warning,
             .message = "requests are still running after the drain timeout",
             .fields = {{"drain_timeout_ms", std::to_string(settings_.drain_timeout.count())}}});
    }
    return false;
}

Result<> Server::reload_certificates() {
    if (!certificates_)
        return Error{Fault::invalid, "this server has no certificate: it serves plain HTTP", ""};
    return certificates_->reload();
}

}  // namespace integreat::net
