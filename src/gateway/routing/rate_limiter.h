// SPDX-License-Identifier: Apache-2.0
// Token buckets, as the generic cell rate algorithm says them: one number per bucket, the time at which it
// will be full again. A bucket that is full and one that was never seen are the same, so the table has a
// fixed size: a new key takes the place of the bucket nearest to full, and only when a whole set of eight is
// in use does somebody get tokens back early. No locks; a request costs one compare-and-swap per bucket.
// Answers say what is left as draft-ietf-httpapi-ratelimit-headers-10 does.
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

// A limit ready for use; its tokens are counted under `seed` mixed with who asks.
struct Rate {
    std::int64_t interval_ns = 0;  // Between two tokens; 0: no limit.
    std::int64_t burst_ns = 0;     // What a full bucket holds, in the same unit.
    std::uint64_t seed = 0;
    std::string name;    // "campus": what the policy is called in answers.
    std::string policy;  // `"campus";q=600;w=60`

    bool limited() const { return interval_ns > 0; }
};

Rate compile_rate(const http::RateLimit& limit, std::string_view name);

struct Taken {
    bool allowed = true;
    std::int64_t remaining = 0;     // Requests that would pass right now.
    std::int64_t more_seconds = 0;  // Until there is one more, rounded up.
};

class Buckets {
public:
    // Room for about `count` buckets, 16 bytes each.
    Buckets(std::size_t count, Random& random);

    Taken take(const Rate& rate, std::uint64_t who, Monotonic now);

    // Keys are hashed with a number that clients do not know, so that they cannot aim at another's bucket.
    std::uint64_t key_of(std::string_view text) const;
    // An IPv4 address, or the /64 of an IPv6 one: who has one address of it has them all.
    std::uint64_t key_of_address(std::string_view address) const;

    // How often a bucket in use gave way.
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

// RateLimit-Policy and RateLimit.
void add_rate_fields(const Rate& rate, const Taken& taken, http::Headers& to);

}  // namespace integreat::gateway
