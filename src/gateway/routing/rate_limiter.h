// SPDX-License-Identifier: Apache-2.0
// Token buckets by the generic cell rate algorithm: one number per bucket, the time at which the bucket is
// full again. A full bucket and an unknown one are equal, so the table has a fixed size: a new key replaces
// the bucket nearest to full, and a caller gets tokens back early only if all eight buckets of a set are in
// use. Lock-free; a request costs one compare-and-swap per bucket. The response headers follow
// draft-ietf-httpapi-ratelimit-headers-10.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/time.h"
#include "http/message/headers.h"
#include "http/routing/route.h"

namespace integreat::gateway {

struct CompiledRateLimit {
    std::int64_t interval_ns = 0;  // Time between two tokens; 0: no limit.
    std::int64_t burst_ns = 0;     // Capacity of the bucket, in the same unit.
    std::uint64_t seed = 0;        // Hash of `name`, mixed with the caller's key.
    std::string name;              // Name of the policy in responses: "campus".
    std::string policy;            // `"campus";q=600;w=60`

    bool limited() const { return interval_ns > 0; }
};

CompiledRateLimit compile_rate_limit(const http::RateLimit& limit, std::string_view name);

struct RateLimitDecision {
    bool allowed = true;
    std::int64_t remaining = 0;      // Number of requests that would pass now.
    std::int64_t reset_seconds = 0;  // Time until one more token, rounded up.
};

class RateLimiter {
public:
    // Allocates about `count` buckets of 16 bytes each.
    RateLimiter(std::size_t count, Random& random);

    // Takes a token from the bucket of `caller_key` under `limit`, if there is one.
    RateLimitDecision try_acquire(const CompiledRateLimit& limit, std::uint64_t caller_key, Monotonic now);

    // Returns the time until a token is free; 0 if there is one. Takes none.
    std::chrono::seconds wait(const CompiledRateLimit& limit, std::uint64_t caller_key, Monotonic now);
    // Takes tokens for work that was done, also more than there are: the bucket is then in debt, for at most
    // `debt_max` times its capacity.
    void charge(const CompiledRateLimit& limit, std::uint64_t caller_key, std::uint64_t tokens,
                Monotonic now);
    static constexpr std::int64_t debt_max = 10;

    // Hashes with a secret seed, so that clients cannot aim at another caller's bucket.
    std::uint64_t hash_key(std::string_view text) const;
    // Hashes an IPv4 address, or the /64 of an IPv6 address: one client usually owns a whole /64.
    std::uint64_t hash_address(std::string_view address) const;

    // Number of buckets that were replaced while in use.
    std::uint64_t evictions() const { return evictions_.load(std::memory_order_relaxed); }

private:
    struct Bucket {
        std::atomic<std::uint64_t> key{0};
        std::atomic<std::int64_t> full_at_ns{0};
    };
    static constexpr std::size_t ways = 8;

    Bucket& find(std::uint64_t key, std::int64_t now_ns);

    std::uint64_t secret_ = 0;
    std::size_t sets_;
    std::unique_ptr<Bucket[]> buckets_;
    std::atomic<std::uint64_t> evictions_{0};
};

// Adds RateLimit-Policy and RateLimit.
void add_rate_limit_headers(const CompiledRateLimit& limit, const RateLimitDecision& decision,
                            http::Headers& to);

}  // namespace integreat::gateway
