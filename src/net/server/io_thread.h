// SPDX-License-Identifier: Apache-2.0
// One I/O thread: its own io_context, its own listener on the shared port (SO_REUSEPORT), its own sessions.
// Sessions of different workers share nothing that is written per request: what they count is kept here and
// carried to the metrics a few times a second.
#pragma once

#include <atomic>
#include <condition_variable>
#include <optional>
#include <thread>

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include "http/transport/application.h"
#include "metrics/registry.h"
#include "net/http1/request_parser.h"
#include "net/http1/response_writer.h"
#include "net/io/deadline_sweeper.h"
#include "net/io/tls_certificates.h"
#include "net/proxy/upstream_pool.h"
#include "net/server/blocking_pool.h"
#include "net/server/connection_limiter.h"
#include "net/server/server_metrics.h"
#include "net/server/server_settings.h"

namespace integreat::net {

class Session;

// What all workers of a server use; outlives them.
struct ServerParts {
    const ServerSettings& settings;
    const http::Application& application;
    const Clock& clock;
    const ServerMetrics& metrics;
    Clients& clients;
    const TrustedProxies& proxies;
    Certificates* certificates;  // Null: plain HTTP.
    Upstreams& upstreams;
    WaitingPool& pool;
    Guarded<int>& workers_busy;  // With sessions, or still accepting.
    std::condition_variable& quiet;
    int threads;
};

class Worker {
public:
    explicit Worker(const ServerParts& parts);
    ~Worker();

    // Binds and listens; the port that was bound.
    Result<std::uint16_t> listen(std::uint16_t port);
    void start();

    // Callable from other threads.
    void drain();  // Stop accepting, close idle sessions, let the others finish their request.
    void abort();  // Close all connections now.
    void join();   // After drain or abort, and once the waiting pool has stopped: the thread ends.

    // For sessions, on this thread.
    const ServerParts parts;
    asio::io_context context;
    Sweeper sweeper;
    UpstreamPools upstreams;
    DateField date;
    bool draining = false;
    std::uint64_t bytes_in = 0;  // Since the last tick.
    std::uint64_t bytes_out = 0;
    std::size_t body_bytes_in_flight = 0;
    postgres::Lane* lane() const { return lane_.database; }  // Null: there is none.

    // False if the share of this thread in body_bytes_in_flight_max is used up.
    bool reserve_body(std::size_t bytes);

    void entered(Session& session);
    void left(Session& session);

private:
    static Awaitable<void> accept(Worker& worker);
    void admit(Socket socket, const tcp::endpoint& peer);
    void accept_waiting();
    void refuse(Socket socket);
    void tick();
    void report_quiet();
    void watch_lane();

    http::Lane lane_;
    std::optional<asio::posix::basic_stream_descriptor<Executor>> lane_watch_;
    Acceptor acceptor_;
    Timer accept_pause_;
    Session* first_ = nullptr;
    std::thread thread_;
    bool accepting_ = false;
    bool reported_quiet_ = false;
};

}  // namespace integreat::net
