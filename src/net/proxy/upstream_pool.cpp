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

constexpr auto idle_kept = 20s;         // Shorter than servers' usual 60 s and more, so that we close first.
constexpr auto undescribed_kept = 60s;  // A reload that names the key again finds its health.
constexpr auto addresses_fresh = 10s;
constexpr auto failure_fresh = 1s;  // An unknown host is not asked for by each request.
constexpr std::size_t spare_buffers_max = 64;
constexpr std::size_t kept_out_bytes_max = 64 * 1024;
constexpr auto relaxed = std::memory_order_relaxed;

// Nothing to read and no end of stream: what a connection without a request under way must look like.
bool silent(Stream& stream) {
    char byte;
    auto got = ::recv(stream.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

bool hung_up(Stream& stream) {
    if (!stream.open()) return true;
    pollfd asked{.fd = stream.socket().native_handle(), .events = POLLRDHUP, .revents = 0};
    return ::poll(&asked, 1, 0) == 1;
}

}  // namespace

Upstreams::Upstreams(std::string ca_file) : ca_file_(std::move(ca_file)) {}

Upstreams::~Upstreams() {
    SSL_CTX_free(tls_);
}

std::vector<UpstreamHealth> Upstreams::health(Monotonic now) {
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

std::shared_ptr<UpstreamState> Upstreams::state_of(const http::Upstream& upstream) {
    auto states = states_.lock();
    std::erase_if(*states, [](const auto& entry) { return entry.second.expired(); });
    auto& known = (*states)[upstream.key];
    if (auto state = known.lock()) return state;
    auto state = std::make_shared<UpstreamState>();
    state->key = upstream.key;
    state->tenant = upstream.tenant;
    state->name = upstream.name;
    known = state;
    return state;
}

ssl_ctx_st* Upstreams::tls_context() {
    std::call_once(tls_made_, [this] {
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

UpstreamPools::UpstreamPools(Sweeper& sweeper, Upstreams& upstreams, std::chrono::milliseconds tick)
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
        look_after();
        start();
    });
}

void UpstreamPools::stop() {
    stopped_ = true;  // The timer may have fired already.
    timer_.cancel();
    resolver_.cancel();
    for (auto& [key, pool] : pools_) {
        pool.idle.clear();
        for (auto* timer : pool.addresses->waiting)
            timer->cancel();
    }
    for (auto* watch = watched_; watch; watch = watch->next_)
        break_off(*watch);
}

UpstreamPool& UpstreamPools::pool(const std::shared_ptr<const http::Upstream>& upstream, Monotonic now) {
    auto found = pools_.find(upstream->key);
    if (found == pools_.end()) {
        found = pools_.try_emplace(upstream->key).first;
        found->second.state = upstreams_->state_of(*upstream);
    }
    auto& pool = found->second;
    pool.last_used = now;
    if (pool.described.owner_before(upstream) || upstream.owner_before(pool.described))
        pool.described = upstream;
    return pool;
}

std::unique_ptr<UpstreamConnection> UpstreamPools::take(UpstreamPool& pool, Monotonic now, bool surely) {
    while (!pool.idle.empty()) {
        auto connection = std::move(pool.idle.back());
        pool.idle.pop_back();
        if (connection->idle_until <= now || (surely && !silent(connection->stream))) continue;
        connection->reused = true;
        return connection;
    }
    return nullptr;
}

std::unique_ptr<UpstreamConnection> UpstreamPools::make(UpstreamPool& pool, int connections_max) {
    auto& open = pool.state->connections;
    if (open.load(relaxed) >= connections_max && !pool.idle.empty()) pool.idle.erase(pool.idle.begin());
    if (open.fetch_add(1, relaxed) >= connections_max) {
        open.fetch_sub(1, relaxed);
        pool.state->scarce.store(true, relaxed);
        return nullptr;
    }
    return std::make_unique<UpstreamConnection>(*sweeper_, pool.state);
}

void UpstreamPools::keep(UpstreamPool& pool, std::unique_ptr<UpstreamConnection> connection,
                         const UpstreamHead& head, Monotonic now) {
    // Idle connections of this thread must not starve the others.
    if (pool.state->scarce.load(relaxed)) return;
    auto kept = std::chrono::duration_cast<std::chrono::milliseconds>(idle_kept);
    if (head.idle_seconds)
        kept = std::min(kept, std::chrono::milliseconds(*head.idle_seconds * 1000LL - 500));
    connection->idle_until = now + kept;
    connection->stream.expire_never();
    pool.idle.push_back(std::move(connection));
}

std::unique_ptr<RelayBuffers> UpstreamPools::take_buffers() {
    if (spare_buffers_.empty()) return std::make_unique<RelayBuffers>();
    auto buffers = std::move(spare_buffers_.back());
    spare_buffers_.pop_back();
    return buffers;
}

void UpstreamPools::keep_buffers(std::unique_ptr<RelayBuffers> buffers) {
    if (spare_buffers_.size() >= spare_buffers_max || buffers->out.capacity() > kept_out_bytes_max) return;
    spare_buffers_.push_back(std::move(buffers));
}

void UpstreamPools::enter(Watch& watch) {
    watch.next_ = watched_;
    if (watched_) watched_->previous_ = &watch;
    watched_ = &watch;
}

void UpstreamPools::leave(Watch& watch) {
    (watch.previous_ ? watch.previous_->next_ : watched_) = watch.next_;
    if (watch.next_) watch.next_->previous_ = watch.previous_;
}

void UpstreamPools::look_after() {
    auto time = now();
    look_for_clients_gone();
    for (auto entry = pools_.begin(); entry != pools_.end();) {
        auto& pool = entry->second;
        drop_closed(pool, time);
        bool forgotten =
            pool.relays == 0 && pool.described.expired() && time - pool.last_used > undescribed_kept;
        entry = forgotten ? pools_.erase(entry) : std::next(entry);
    }
}

void UpstreamPools::drop_closed(UpstreamPool& pool, Monotonic now) {
    bool scarce = pool.state->scarce.exchange(false, relaxed);
    std::erase_if(pool.idle, [&](const auto& connection) {
        return scarce || connection->idle_until <= now || !silent(connection->stream);
    });
}

void UpstreamPools::look_for_clients_gone() {
    for (auto* watch = watched_; watch; watch = watch->next_) {
        if (watch->gone_ || watch->tunnel_ || !hung_up(*watch->client_)) continue;
        break_off(*watch);
    }
}

void UpstreamPools::break_off(Watch& watch) {
    watch.gone_ = true;
    if (watch.upstream_) watch.upstream_->close();
}

void UpstreamPools::start_resolving(const std::shared_ptr<Addresses>& addresses,
                                    const http::Upstream& upstream) {
    addresses->resolving = true;
    auto answered = [this, addresses](error_code error, const Resolver::results_type& results) {
        addresses->resolving = false;
        // Those known before are better than none: a name server that is down must not take upstreams along.
        if (!error) addresses->endpoints.assign(results.begin(), results.end());
        if (error != asio::error::operation_aborted) {
            addresses->fresh_until = now() + (error ? failure_fresh : addresses_fresh);
        }
        for (auto* timer : addresses->waiting)
            timer->cancel();
    };
    resolver_.async_resolve(upstream.host, std::to_string(upstream.port),
                            asio::ip::resolver_base::numeric_service, std::move(answered));
}

Awaitable<std::vector<tcp::endpoint>> UpstreamPools::resolve(UpstreamPool& pool,
                                                             const http::Upstream& upstream,
                                                             Monotonic deadline, error_code& error) {
    auto addresses = pool.addresses;
    error_code not_an_address;
    auto address = asio::ip::make_address(upstream.host, not_an_address);
    if (!not_an_address) co_return std::vector<tcp::endpoint>{tcp::endpoint(address, upstream.port)};

    if (!addresses->resolving && addresses->fresh_until <= now()) start_resolving(addresses, upstream);
    if (addresses->endpoints.empty() && addresses->resolving) {
        Timer timer(sweeper_->context().get_executor());
        timer.expires_after(deadline - now());
        addresses->waiting.push_back(&timer);
        error_code woken;
        co_await timer.async_wait(asio::redirect_error(use_awaitable, woken));
        std::erase(addresses->waiting, &timer);
        if (!woken) error = asio::error::timed_out;
    }
    if (addresses->endpoints.empty() && !error) error = asio::error::host_not_found;
    co_return addresses->endpoints;
}

}  // namespace integreat::net
