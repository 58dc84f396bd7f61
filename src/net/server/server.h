// SPDX-License-Identifier: Apache-2.0
// The HTTP/1.1 server: carries requests from sockets to an http::Application and its answers back. It serves
// from start to drain; settings are fixed meanwhile, all but the certificate.
#pragma once

#include <condition_variable>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/concurrency/synchronized.h"
#include "base/result.h"
#include "http/transport/application.h"
#include "metrics/registry.h"
#include "net/server/server_settings.h"

namespace integreat::net {

class Certificates;
class Clients;
class TrustedProxies;
class Upstreams;
class WaitingPool;
class Worker;
struct ServerMetrics;

class Server {
public:
    // Fails if it cannot listen or the settings make no sense: Error::message says which. All that is
    // referred to outlives the server.
    static Result<std::unique_ptr<Server>> start(ServerSettings settings,
                                                 const http::Application& application, Upstreams& upstreams,
                                                 metrics::Registry& registry, const Clock& clock);
    // Drains first if nobody did, and waits for handlers that are still at work.
    ~Server();

    std::uint16_t port() const { return port_; }

    // Stops accepting, closes idle connections, lets requests under way finish, and returns when all are gone
    // or drain_timeout is over; then what is left is cut off. True if nothing was. Bounded: at most
    // drain_timeout and a second.
    bool drain();

    // Reads the certificate's files again; a faulty one is logged, and the present one stays.
    Result<> reload_certificates();

private:
    Server(ServerSettings settings, const http::Application& application, Upstreams& upstreams,
           metrics::Registry& registry, const Clock& clock);
    Result<> listen();
    bool wait_until_quiet(std::chrono::milliseconds at_most);

    ServerSettings settings_;
    const http::Application& application_;
    Upstreams& upstreams_;
    metrics::Registry& registry_;
    const Clock& clock_;
    std::uint16_t port_ = 0;
    std::unique_ptr<ServerMetrics> metrics_;
    std::unique_ptr<Clients> clients_;
    std::unique_ptr<TrustedProxies> proxies_;
    std::unique_ptr<Certificates> certificates_;
    std::unique_ptr<WaitingPool> pool_;
    Guarded<int> workers_busy_{0};
    std::condition_variable quiet_;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::optional<bool> drained_;  // What drain returned.
};

}  // namespace integreat::net
