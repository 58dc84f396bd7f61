// SPDX-License-Identifier: Apache-2.0
#include "base/resilience/bulkhead.h"

#include <algorithm>

#include "base/assert.h"

namespace integreat {

namespace {

// Subtracts from a count and removes it at zero, so that the maps hold current holders only.
template <class Map, class Key>
void subtract(Map& counts, const Key& key, std::uint64_t units) {
    auto count = counts.find(key);
    ASSERT(count != counts.end() && count->second >= units);
    count->second -= units;
    if (count->second == 0) counts.erase(count);
}

template <class Map, class Key>
std::uint64_t find_count(const Map& counts, const Key& key) {
    auto count = counts.find(key);
    return count == counts.end() ? 0 : count->second;
}

}  // namespace

BulkheadLimits limit_units(std::uint64_t units) {
    return {.capacity = units,
            .reserve = units / 4,
            .share = 1,
            .operators_reserve = units >= 8 ? std::uint64_t{1} : 0,
            .max_per_caller = std::max<std::uint64_t>(1, units / 2)};
}

BulkheadLimits limit_bytes(std::uint64_t bytes) {
    return {.capacity = bytes,
            .reserve = bytes / 4,
            .share = bytes / 16,
            .operators_reserve = bytes / 64,
            .max_per_caller = bytes / 4};
}

Bulkhead::Bulkhead(BulkheadLimits limits) : limits_(limits) {
    ASSERT(limits.reserve <= limits.capacity && limits.operators_reserve <= limits.reserve);
}

std::uint64_t Bulkhead::caller_key(const Holder& holder) {
    return holder.caller ^ (std::hash<TenantId>()(holder.tenant) * 0x9e3779b97f4a7c15u);
}

bool Bulkhead::may_acquire(const State& state, const Holder& holder, std::uint64_t units) const {
    auto free = limits_.capacity - state.used;
    if (units > free) return false;
    bool caller_limited = holder.caller != 0 && limits_.max_per_caller != 0;
    if (caller_limited && find_count(state.by_caller, caller_key(holder)) + units > limits_.max_per_caller)
        return false;
    if (holder.tenant == platform_tenant) return true;
    bool below_share = find_count(state.by_tenant, holder.tenant) + units <= limits_.share;
    auto operators = std::min(find_count(state.by_tenant, platform_tenant), limits_.operators_reserve);
    auto kept_free = (below_share ? limits_.operators_reserve : limits_.reserve) - operators;
    return free - units >= kept_free;
}

bool Bulkhead::try_acquire(const Holder& holder, std::uint64_t units) {
    auto state = state_.lock();
    if (!may_acquire(*state, holder, units)) return false;
    state->used += units;
    state->by_tenant[holder.tenant] += units;
    if (holder.caller != 0) state->by_caller[caller_key(holder)] += units;
    return true;
}

void Bulkhead::release(const Holder& holder, std::uint64_t units) {
    if (units == 0) return;
    auto state = state_.lock();
    ASSERT(state->used >= units);
    state->used -= units;
    subtract(state->by_tenant, holder.tenant, units);
    if (holder.caller != 0) subtract(state->by_caller, caller_key(holder), units);
}

void Bulkhead::count_refusal() {
    ++state_.lock()->refused;
}

Bulkhead::Usage Bulkhead::usage() const {
    auto state = state_.lock();
    return {state->used, state->refused, state->by_tenant};
}

bool BulkheadPermit::try_acquire(Bulkhead& bulkhead, const Bulkhead::Holder& holder, std::uint64_t units) {
    if (units_ == 0) {
        bulkhead_ = &bulkhead;
        tenant_ = holder.tenant;
        caller_ = holder.caller;
    }
    ASSERT(bulkhead_ == &bulkhead);
    if (!bulkhead.try_acquire({tenant_, caller_}, units)) {
        bulkhead.count_refusal();
        return false;
    }
    units_ += units;
    return true;
}

void BulkheadPermit::release() {
    if (units_ > 0) bulkhead_->release({tenant_, caller_}, units_);
    units_ = 0;
}

}  // namespace integreat
