// SPDX-License-Identifier: Apache-2.0
// What is known of the servers behind the gateway. Upstreams is one per process: the health of each, found
// by Upstream::key, so that it survives a reload. UpstreamPools is one per I/O thread: kept-alive
// connections and resolved addresses, touched by that thread only. connections_max holds over all threads;
// a key that no manifest describes any more is forgotten after a minute.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/concurrency/synchronized.h"
#include "base/resilience/circuit_breaker.h"
#include "http/message/upstream.h"
#include "net/http1/response_parser.h"
#include "net/io/socket_stream.h"

namespace integreat::net {

// One upstream, as all threads see it.
struct UpstreamState {
    std::string key;
    TenantId tenant;
    std::string name;
    Breaker breaker;
    RetryBudget retries;
    std::atomic<int> connections{0};
    std::atomic<bool> scarce{false};  // The limit was met lately: do not sit on idle connections.
};

struct UpstreamHealth {
    std::string key;
    TenantId tenant;
    std::string name;
    Breaker::State state = Breaker::State::closed;
    int connections = 0;  // Open, busy or idle.
    int failures = 0;     // In a row.
};

class Upstreams {
public:
    // `ca_file`: PEM certificates that TLS upstreams are verified with; empty: the system's.
    explicit Upstreams(std::string ca_file = {});
    ~Upstreams();

    // Those that were called lately, for /readyz and metrics.
    std::vector<UpstreamHealth> health(Monotonic now);

    std::shared_ptr<UpstreamState> state_of(const http::Upstream& upstream);

    // Made on first use; null if `ca_file` cannot be read.
    ssl_ctx_st* tls_context();

private:
    std::string ca_file_;
    Guarded<std::unordered_map<std::string, std::weak_ptr<UpstreamState>>> states_;
    std::once_flag tls_made_;
    ssl_ctx_st* tls_ = nullptr;
};

// Counted from before it is opened until it is closed.
struct UpstreamConnection {
    UpstreamConnection(Sweeper& sweeper, std::shared_ptr<UpstreamState> counted_in)
        : stream(sweeper), state(std::move(counted_in)) {}
    UpstreamConnection(const UpstreamConnection&) = delete;
    UpstreamConnection& operator=(const UpstreamConnection&) = delete;
    ~UpstreamConnection() { state->connections.fetch_sub(1, std::memory_order_relaxed); }

    Stream stream;
    std::shared_ptr<UpstreamState> state;
    Monotonic idle_until;  // While in the pool.
    bool reused = false;   // Carried a request before, so it may be stale.
};

// Where a host name leads, looked up by a thread of Asio's and kept for a while.
struct Addresses {
    std::vector<tcp::endpoint> endpoints;
    Monotonic fresh_until = Monotonic::min();
    bool resolving = false;
    std::vector<Timer*> waiting;
};

struct UpstreamPool {
    std::weak_ptr<const http::Upstream> described;  // Expired: no snapshot names it any more.
    std::shared_ptr<UpstreamState> state;
    std::vector<std::unique_ptr<UpstreamConnection>> idle;  // Used last in, first out.
    std::shared_ptr<Addresses> addresses = std::make_shared<Addresses>();
    Monotonic last_used;
    int relays = 0;  // Under way.
};

// What a relay reads and writes with; reused from relay to relay.
struct RelayBuffers {
    static constexpr std::size_t in_bytes = 32 * 1024;  // Also the limit on the head of an answer.
    static constexpr std::size_t in_slack = 2;          // Room for CR LF behind a full read.

    std::string out;
    std::unique_ptr<char[]> in{new char[in_bytes + in_slack]};
    UpstreamHead head;
};

// A relay under way, watched for its client going away: while we wait for the upstream, nobody reads from the
// client, and reading ahead for each request would cost more than looking now and then.
class Watch {
public:
    explicit Watch(Stream& client) : client_(&client) {}
    void upstream(Stream* stream) { upstream_ = stream; }
    void tunnel() { tunnel_ = true; }  // Both sides are read, and each may end before the other.
    // The client went away, or the server stops: nobody waits for the answer any more.
    bool gone() const { return gone_; }

private:
    friend class UpstreamPools;
    Stream* client_;
    Stream* upstream_ = nullptr;
    Watch* previous_ = nullptr;
    Watch* next_ = nullptr;
    bool tunnel_ = false;
    bool gone_ = false;
};

class UpstreamPools {
public:
    UpstreamPools(Sweeper& sweeper, Upstreams& upstreams,
                  std::chrono::milliseconds tick = std::chrono::seconds(1));
    ~UpstreamPools();

    void start();  // Looks after connections and clients, tick by tick.
    void stop();   // For good: relays under way are broken off.

    Sweeper& sweeper() const { return *sweeper_; }
    Upstreams& upstreams() const { return *upstreams_; }
    Monotonic now() const { return sweeper_->clock().monotonic(); }

    // Stays where it is while `relays` is above zero.
    UpstreamPool& pool(const std::shared_ptr<const http::Upstream>& upstream, Monotonic now);

    // An idle connection that seems alive, or null. `surely` asks the kernel whether the peer has closed it.
    std::unique_ptr<UpstreamConnection> take(UpstreamPool& pool, Monotonic now, bool surely);
    // A new one, not yet connected; null if `connections_max` are open.
    std::unique_ptr<UpstreamConnection> make(UpstreamPool& pool, int connections_max);
    void keep(UpstreamPool& pool, std::unique_ptr<UpstreamConnection> connection, const UpstreamHead& head,
              Monotonic now);

    std::unique_ptr<RelayBuffers> take_buffers();
    void keep_buffers(std::unique_ptr<RelayBuffers> buffers);

    void enter(Watch& watch);
    void leave(Watch& watch);

    // The addresses of `upstream`, or none with `error` set; not before `deadline` does it give up.
    Awaitable<std::vector<tcp::endpoint>> resolve(UpstreamPool& pool, const http::Upstream& upstream,
                                                  Monotonic deadline, error_code& error);

private:
    void look_after();
    void drop_closed(UpstreamPool& pool, Monotonic now);
    void look_for_clients_gone();
    void break_off(Watch& watch);
    void start_resolving(const std::shared_ptr<Addresses>& addresses, const http::Upstream& upstream);

    using Resolver = asio::ip::basic_resolver<tcp, Executor>;

    Sweeper* sweeper_;
    Upstreams* upstreams_;
    std::chrono::milliseconds tick_;
    Timer timer_;
    Resolver resolver_;
    std::unordered_map<std::string, UpstreamPool> pools_;
    std::vector<std::unique_ptr<RelayBuffers>> spare_buffers_;
    Watch* watched_ = nullptr;
    bool stopped_ = false;
};

}  // namespace integreat::net
