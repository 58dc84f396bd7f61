// SPDX-License-Identifier: Apache-2.0
// The HTTP/1.1 server: reads requests from sockets, passes them to an http::Application and sends the
// responses. It serves from start to drain; only the certificate can be changed meanwhile.
#pragma once

#include <condition_variable>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/concurrency/synchronized.h"
#include "base/resilience/bulkhead.h"
#include "base/result.h"
#include "http/transport/application.h"
#include "metrics/registry.h"
#include "net/server/server_settings.h"

namespace integreat::net {

class TlsCertificates;
class ConnectionLimiter;
class TrustedProxies;
class UpstreamRegistry;
class BlockingPool;
class IoThread;
struct ServerMetrics;

class Server {
public:
    // Starts a server. Fails if it cannot listen or a setting is invalid; Error::message names the reason.
    // All arguments passed by reference must outlive the server.
    static Result<std::unique_ptr<Server>> start(ServerSettings settings,
                                                 const http::Application& application,
                                                 UpstreamRegistry& upstreams, metrics::Registry& registry,
                                                 const Clock& clock);
    // Drains the server unless that was done before, and waits for running handlers.
    ~Server();

    std::uint16_t port() const { return port_; }

    // Stops accepting, closes idle connections and waits for the requests in progress, at most for
    // drain_timeout; the remaining connections are then aborted, which takes at most another second. Returns
    // true if none was aborted.
    bool drain();

    // Reads the certificate files again. On an error, which is logged, the current certificate stays in use.
    Result<> reload_certificates();

private:
    Server(ServerSettings settings, const http::Application& application, UpstreamRegistry& upstreams,
           metrics::Registry& registry, const Clock& clock);
    Result<> listen();
    bool wait_until_idle(std::chrono::milliseconds timeout);

    ServerSettings settings_;
    const http::Application& application_;
    UpstreamRegistry& upstreams_;
    metrics::Registry& registry_;
    const Clock& clock_;
    std::uint16_t port_ = 0;
    std::unique_ptr<ServerMetrics> metrics_;
    std::unique_ptr<ConnectionLimiter> connection_limiter_;
    std::unique_ptr<TrustedProxies> trusted_proxies_;
    std::unique_ptr<TlsCertificates> certificates_;
    std::unique_ptr<BlockingPool> pool_;
    std::unique_ptr<Bulkhead> bodies_;
    std::unique_ptr<Bulkhead> responses_;
    Synchronized<int> io_threads_busy_{0};
    std::condition_variable all_idle_;
    std::vector<std::unique_ptr<IoThread>> io_threads_;
    std::optional<bool> drained_;  // Result of drain().
};

}  // namespace integreat::net
