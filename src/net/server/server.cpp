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

namespace integreat::net {

namespace {

// Sockets are descriptors, of which a process often gets no more than 1,024 unless it asks. We ask for two
// per connection, for relays, and some for files and databases.
void raise_descriptor_limit(int connections_max) {
    constexpr rlim_t others = 256;
    auto wanted = 2 * static_cast<rlim_t>(connections_max) + others;
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
    limit.rlim_cur = std::min(wanted, limit.rlim_max);
    bool raised = setrlimit(RLIMIT_NOFILE, &limit) == 0;
    if (raised && limit.rlim_cur >= static_cast<rlim_t>(connections_max) + others) return;
    log({.level = Level::warning,
         .message =
             "fewer connections than connections_max are possible: raise the limit of open files (ulimit -n)",
         .fields = {{"limit", std::to_string(limit.rlim_cur)}, {"wanted", std::to_string(wanted)}}});
}

}  // namespace

Server::Server(ServerSettings settings, const http::Application& application, Upstreams& upstreams,
               metrics::Registry& registry, const Clock& clock)
    : settings_(std::move(settings)),
      application_(application),
      upstreams_(upstreams),
      registry_(registry),
      clock_(clock) {}

Result<std::unique_ptr<Server>> Server::start(ServerSettings settings, const http::Application& application,
                                              Upstreams& upstreams, metrics::Registry& registry,
                                              const Clock& clock) {
    // A peer that went away is an error of the write, not of the process; sendfile(2) has no MSG_NOSIGNAL.
    std::signal(SIGPIPE, SIG_IGN);
    std::unique_ptr<Server> server(new Server(std::move(settings), application, upstreams, registry, clock));
    TRY(server->listen());
    for (auto& worker : server->workers_)
        worker->start();
    return server;
}

Result<> Server::listen() {
    proxies_ = std::make_unique<TrustedProxies>(TRY(TrustedProxies::parse(settings_.trusted_proxies)));
    if (!settings_.tls_certificate_file.empty()) {
        certificates_ = TRY(Certificates::load(settings_.tls_certificate_file, settings_.tls_key_file));
    }
    raise_descriptor_limit(settings_.connections_max);
    metrics_ = std::make_unique<ServerMetrics>(server_metrics(registry_));
    clients_ = std::make_unique<Clients>(settings_.connections_max, settings_.connections_per_client_max);

    int threads = settings_.threads > 0 ? settings_.threads
                                        : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    std::vector<std::unique_ptr<Worker>> workers;
    pool_ = std::make_unique<WaitingPool>(settings_.waiting_threads, settings_.waiting_queue_max, clock_,
                                          registry_);
    ServerParts parts{.settings = settings_,
                      .application = application_,
                      .clock = clock_,
                      .metrics = *metrics_,
                      .clients = *clients_,
                      .proxies = *proxies_,
                      .certificates = certificates_.get(),
                      .upstreams = upstreams_,
                      .pool = *pool_,
                      .workers_busy = workers_busy_,
                      .quiet = quiet_,
                      .threads = threads};
    port_ = settings_.port;
    for (int i = 0; i < threads; ++i) {
        auto worker = std::make_unique<Worker>(parts);
        port_ = TRY(worker->listen(port_));
        workers.push_back(std::move(worker));
    }
    *workers_busy_.lock() = threads;
    workers_ = std::move(workers);
    return {};
}

Server::~Server() {
    drain();
    if (pool_) pool_->stop();
    for (auto& worker : workers_)
        worker->join();
}

bool Server::wait_until_quiet(std::chrono::milliseconds at_most) {
    auto busy = workers_busy_.lock();
    return quiet_.wait_for(busy.lock(), at_most, [&] { return *busy == 0; });
}

bool Server::drain() {
    constexpr std::chrono::milliseconds cut_off_at_most{1'000};
    if (drained_) return *drained_;
    for (auto& worker : workers_)
        worker->drain();
    drained_ = wait_until_quiet(settings_.drain_timeout);
    if (*drained_) return true;
    for (auto& worker : workers_)
        worker->abort();
    if (!wait_until_quiet(cut_off_at_most)) {
        log({.level = Level::warning,
             .message = "requests are still being answered after the drain timeout",
             .fields = {{"drain_timeout_ms", std::to_string(settings_.drain_timeout.count())}}});
    }
    return false;
}

Result<> Server::reload_certificates() {
    if (!certificates_)
        return Error{Fault::invalid, "this server has no certificate: it speaks plain HTTP", ""};
    return certificates_->reload();
}

}  // namespace integreat::net
