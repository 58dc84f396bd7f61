// SPDX-License-Identifier: Apache-2.0
// A capacity that all tenants share, with walls between them: threads, bytes of request bodies, imports. No
// tenant and no caller can use up what another needs (the bulkhead pattern: Nygard, "Release It!"; AWS
// Well-Architected SaaS Lens, "noisy neighbor").
//
// A tenant may hold what is idle, down to a reserve. The reserve is for tenants that hold less than `share`
// units, and its last units are for the operators' routes, so that a key can be revoked and a tenant be
// suspended while applications use up everything else. Counts only; nothing waits here.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "base/concurrency/synchronized.h"
#include "base/id.h"

namespace integreat {

struct BulkheadLimits {
    std::uint64_t capacity = 0;           // Units in total.
    std::uint64_t reserve = 0;            // Units for tenants that hold less than `share`.
    std::uint64_t share = 1;              // Units that a tenant may hold with use of the reserve.
    std::uint64_t operators_reserve = 0;  // Units of the reserve for platform_tenant only.
    std::uint64_t max_per_caller = 0;     // Units of one caller; 0: no limit.
};

// Limits of a capacity of indivisible units, such as threads: a quarter of them is the reserve, and one
// caller may hold half of them.
BulkheadLimits limit_units(std::uint64_t units);

// Limits of a capacity of `bytes` of memory: a quarter is the reserve, a tenant's share of it is a sixteenth,
// and one caller may hold a quarter.
BulkheadLimits limit_bytes(std::uint64_t bytes);

class Bulkhead {
public:
    // The holder of units. A caller is the hash of a principal or of an address; 0: unknown, not limited.
    struct Holder {
        const TenantId& tenant;
        std::uint64_t caller = 0;
    };

    explicit Bulkhead(BulkheadLimits limits);
    Bulkhead(const Bulkhead&) = delete;
    Bulkhead& operator=(const Bulkhead&) = delete;

    // Returns false, and takes nothing, if the holder may not have so many units now. The caller counts a
    // refusal with `count_refusal` if it does not try again.
    [[nodiscard]] bool try_acquire(const Holder& holder, std::uint64_t units = 1);
    void release(const Holder& holder, std::uint64_t units = 1);
    void count_refusal();

    const BulkheadLimits& limits() const { return limits_; }

    struct Usage {
        std::uint64_t used = 0;
        std::uint64_t refused = 0;  // Since the start of the process.
        std::unordered_map<TenantId, std::uint64_t> by_tenant;
    };
    Usage usage() const;

private:
    struct State {
        std::uint64_t used = 0;
        std::uint64_t refused = 0;
        std::unordered_map<TenantId, std::uint64_t> by_tenant;       // Only holders of at least one unit.
        std::unordered_map<std::uint64_t, std::uint64_t> by_caller;  // By caller_key.
    };
    static std::uint64_t caller_key(const Holder& holder);
    bool may_acquire(const State& state, const Holder& holder, std::uint64_t units) const;

    const BulkheadLimits limits_;
    mutable Synchronized<State> state_;
};

// Units of a bulkhead, released on destruction. The bulkhead must outlive it.
class BulkheadPermit {
public:
    BulkheadPermit() = default;
    BulkheadPermit(const BulkheadPermit&) = delete;
    BulkheadPermit& operator=(const BulkheadPermit&) = delete;
    ~BulkheadPermit() { release(); }

    // Adds units, all for the holder of the first call since `release`. Returns false, counted as a refusal,
    // if the holder may not have them.
    [[nodiscard]] bool try_acquire(Bulkhead& bulkhead, const Bulkhead::Holder& holder, std::uint64_t units);
    void release();

    std::uint64_t units() const { return units_; }

private:
    Bulkhead* bulkhead_ = nullptr;
    TenantId tenant_;
    std::uint64_t caller_ = 0;
    std::uint64_t units_ = 0;
};

}  // namespace integreat
