// SPDX-License-Identifier: Apache-2.0
#include "gateway/routing/rate_limiter.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include <arpa/inet.h>

#include "json/value/writer.h"

namespace integreat::gateway {

namespace {

constexpr std::int64_t second_ns = 1'000'000'000;

// The finalizer of MurmurHash3 (Austin Appleby, public domain): every input bit affects every output bit.
std::uint64_t mix(std::uint64_t number) {
    number = (number ^ (number >> 33)) * 0xff51afd7ed558ccdu;
    number = (number ^ (number >> 33)) * 0xc4ceb9fe1a85ec53u;
    return number ^ (number >> 33);
}

std::uint64_t hash(std::string_view text, std::uint64_t seed) {
    std::uint64_t state = seed ^ (text.size() * 0x9E3779B97F4A7C15u);
    for (; text.size() >= 8; text.remove_prefix(8)) {
        std::uint64_t word;
        std::memcpy(&word, text.data(), 8);
        state = mix(state ^ word) + 0x9E3779B97F4A7C15u;
    }
    std::uint64_t last = 0;
    std::memcpy(&last, text.data(), text.size());
    return mix(state ^ last);
}

}  // namespace

CompiledRateLimit compile_rate_limit(const http::RateLimit& limit, std::string_view name) {
    CompiledRateLimit compiled{.seed = hash(name, 0), .name = std::string(name)};
    if (limit.requests == 0) return compiled;
    auto window_ns = std::chrono::nanoseconds(limit.window).count();
    compiled.interval_ns = std::max<std::int64_t>(window_ns / limit.requests, 1);
    compiled.burst_ns = compiled.interval_ns * std::max<std::int64_t>(limit.burst, 1);
    compiled.policy = "\"" + compiled.name + "\";q=" + std::to_string(limit.requests) +
                      ";w=" + std::to_string(limit.window.count());
    return compiled;
}

RateLimiter::RateLimiter(std::size_t count, Random& random)
    : sets_(std::bit_ceil(std::max<std::size_t>(count, ways)) / ways),
      buckets_(std::make_unique<Bucket[]>(sets_ * ways)) {
    random.fill(std::as_writable_bytes(std::span(&secret_, 1)));
}

std::uint64_t RateLimiter::hash_key(std::string_view text) const {
    return hash(text, secret_);
}

std::uint64_t RateLimiter::hash_address(std::string_view address) const {
    if (address.find(':') == std::string_view::npos) return hash(address, secret_ + 1);
    std::array<char, INET6_ADDRSTRLEN + 1> text{};
    if (address.size() >= text.size()) return hash(address, secret_ + 1);
    address.copy(text.data(), address.size());
    std::array<char, 16> bytes{};
    if (inet_pton(AF_INET6, text.data(), bytes.data()) != 1) return hash(address, secret_ + 1);
    static constexpr std::array<char, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '\xff', '\xff'};
    if (std::equal(mapped.begin(), mapped.end(), bytes.begin())) {
        std::array<char, INET_ADDRSTRLEN> as_four{};
        inet_ntop(AF_INET, bytes.data() + 12, as_four.data(), as_four.size());
        return hash(as_four.data(), secret_ + 1);
    }
    return hash({bytes.data(), 8}, secret_ + 2);
}

RateLimiter::Bucket& RateLimiter::find(std::uint64_t key, std::int64_t now_ns) {
    auto* set = &buckets_[(key & (sets_ - 1)) * ways];
    for (;;) {
        Bucket* fullest = set;
        std::int64_t fullest_at = fullest->full_at_ns.load(std::memory_order_relaxed);
        for (auto* bucket = set; bucket != set + ways; ++bucket) {
            if (bucket->key.load(std::memory_order_acquire) == key) return *bucket;
            auto full_at = bucket->full_at_ns.load(std::memory_order_relaxed);
            if (full_at < fullest_at) {
                fullest = bucket;
                fullest_at = full_at;
            }
        }
        auto replaced = fullest->key.load(std::memory_order_acquire);
        if (replaced == key) return *fullest;
        if (!fullest->key.compare_exchange_strong(replaced, key, std::memory_order_acq_rel)) continue;
        if (fullest_at > now_ns) {
            fullest->full_at_ns.store(now_ns, std::memory_order_relaxed);
            evictions_.fetch_add(1, std::memory_order_relaxed);
        }
        return *fullest;
    }
}

RateLimitDecision RateLimiter::try_acquire(const CompiledRateLimit& limit, std::uint64_t caller_key,
                                           Monotonic now) {
    auto now_ns = std::chrono::nanoseconds(now.time_since_epoch()).count();
    auto& bucket = find(mix(caller_key ^ limit.seed) | 1, now_ns);
    auto full_at = bucket.full_at_ns.load(std::memory_order_relaxed);
    for (;;) {
        auto after = std::max(full_at, now_ns) + limit.interval_ns;
        auto missing = after - now_ns;
        if (missing > limit.burst_ns) {
            auto wait = missing - limit.burst_ns;
            return {.allowed = false, .reset_seconds = (wait + second_ns - 1) / second_ns};
        }
        if (!bucket.full_at_ns.compare_exchange_weak(full_at, after, std::memory_order_relaxed)) continue;
        auto remaining = (limit.burst_ns - missing) / limit.interval_ns;
        auto wait = missing - (limit.burst_ns - (remaining + 1) * limit.interval_ns);
        return {.remaining = remaining, .reset_seconds = (wait + second_ns - 1) / second_ns};
    }
}

std::chrono::seconds RateLimiter::wait(const CompiledRateLimit& limit, std::uint64_t caller_key,
                                       Monotonic now) {
    auto now_ns = std::chrono::nanoseconds(now.time_since_epoch()).count();
    auto full_at = find(mix(caller_key ^ limit.seed) | 1, now_ns).full_at_ns.load(std::memory_order_relaxed);
    auto missing = std::max(full_at, now_ns) + limit.interval_ns - now_ns;
    return std::chrono::seconds((std::max<std::int64_t>(missing - limit.burst_ns, 0) + second_ns - 1) /
                                second_ns);
}

void RateLimiter::charge(const CompiledRateLimit& limit, std::uint64_t caller_key, std::uint64_t tokens,
                         Monotonic now) {
    auto now_ns = std::chrono::nanoseconds(now.time_since_epoch()).count();
    auto& bucket = find(mix(caller_key ^ limit.seed) | 1, now_ns);
    auto latest = now_ns + limit.burst_ns * debt_max;
    auto full_at = bucket.full_at_ns.load(std::memory_order_relaxed);
    std::int64_t after = 0;
    do {
        auto room =
            static_cast<std::uint64_t>(std::max<std::int64_t>(latest - full_at, 0) / limit.interval_ns);
        after =
            std::max(full_at, now_ns) + static_cast<std::int64_t>(std::min(tokens, room)) * limit.interval_ns;
    } while (!bucket.full_at_ns.compare_exchange_weak(full_at, after, std::memory_order_relaxed));
}

void add_rate_limit_headers(const CompiledRateLimit& limit, const RateLimitDecision& decision,
                            http::Headers& to) {
    to.add("RateLimit-Policy", limit.policy);
    std::string value;
    value.reserve(limit.name.size() + 48);
    value.append("\"").append(limit.name).append("\";r=");
    json::append_number(value, decision.remaining);
    value += ";t=";
    json::append_number(value, decision.reset_seconds);
    to.add("RateLimit", value);
}

}  // namespace integreat::gateway
