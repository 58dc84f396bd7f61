// SPDX-License-Identifier: Apache-2.0
#include "net/proxy/upstream_pool.h"

#include <cerrno>

#include <boost/asio/redirect_error.hpp>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

namespace integreat::net {

using namespace std::chrono_literals;

namespace {

constexpr auto idle_connection_ttl =
    20s;  // Shorter than the usual 60 s of servers, so that the proxy closes first.
constexpr auto undefined_ttl = 60s;  // A reload that names the key again finds its health.
constexpr auto dns_ttl = 10s;
constexpr auto dns_failure_ttl = 1s;  // Limits lookups of an unknown host.
constexpr std::size_t spare_buffers_max = 64;
constexpr std::size_t kept_out_bytes_max = 64 * 1024;
constexpr auto relaxed = std::memory_order_relaxed;

// Returns whether there is nothing to read and no end of stream, as expected of an idle connection.
bool is_idle_and_open(SocketStream& stream) {
    char byte;
    auto got = ::recv(stream.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

bool has_disconnected(SocketStream& stream) {
    if (!stream.open()) return true;
    pollfd descriptor{.fd = stream.socket().native_handle(), .events = POLLRDHUP, .revents = 0};
    return ::poll(&descriptor, 1, 0) == 1;
}

}  // namespace

UpstreamRegistry::UpstreamRegistry(std::string ca_file) : ca_file_(std::move(ca_file)) {}

UpstreamRegistry::~UpstreamRegistry() {
    SSL_CTX_free(tls_);
}

std::vector<UpstreamHealth> UpstreamRegistry::health(Monotonic now) {
    std::vector<UpstreamHealth> all;
    auto states = states_.lock();
    for (const auto& [key, weak] : *states) {
        auto state = weak.lock();
        if (!state) continue;
        all.push_back({.key = key,
                       .tenant = state->tenant,
                       .name = state->name,
                       .state = state->breaker.state(now),
                       .connections = state->connections.load(relaxed),
                       .failures = state->breaker.failures()});
    }
    return all;
}

std::shared_ptr<UpstreamState> UpstreamRegistry::find_or_create(const http::Upstream& upstream) {
    auto states = states_.lock();
    std::erase_if(*states, [](const auto& entry) { return entry.second.expired(); });
    auto& entry = (*states)[upstream.key];
    if (auto state = entry.lock()) return state;
    auto state = std::make_shared<UpstreamState>();
    state->key = upstream.key;
    state->tenant = upstream.tenant;
    state->name = upstream.name;
    entry = state;
    return state;
}

ssl_ctx_st* UpstreamRegistry::tls_context() {
    std::call_once(tls_once_, [this] {
        auto* context = SSL_CTX_new(TLS_client_method());
        if (!context) return;
        SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
        bool trusted = ca_file_.empty() ? SSL_CTX_set_default_verify_paths(context) == 1
                                        : SSL_CTX_load_verify_file(context, ca_file_.c_str()) == 1;
        if (trusted) {
            tls_ = context;
        } else {
            SSL_CTX_free(context);
        }
    });
    return tls_;
}

UpstreamPools::UpstreamPools(DeadlineSweeper& sweeper, UpstreamRegistry& upstreams,
                             std::chrono::milliseconds tick)
    : sweeper_(&sweeper),
      upstreams_(&upstreams),
      tick_(tick),
      timer_(sweeper.context().get_executor()),
      resolver_(sweeper.context().get_executor()) {}

UpstreamPools::~UpstreamPools() = default;

void UpstreamPools::start() {
    timer_.expires_after(tick_);
    timer_.async_wait([this](error_code error) {
        if (error || stopped_) return;
        maintain();
        start();
    });
}

void UpstreamPools::stop() {
    stopped_ = true;  // The timer may have fired already.
    timer_.cancel();
    resolver_.cancel();
    for (auto& [key, pool] : pools_) {
        pool.idle.clear();
        for (auto* timer : pool.dns->waiters)
            timer->cancel();
    }
    for (auto* watch = watches_; watch; watch = watch->next_)
        abort(*watch);
}

UpstreamPool& UpstreamPools::pool(const std::shared_ptr<const http::Upstream>& upstream, Monotonic now) {
    auto found = pools_.find(upstream->key);
    if (found == pools_.end()) {
        found = pools_.try_emplace(upstream->key).first;
        found->second.state = upstreams_->find_or_create(*upstream);
    }
    auto& pool = found->second;
    pool.last_used = now;
    if (pool.definition.owner_before(upstream) || upstream.owner_before(pool.definition))
        pool.definition = upstream;
    return pool;
}

std::unique_ptr<UpstreamConnection> UpstreamPools::acquire(UpstreamPool& pool, Monotonic now, bool probe) {
    while (!pool.idle.empty()) {
        auto connection = std::move(pool.idle.back());
        pool.idle.pop_back();
        if (connection->idle_until <= now || (probe && !is_idle_and_open(connection->stream))) continue;
        connection->reused = true;
        return connection;
    }
    return nullptr;
}

std::unique_ptr<UpstreamConnection> UpstreamPools::create(UpstreamPool& pool, int max_connections) {
    auto& open = pool.state->connections;
    if (open.load(relaxed) >= max_connections && !pool.idle.empty()) pool.idle.erase(pool.idle.begin());
    if (open.fetch_add(1, relaxed) >= max_connections) {
        open.fetch_sub(1, relaxed);
        pool.state->limit_reached.store(true, relaxed);
        return nullptr;
    }
    return std::make_unique<UpstreamConnection>(*sweeper_, pool.state);
}

void UpstreamPools::release(UpstreamPool& pool, std::unique_ptr<UpstreamConnection> connection,
                            const ResponseHead& head, Monotonic now) {
    // Idle connections of this thread must not starve the other threads.
    if (pool.state->limit_reached.load(relaxed)) return;
    auto idle_for = std::chrono::duration_cast<std::chrono::milliseconds>(idle_connection_ttl);
    if (head.idle_seconds)
        idle_for = std::min(idle_for, std::chrono::milliseconds(*head.idle_seconds * 1000LL - 500));
    connection->idle_until = now + idle_for;
    connection->stream.expire_never();
    pool.idle.push_back(std::move(connection));
}

std::unique_ptr<ProxyBuffers> UpstreamPools::acquire_buffers() {
    if (spare_buffers_.empty()) return std::make_unique<ProxyBuffers>();
    auto buffers = std::move(spare_buffers_.back());
    spare_buffers_.pop_back();
    return buffers;
}

void UpstreamPools::release_buffers(std::unique_ptr<ProxyBuffers> buffers) {
    if (spare_buffers_.size() >= spare_buffers_max || buffers->out.capacity() > kept_out_bytes_max) return;
    spare_buffers_.push_back(std::move(buffers));
}

void UpstreamPools::add_watch(DisconnectWatch& watch) {
    watch.next_ = watches_;
    if (watches_) watches_->previous_ = &watch;
    watches_ = &watch;
}

void UpstreamPools::remove_watch(DisconnectWatch& watch) {
    (watch.previous_ ? watch.previous_->next_ : watches_) = watch.next_;
    if (watch.next_) watch.next_->previous_ = watch.previous_;
}

void UpstreamPools::maintain() {
    auto time = now();
    abort_disconnected();
    for (auto entry = pools_.begin(); entry != pools_.end();) {
        auto& pool = entry->second;
        drop_stale(pool, time);
        bool expired =
            pool.active_requests == 0 && pool.definition.expired() && time - pool.last_used > undefined_ttl;
        entry = expired ? pools_.erase(entry) : std::next(entry);
    }
}

void UpstreamPools::drop_stale(UpstreamPool& pool, Monotonic now) {
    bool limit_reached = pool.state->limit_reached.exchange(false, relaxed);
    std::erase_if(pool.idle, [&](const auto& connection) {
        return limit_reached || connection->idle_until <= now || !is_idle_and_open(connection->stream);
    });
}

void UpstreamPools::abort_disconnected() {
    for (auto* watch = watches_; watch; watch = watch->next_) {
        if (watch->disconnected_ || watch->tunnel_ || !has_disconnected(*watch->client_)) continue;
        abort(*watch);
    }
}

void UpstreamPools::abort(DisconnectWatch& watch) {
    watch.disconnected_ = true;
    if (watch.upstream_) watch.upstream_->close();
}

void UpstreamPools::start_resolve(const std::shared_ptr<DnsCacheEntry>& dns, const http::Upstream& upstream) {
    dns->resolving = true;
    auto on_resolved = [this, dns](error_code error, const Resolver::results_type& results) {
        dns->resolving = false;
        // After an error the previous addresses stay: an unavailable name server must not make upstreams
        // unavailable.
        if (!error) dns->endpoints.assign(results.begin(), results.end());
        if (error != asio::error::operation_aborted) {
            dns->expires_at = now() + (error ? dns_failure_ttl : dns_ttl);
        }
        for (auto* timer : dns->waiters)
            timer->cancel();
    };
    resolver_.async_resolve(upstream.host, std::to_string(upstream.port),
                            asio::ip::resolver_base::numeric_service, std::move(on_resolved));
}

Awaitable<std::vector<tcp::endpoint>> UpstreamPools::resolve(UpstreamPool& pool,
                                                             const http::Upstream& upstream,
                                                             Monotonic deadline, error_code& error) {
    auto dns = pool.dns;
    error_code not_an_address;
    auto address = asio::ip::make_address(upstream.host, not_an_address);
    if (!not_an_address) co_return std::vector<tcp::endpoint>{tcp::endpoint(address, upstream.port)};

    if (!dns->resolving && dns->expires_at <= now()) start_resolve(dns, upstream);
    if (dns->endpoints.empty() && dns->resolving) {
        Timer timer(sweeper_->context().get_executor());
        timer.expires_after(deadline - now());
        dns->waiters.push_back(&timer);
        error_code woken;
        co_await timer.async_wait(asio::redirect_error(use_awaitable, woken));
        std::erase(dns->waiters, &timer);
        if (!woken) error = asio::error::timed_out;
    }
    if (dns->endpoints.empty() && !error) error = asio::error::host_not_found;
    co_return dns->endpoints;
}

}  // namespace integreat::net
