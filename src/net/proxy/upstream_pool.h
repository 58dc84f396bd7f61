// SPDX-License-Identifier: Apache-2.0
// Connections to the servers behind the gateway. There is one UpstreamRegistry per process: it holds the
// health of each upstream by Upstream::key, so that the health survives a reload. There is one UpstreamPools
// per I/O thread: it holds idle connections and resolved addresses, and is used by that thread only.
// max_connections applies to all threads together; a key that no manifest names any more is dropped after a
// minute.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/concurrency/synchronized.h"
#include "base/resilience/circuit_breaker.h"
#include "base/resilience/retry_budget.h"
#include "http/message/upstream.h"
#include "net/http1/response_parser.h"
#include "net/io/socket_stream.h"

namespace integreat::net {

// The state of one upstream, shared by all threads.
struct UpstreamState {
    std::string key;
    TenantId tenant;
    std::string name;
    CircuitBreaker breaker;
    RetryBudget retries;
    std::atomic<int> connections{0};
    std::atomic<bool> limit_reached{
        false};  // max_connections was reached recently: keep no idle connections.
};

struct UpstreamHealth {
    std::string key;
    TenantId tenant;
    std::string name;
    CircuitBreaker::State state = CircuitBreaker::State::closed;
    int connections = 0;  // Open connections, busy or idle.
    int failures = 0;     // Consecutive failures.
};

class UpstreamRegistry {
public:
    // `ca_file`: PEM certificates of the trusted CAs for TLS upstreams; empty: the system's.
    explicit UpstreamRegistry(std::string ca_file = {});
    ~UpstreamRegistry();

    // Returns the health of all upstreams called recently, for /readyz and metrics.
    std::vector<UpstreamHealth> health(Monotonic now);

    std::shared_ptr<UpstreamState> find_or_create(const http::Upstream& upstream);

    // Returns the TLS client context, created on first use; null if `ca_file` cannot be read.
    ssl_ctx_st* tls_context();

private:
    std::string ca_file_;
    Synchronized<std::unordered_map<std::string, std::weak_ptr<UpstreamState>>> states_;
    std::once_flag tls_once_;
    ssl_ctx_st* tls_ = nullptr;
};

// A connection to an upstream. It counts towards max_connections from before it is opened until it is closed.
struct UpstreamConnection {
    UpstreamConnection(DeadlineSweeper& sweeper, std::shared_ptr<UpstreamState> upstream_state)
        : stream(sweeper), state(std::move(upstream_state)) {}
    UpstreamConnection(const UpstreamConnection&) = delete;
    UpstreamConnection& operator=(const UpstreamConnection&) = delete;
    ~UpstreamConnection() { state->connections.fetch_sub(1, std::memory_order_relaxed); }

    SocketStream stream;
    std::shared_ptr<UpstreamState> state;
    Monotonic idle_until;  // Time at which it leaves the pool.
    bool reused = false;   // It has carried a request before, so it may be stale.
};

// The cached addresses of a host name, resolved on one of Asio's threads.
struct DnsCacheEntry {
    std::vector<tcp::endpoint> endpoints;
    Monotonic expires_at = Monotonic::min();
    bool resolving = false;
    std::vector<Timer*> waiters;
};

struct UpstreamPool {
    std::weak_ptr<const http::Upstream> definition;  // Expired when no snapshot names the upstream any more.
    std::shared_ptr<UpstreamState> state;
    std::vector<std::unique_ptr<UpstreamConnection>> idle;  // Reused last in, first out.
    std::shared_ptr<DnsCacheEntry> dns = std::make_shared<DnsCacheEntry>();
    Monotonic last_used;
    int active_requests = 0;
};

// The buffers of one proxied request; reused between requests.
struct ProxyBuffers {
    static constexpr std::size_t in_bytes = 32 * 1024;  // Also the limit on the head of a response.
    static constexpr std::size_t in_slack = 2;          // Space for CR LF behind a full read.

    std::string out;
    std::unique_ptr<char[]> in{new char[in_bytes + in_slack]};
    ResponseHead head;
};

// Detects that the client of a proxied request disconnects. While the proxy waits for the upstream it does
// not read from the client, and reading ahead for each request would cost more than polling from time to
// time.
class DisconnectWatch {
public:
    explicit DisconnectWatch(SocketStream& client) : client_(&client) {}
    void set_upstream(SocketStream* stream) { upstream_ = stream; }
    void set_tunnel() { tunnel_ = true; }  // In a tunnel both sides are read, so no polling is needed.
    // Returns whether the client disconnected or the server stops.
    bool disconnected() const { return disconnected_; }

private:
    friend class UpstreamPools;
    SocketStream* client_;
    SocketStream* upstream_ = nullptr;
    DisconnectWatch* previous_ = nullptr;
    DisconnectWatch* next_ = nullptr;
    bool tunnel_ = false;
    bool disconnected_ = false;
};

class UpstreamPools {
public:
    UpstreamPools(DeadlineSweeper& sweeper, UpstreamRegistry& upstreams,
                  std::chrono::milliseconds tick = std::chrono::seconds(1));
    ~UpstreamPools();

    void start();  // Starts the timer that drops stale connections and detects disconnected clients.
    void stop();   // Aborts all requests in progress; the pools cannot be started again.

    DeadlineSweeper& sweeper() const { return *sweeper_; }
    UpstreamRegistry& upstreams() const { return *upstreams_; }
    Monotonic now() const { return sweeper_->clock().monotonic(); }

    // Finds or creates a pool. The reference stays valid while `active_requests` is above zero.
    UpstreamPool& pool(const std::shared_ptr<const http::Upstream>& upstream, Monotonic now);

    // Returns an idle connection, or null. `probe` checks with a system call that the peer has not closed it.
    std::unique_ptr<UpstreamConnection> acquire(UpstreamPool& pool, Monotonic now, bool probe);
    // Returns a new, unconnected connection; null if `max_connections` are open.
    std::unique_ptr<UpstreamConnection> create(UpstreamPool& pool, int max_connections);
    // Puts a connection back into the pool, or closes it.
    void release(UpstreamPool& pool, std::unique_ptr<UpstreamConnection> connection, const ResponseHead& head,
                 Monotonic now);

    std::unique_ptr<ProxyBuffers> acquire_buffers();
    void release_buffers(std::unique_ptr<ProxyBuffers> buffers);

    void add_watch(DisconnectWatch& watch);
    void remove_watch(DisconnectWatch& watch);

    // Resolves the addresses of `upstream`; none, with `error` set, if that fails or `deadline` passes.
    Awaitable<std::vector<tcp::endpoint>> resolve(UpstreamPool& pool, const http::Upstream& upstream,
                                                  Monotonic deadline, error_code& error);

private:
    void maintain();
    void drop_stale(UpstreamPool& pool, Monotonic now);
    void abort_disconnected();
    void abort(DisconnectWatch& watch);
    void start_resolve(const std::shared_ptr<DnsCacheEntry>& dns, const http::Upstream& upstream);

    using Resolver = asio::ip::basic_resolver<tcp, Executor>;

    DeadlineSweeper* sweeper_;
    UpstreamRegistry* upstreams_;
    std::chrono::milliseconds tick_;
    Timer timer_;
    Resolver resolver_;
    std::unordered_map<std::string, UpstreamPool> pools_;
    std::vector<std::unique_ptr<ProxyBuffers>> spare_buffers_;
    DisconnectWatch* watches_ = nullptr;
    bool stopped_ = false;
};

}  // namespace integreat::net
